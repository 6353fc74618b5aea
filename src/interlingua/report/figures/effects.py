"""Which choice explains how much: a bar for each, by outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from interlingua.report.figures.style import CYCLE, NORMAL, SMALL, WIDTH, clean
from interlingua.report.paper_tables.grids import HEADINGS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def main_effects(table: pd.DataFrame) -> Figure:
    """Draw the share of the variance over a grid that each choice explains.

    Args:
        table: The table `main_effects` of a study.
    """
    from matplotlib.figure import Figure

    wide = table.pivot(index="outcome", columns="choice", values="share").reindex(table.outcome.unique())
    figure = Figure(figsize=(WIDTH, 2.4), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(wide.columns)
    for i, (choice, colour) in enumerate(zip(wide.columns, CYCLE, strict=False)):
        axes.bar([x + i * width for x in range(len(wide))], wide[choice], width, color=colour, label=choice)
    axes.set_xticks([x + 0.4 - width / 2 for x in range(len(wide))], [HEADINGS[name] for name in wide.index])
    axes.set_ylabel("share of the variance", fontsize=NORMAL)
    axes.set_ylim(0, 1)
    clean(axes)
    figure.legend(loc="outside upper center", ncols=5, frameon=False, fontsize=SMALL)
    return figure
