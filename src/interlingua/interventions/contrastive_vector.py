"""A contrastive steering vector, added where an MLP writes to the residual stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from interlingua.errors import InputError
from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def contrastive_vector(
    experts: Experts, target: str, *, layers: Sequence[int] | None = None, factor: float = 1.0
) -> Intervention:
    """Add to the outputs of the MLP blocks the mean difference of the target's and the other languages' outputs.

    Source: contrastive activation addition (CAA) of Rimsky et al. 2024, at the MLP's output instead of the block's.

    All outputs are shifted, expert or not. Where a norm follows the MLP (Gemma 2 and 3), the vector is added before it.

    Args:
        experts: Of the model.
        target: The language to steer to.
        layers: Which blocks; by default the middle one.
        factor: Multiplies the vector.

    Returns:
        scale 1, shift `factor * (mean over the target - mean over the others)`.

    Raises:
        InputError: The model has no such layer, or its index holds no MLP outputs.

    Example:
        Of `experts` of six neurons, two of which are outputs of the MLP; one answers Japanese with 8 and others with 1:

        >>> edit = contrastive_vector(experts, "Japanese").edits["mlp.down_proj"]
        >>> edit.units.tolist(), edit.scale.tolist(), edit.shift.tolist()
        ([0], [1.0], [7.0])
    """
    row = experts.row(target)
    outputs = [(i, linear) for i, linear in enumerate(experts.neurons.linears) if linear.output]
    present = [linear.layer for _, linear in outputs]
    if not outputs:
        raise InputError("the neurons that were probed hold no MLP outputs; probe with neurons='outputs'")
    chosen = [present[len(present) // 2]] if layers is None else list(layers)
    absent = sorted(set(chosen) - set(present))
    if absent:
        raise InputError(
            f"the model has no layer {', '.join(map(str, absent))}; it has {min(present)} to {max(present)}"
        )
    offsets = experts.neurons.offsets
    ids = np.concatenate([np.arange(offsets[i], offsets[i + 1]) for i, linear in outputs if linear.layer in chosen])
    difference = experts.statistics.mean[row, ids] - experts.statistics.other_mean[row, ids]
    return Intervention.of_neurons(
        experts.neurons,
        ids,
        scale=1.0,
        shift=factor * difference,
        kind="contrastive-vector",
        parameters={
            **experts.made_from,
            "target": experts.languages[row],
            "layers": chosen,
            "factor": factor,
        },
    )
