"""Figures 4, 7 to 9, and 13 to 15: top-1 accuracy with the target as query, by candidate language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.analysis.schema import ORIGINAL
from interlingua.report.figures.style import (
    COLOURS,
    MARKERS,
    NORMAL,
    SMALL,
    WIDTH,
    clean,
    mark_unseen,
    of_setting,
    short,
)
from interlingua.report.looks import in_order

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def retrieval_from_target(
    table: pd.DataFrame, target: str, kind: str, k: int, condition: str, unseen: frozenset[str]
) -> Figure:
    """Draw accuracy before and after an edit; that of experts and that of random neurons have the same axes.

    Args:
        table: The table `retrieval` of a study.
        target: The query.
        kind: Of the intervention.
        k: The number of neurons.
        condition: `steered` or `random`.
        unseen: Languages that are written in red.
    """
    from matplotlib.figure import Figure

    from_target = table[(table["query"] == target) & (table.candidate != target)]
    found = of_setting(from_target, target, kind, k)
    wide = {name: found[name].set_index("candidate").top1 for name in (ORIGINAL, condition)}
    order = in_order(wide[ORIGINAL].index)
    highest = max(rows.top1.max() for rows in found.values())
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    axes = figure.subplots()
    x = np.arange(len(order))
    axes.vlines(x, wide[ORIGINAL][order], wide[condition][order], color="#cccccc", linewidth=1.5, zorder=1)
    for name, values in wide.items():
        axes.scatter(x, values[order], s=24, color=COLOURS[name], marker=MARKERS[name], label=name, zorder=2)
    axes.set_xticks(x, short(order))
    mark_unseen(axes.get_xticklabels(), order, unseen)
    axes.set_xlabel("candidate language", fontsize=NORMAL)
    axes.set_ylabel("top-1 accuracy", fontsize=NORMAL)
    axes.set_ylim(-0.03 * highest - 0.005, 1.05 * highest + 0.005)
    clean(axes)
    figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=SMALL)
    return figure
