"""AurA: dampen every neuron above chance, the more the better an expert it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.experts.statistics import CHANCE
from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def aura(experts: Experts, target: str, k: int | None = None) -> Intervention:
    """Multiply the outputs of a language's experts by `1 - 2 (AUROC - 0.5)`: a perfect expert is silenced.

    Source: AurA of Suau et al. 2024, section 3; no parameter to choose, since chance neurons keep their output.

    Args:
        experts: Of the model.
        target: The language to weaken.
        k: How many experts; by default every neuron above chance.

    Returns:
        scale `2 (1 - AUROC)`, shift 0.

    Example:
        Of `experts` of six neurons, where the best for Spanish have an AUROC of 1 (neuron 1) and 0.875 (neuron 3):

        >>> edit = aura(experts, "Spanish", k=2).edits["mlp.up_proj"]
        >>> edit.units.tolist(), edit.scale.tolist()
        ([1, 3], [0.0, 0.25])
    """
    row = experts.row(target)
    scores = experts.auroc[row]
    chosen = np.flatnonzero(scores > CHANCE) if k is None else experts.top(target, k)
    return Intervention.of_neurons(
        experts.neurons,
        chosen,
        scale=np.minimum(1.0, 2 * (1 - scores[chosen])),
        shift=0.0,
        kind="aura",
        parameters={**experts.made_from, "target": experts.languages[row], "k": len(chosen)},
    )
