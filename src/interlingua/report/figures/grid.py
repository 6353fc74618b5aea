"""Finder x site and kind: a cell for each combination of a grid, in a heat map for each outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.report.figures.style import NORMAL, SMALL, WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OUTCOMES = {"share": "texts in the target language", "top1": "top-1, mean over pairs", "distance": "mean distance"}
"""The outcomes that lie between 0 and 1, and so have one scale."""


def grid(table: pd.DataFrame) -> Figure:
    """Draw a heat map for each outcome: finders down, sites and kinds across; means over targets and k.

    Args:
        table: The table `grid` of a study.
    """
    from matplotlib.figure import Figure

    shown = [outcome for outcome in OUTCOMES if table[outcome].notna().any()]
    finders = list(table.finder.unique())
    columns = table[["neurons", "kind"]].drop_duplicates().sort_values("neurons", kind="stable")
    figure = Figure(figsize=(WIDTH, 1.6 + 0.24 * len(finders)), layout="constrained")
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, outcome in zip(panels, shown, strict=True):
        means = table.pivot_table(index="finder", columns=["neurons", "kind"], values=outcome, sort=False)
        means = means.reindex(index=finders, columns=pd.MultiIndex.from_frame(columns))
        _heat_map(axes, means)
        axes.set_title(OUTCOMES[outcome], fontsize=NORMAL)
    panels[0].set_yticks(range(len(finders)), finders, fontsize=SMALL)
    return figure


def _heat_map(axes: Axes, means: pd.DataFrame) -> None:
    values = means.to_numpy(dtype=float)
    axes.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = "black" if value > 0.6 else "white"
            axes.text(column, row, f"{value:.2f}".removeprefix("0"), ha="center", va="center", fontsize=6, color=ink)
    names = [f"{kind}, {neurons}" for neurons, kind in means.columns]
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=SMALL - 1)
    axes.tick_params(length=0)
