"""Section 4 as a picture: each language's way to or from the place where the target was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from interlingua.analysis.schema import ORIGINAL, RANDOM, STEERED
from interlingua.languages import language_name
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

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def paths(table: pd.DataFrame, target: str, kind: str, k: int, unseen: frozenset[str]) -> Figure:
    """Draw each language's distance to the target's original mean: before, after, and by random neurons.

    Args:
        table: The table `cross_space` of a study.
        target: The target of the intervention.
        kind: Of the intervention.
        k: The number of neurons.
        unseen: Languages that are written in red.
    """
    from matplotlib.figure import Figure

    to_target = of_setting(table[table.other == target], target, kind, k)
    distances = {name: rows.set_index("language").distance for name, rows in to_target.items()}
    order = list(distances[ORIGINAL].sort_values(kind="stable").index)
    figure = Figure(figsize=(WIDTH, 0.8 + 0.17 * len(order)), layout="constrained")
    axes = figure.subplots()
    labels = {ORIGINAL: "before", STEERED: "after, by experts", RANDOM: "after, by random neurons"}
    for name, values in distances.items():
        shown = values.reindex(order)
        if name != ORIGINAL:
            axes.hlines(
                [i + (name == RANDOM) * 0.25 for i in range(len(order))], distances[ORIGINAL].reindex(order), shown,
                color=COLOURS[name], linewidth=0.8, alpha=0.6,
            )  # fmt: skip
        axes.scatter(
            shown, [i + (name == RANDOM) * 0.25 for i in range(len(order))], s=18, color=COLOURS[name],
            marker=MARKERS[name], label=labels[name], zorder=3,
        )  # fmt: skip
    axes.set_yticks(range(len(order)), short(order), fontsize=SMALL)
    mark_unseen(axes.get_yticklabels(), order, unseen)
    axes.invert_yaxis()
    axes.set_xlabel(f"cosine distance to where {language_name(target)} was", fontsize=NORMAL)
    clean(axes)
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=SMALL)
    return figure


def landing_and_gain(table: pd.DataFrame) -> Figure:
    """Draw, over targets, the share of languages that land where the target was against the gain of retrieval.

    Args:
        table: What `analysis.landing_and_gain` gives.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 2, 2.7), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color=COLOURS[ORIGINAL], linewidth=0.6)
    axes.scatter(table.share, table.gain, s=20, color=COLOURS[STEERED])
    for share, gain, label in zip(table.share, table.gain, short(list(table.target)), strict=True):
        axes.annotate(label, (share, gain), xytext=(4, 3), textcoords="offset points", fontsize=SMALL)
    axes.set_xlim(-0.05, 1.1)
    axes.set_xlabel("share of languages at the target's old place", fontsize=NORMAL)
    axes.set_ylabel("gain of top-1", fontsize=NORMAL)
    clean(axes)
    return figure
