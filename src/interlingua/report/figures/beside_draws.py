"""What experts gain, beside the range of what draws of random neurons gain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from interlingua.analysis.schema import RANDOM, STEERED
from interlingua.report.figures.style import COLOURS, GREEN, MARKERS, NORMAL, PURPLE, SMALL, WIDTH, clean, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MATCHES = {"uniform": COLOURS[RANDOM], "layer": GREEN, "own-mean": PURPLE}
"""A colour for each way of drawing random neurons."""


def beside_draws(table: pd.DataFrame) -> Figure:
    """Draw a panel for each effect: by target the experts' value, and the lowest, mean and highest of the draws.

    Args:
        table: The rows of the table `controls` of one kind and k.
    """
    from matplotlib.figure import Figure

    effects, targets = table.effect.unique(), list(table.target.unique())
    figure = Figure(figsize=(WIDTH, 1.3 + 0.3 * len(targets)), layout="constrained")
    panels = figure.subplots(1, len(effects), sharey=True, squeeze=False)[0]
    for axes, effect in zip(panels, effects, strict=True):
        _panel(axes, table[table.effect == effect], targets)
        axes.set_xlabel(effect, fontsize=NORMAL)
    panels[0].set_yticks(range(len(targets)), short(targets))
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False, fontsize=SMALL)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, targets: list[str]) -> None:
    places = {target: i for i, target in enumerate(targets)}
    matches = [match for match in MATCHES if match in set(rows.match)]
    for i, match in enumerate(matches):
        drawn = rows[rows.match == match]
        y = drawn.target.map(places) + 0.18 * (i - (len(matches) - 1) / 2)
        axes.hlines(y, drawn.lowest, drawn.highest, color=MATCHES[match], linewidth=2)
        label = f"random, {match} ({drawn.draws.max()} draws)"
        axes.plot(drawn["mean"], y, MARKERS[RANDOM], color=MATCHES[match], markersize=5, label=label)
    experts = rows.drop_duplicates("target")
    axes.plot(
        experts.experts, experts.target.map(places), MARKERS[STEERED], color=COLOURS[STEERED], markersize=5,
        label="experts",
    )  # fmt: skip
    axes.axvline(0, color="black", linewidth=0.6)
    clean(axes)
