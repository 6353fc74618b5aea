"""Dampen experts: their output is multiplied by one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def dampen(experts: Experts, target: str, k: int, *, factor: float = 0.5) -> Intervention:
    """Multiply the responses of the top k experts of a language by a factor: less of the language below 1, more above.

    Source: the Damp baseline of Suau et al. 2024, section 3; above 1 the amplification of Rahmanisa et al. 2025.

    Args:
        experts: Of the model.
        target: The language to weaken.
        k: How many experts.
        factor: 0 ablates, 1 changes nothing, more than 1 amplifies.

    Returns:
        scale `factor`, shift 0.

    Example:
        Of `experts` of six neurons, where neuron 1 answers Spanish with 9 on average and the other languages with 1:

        >>> edit = dampen(experts, "Spanish", k=1, factor=0.25).edits["mlp.up_proj"]
        >>> edit.units.tolist(), edit.scale.tolist(), edit.shift.tolist()
        ([1], [0.25], [0.0])
    """
    top = experts.top(target, k)
    parameters = {**experts.made_from, "target": experts.languages[experts.row(target)], "k": k, "factor": factor}
    return Intervention.of_neurons(experts.neurons, top, scale=factor, shift=0.0, kind="dampen", parameters=parameters)
