"""Linear transport: carry the responses to other languages onto those to the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from interlingua.errors import InputError
from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def linear_transport(
    experts: Experts, target: str, k: int, *, form: Literal["quantile", "gaussian"] = "quantile"
) -> Intervention:
    """Carry the top k experts' responses to other languages onto their responses to the target, by a line each.

    Source: Linear-AcT of Rodriguez et al. 2024; unlike setting to the mean it keeps what varies between sentences.

    Args:
        experts: Of the model.
        target: The language to steer to.
        k: How many experts.
        form: `quantile` fits the line to matched quantiles by least squares, as Linear-AcT; `gaussian` takes the ratio
            of the standard deviations, the optimal map between two normal distributions.

    Returns:
        scale the line's slope, shift `mean over the target - slope * mean over the others`. The slope is 1 where the
        responses to the others do not vary.

    Raises:
        InputError: The form is unknown.

    Example:
        Of `experts` of six neurons, where neuron 1 answers Spanish with 9 +- 1 and the other languages with 1 +- 1, and
        neuron 3 Spanish with less spread than the others:

        >>> edit = linear_transport(experts, "Spanish", k=2).edits["mlp.up_proj"]
        >>> print(edit.units, edit.scale.round(2), edit.shift)
        [1 3] [1.   0.33] [8. 3.]
    """
    row, top = experts.row(target), experts.top(target, k)
    statistics = experts.statistics
    if form == "quantile":
        slope = statistics.transport_slope[row, top]
    elif form == "gaussian":
        spread = statistics.other_std[row, top]
        slope = np.divide(statistics.std[row, top], spread, out=np.ones_like(spread), where=spread > 0)
    else:
        raise InputError(f"unknown form '{form}'; use quantile, gaussian")
    return Intervention.of_neurons(
        experts.neurons,
        top,
        scale=slope,
        shift=statistics.mean[row, top] - slope * statistics.other_mean[row, top],
        kind="linear-transport",
        parameters={**experts.made_from, "target": experts.languages[row], "k": k, "form": form},
    )
