"""Accuracy of a comparison, by how much of the probe the map is fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interlingua.alignment import Comparison
from interlingua.report.figures.style import BLUE, GREY, ORANGE, clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUPS = {"all": (GREY, "o"), "in the probe": (BLUE, "D"), "absent": (ORANGE, "v")}


def growth_figure(comparison: Comparison) -> Figure:
    """Draw top-1 in the evaluation split by the probe's sentences, and by its languages where that was measured."""
    from matplotlib.figure import Figure

    parts = [("sentences", None)] + ([("languages", "group")] if "languages" in comparison.tables else [])
    figure = Figure(figsize=(3.6 * len(parts), 2.9), layout="constrained")
    for axes, (name, group) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        table = comparison.tables[name]
        for key, (colour, marker) in GROUPS.items() if group else {"": (BLUE, "D")}.items():
            spread = (table[table[group] == key] if group else table).groupby(name).top1.agg(["mean", "min", "max"])
            if len(spread):
                axes.plot(spread.index, spread["mean"], color=colour, marker=marker, markersize=4, label=key or None)
                axes.fill_between(spread.index, spread["min"], spread["max"], color=colour, alpha=0.2, linewidth=0)
        ticks = sorted(table[name].unique())
        axes.set_xscale("log")
        axes.set_xticks(ticks, [str(tick) for tick in ticks], rotation=90 if len(ticks) > 6 else 0, fontsize=8)
        axes.minorticks_off()
        axes.set_xlabel(f"{name} of the probe")
        axes.set_ylim(top=1.01)
        clean(axes)
        if group:
            axes.legend(frameon=False, fontsize=8)
    figure.axes[0].set_ylabel("top-1, evaluated")
    return figure
