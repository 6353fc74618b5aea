"""Set experts to their mean response to the target language: the paper's intervention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from interlingua.errors import InputError
from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def set_to_mean(
    experts: Experts, target: str, k: int, *, statistic: Literal["mean", "median"] = "mean"
) -> Intervention:
    """Set the top k experts of a language to the mean of their responses to that language.

    Source: Sundar et al. 2025, sections 3.2 and 3.3; first in Suau et al. 2022.

    Args:
        experts: Of the model that is to be steered.
        target: The language to steer to.
        k: How many experts; 0 changes nothing.
        statistic: `mean`, or `median` for responses with outliers.

    Returns:
        scale 0, shift the statistic over the target's probe sentences.

    Raises:
        LanguageError: The target was not probed.
        InputError: k is negative, or more than there are neurons.

    Example:
        Of `experts` of six neurons, where neuron 1 answers Spanish with 9 on average and the other languages with 1:

        >>> edit = set_to_mean(experts, "Spanish", k=1).edits["mlp.up_proj"]
        >>> edit.units.tolist(), edit.scale.tolist(), edit.shift.tolist()
        ([1], [0.0], [9.0])
    """
    if statistic not in ("mean", "median"):
        raise InputError(f"unknown statistic '{statistic}'; use mean, median")
    row, top = experts.row(target), experts.top(target, k)
    return Intervention.of_neurons(
        experts.neurons,
        top,
        scale=0.0,
        shift=experts.statistics.arrays()[statistic][row, top],
        kind="set-to-mean",
        parameters={**experts.made_from, "target": experts.languages[row], "k": k, "statistic": statistic},
    )
