"""Ablate experts: their output is 0, whatever it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def ablate(experts: Experts, target: str, k: int) -> Intervention:
    """Set the top k experts of a language to 0, so that the model loses the language.

    Source: Det-0 of Suau et al. 2024; the deactivation of Tang et al. 2024 (LAPE), with experts chosen by AUROC.

    Args:
        experts: Of the model.
        target: The language to take away.
        k: How many experts.

    Returns:
        scale 0, shift 0.

    Example:
        Of `experts` of six neurons, where neuron 1 answers Spanish with 9 on average and the other languages with 1:

        >>> edit = ablate(experts, "Spanish", k=1).edits["mlp.up_proj"]
        >>> edit.units.tolist(), edit.scale.tolist(), edit.shift.tolist()
        ([1], [0.0], [0.0])
    """
    top = experts.top(target, k)
    parameters = {**experts.made_from, "target": experts.languages[experts.row(target)], "k": k}
    return Intervention.of_neurons(experts.neurons, top, scale=0.0, shift=0.0, kind="ablate", parameters=parameters)
