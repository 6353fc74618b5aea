"""Add experts' mean response to the target to whatever they respond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def add(experts: Experts, target: str, k: int, *, factor: float = 1.0) -> Intervention:
    """Add the top k experts' mean response to a language, times a factor, to their responses.

    Source: the additive steering of Gurgurov et al. 2025 (language arithmetics), there of hidden units found by LAPE.

    Args:
        experts: Of the model.
        target: The language to steer to.
        k: How many experts.
        factor: Times the mean; negative steers away.

    Returns:
        scale 1, shift `factor * mean over the target`.

    Example:
        Of `experts` of six neurons, where neuron 1 answers Spanish with 9 on average:

        >>> edit = add(experts, "Spanish", k=1, factor=0.5).edits["mlp.up_proj"]
        >>> edit.units.tolist(), edit.scale.tolist(), edit.shift.tolist()
        ([1], [1.0], [4.5])
    """
    row, top = experts.row(target), experts.top(target, k)
    return Intervention.of_neurons(
        experts.neurons,
        top,
        scale=1.0,
        shift=factor * experts.statistics.mean[row, top],
        kind="add",
        parameters={**experts.made_from, "target": experts.languages[row], "k": k, "factor": factor},
    )
