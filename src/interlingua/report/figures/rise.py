"""What an edit of each language does to reading each language: a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.report.figures.style import NORMAL, SMALL, WIDTH, short
from interlingua.report.looks import in_order

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def perplexity_rise(table: pd.DataFrame) -> Figure:
    """Draw the rise of log perplexity, a row for each language that is edited, a column for each that is read.

    Args:
        table: What `analysis.perplexity_matrix` gives, of one condition, kind and k.
    """
    from matplotlib.figure import Figure

    order = in_order(table.target)
    columns = [*order, *(code for code in in_order(table.language) if code not in order)]
    wide = table.pivot(index="target", columns="language", values="rise").reindex(index=order, columns=columns)
    values = wide.to_numpy()
    limit = max(0.05, float(np.nanmax(np.abs(values))))
    figure = Figure(figsize=(WIDTH * 0.6, WIDTH * 0.5), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if abs(value) > 0.6 * limit else "black"
        axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=SMALL - 1, color=colour)
    axes.set_xticks(range(len(columns)), short(columns), fontsize=SMALL)
    axes.set_yticks(range(len(order)), short(order), fontsize=SMALL)
    axes.set_xlabel("language that is read", fontsize=NORMAL)
    axes.set_ylabel("language that is edited", fontsize=NORMAL)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.8).set_label("rise of log perplexity (nats)", fontsize=SMALL)
    return figure
