"""Neutralise experts: set them to their mean over all languages, so that they no longer tell which it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def neutralise(experts: Experts, target: str | None = None, k: int = 2000) -> Intervention:
    """Set the top k experts of a language, or of every language, to their mean over the sentences of all languages.

    Source: this project; the paper's intervention with no language as its aim.

    Args:
        experts: Of the model.
        target: The language whose experts are neutralised; by default the top k experts of each language.
        k: How many experts of each.

    Returns:
        scale 0, shift the mean over all languages.

    Example:
        Of `experts` of six neurons, where the best neuron of Spanish answers three languages with 1, 9 and 1:

        >>> edit = neutralise(experts, "Spanish", k=1).edits["mlp.up_proj"]
        >>> print(edit.units, edit.scale, edit.shift.round(2))
        [1] [0.] [3.67]
    """
    languages = experts.languages if target is None else (experts.languages[experts.row(target)],)
    chosen = np.unique(np.concatenate([experts.top(code, k) for code in languages]))
    return Intervention.of_neurons(
        experts.neurons,
        chosen,
        scale=0.0,
        shift=experts.statistics.mean[:, chosen].mean(axis=0),
        kind="neutralise",
        parameters={**experts.made_from, "target": target and languages[0], "k": k},
    )
