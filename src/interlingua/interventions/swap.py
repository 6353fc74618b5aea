"""Take one language away and steer to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from interlingua.interventions.intervention import Intervention

if TYPE_CHECKING:
    from interlingua.experts import Experts


def swap(experts: Experts, target: str, k: int, *, source: str, factor: float = 1.0) -> Intervention:
    """Silence the top k experts of one language, and add to those of another their mean response to it.

    Source: the language arithmetics of Gurgurov et al. 2025, which deactivate the source's and activate the target's.

    Args:
        experts: Of the model.
        target: The language to steer to.
        k: How many experts of each.
        source: The language to take away; experts of both are the target's.
        factor: Times the target's mean.

    Returns:
        Of the source's experts scale 0, shift 0; of the target's scale 1, shift `factor * mean over the target`.

    Example:
        Of `experts` of six neurons, where neuron 1 answers Spanish with 9 on average, and neuron 4 Japanese best:

        >>> edits = swap(experts, "Spanish", k=1, source="Japanese").edits
        >>> edits["mlp.up_proj"].shift.tolist(), edits["mlp.down_proj"].scale.tolist()
        ([9.0], [0.0])
    """
    row, top = experts.row(target), experts.top(target, k)
    away = np.setdiff1d(experts.top(source, k), top)
    scale = np.concatenate([np.ones(len(top), np.float32), np.zeros(len(away), np.float32)])
    shift = np.concatenate([factor * experts.statistics.mean[row, top], np.zeros(len(away), np.float32)])
    languages = {"target": experts.languages[row], "source": experts.languages[experts.row(source)]}
    return Intervention.of_neurons(
        experts.neurons,
        np.concatenate([top, away]),
        scale=scale,
        shift=shift,
        kind="swap",
        parameters={**experts.made_from, **languages, "k": k, "factor": factor},
    )
