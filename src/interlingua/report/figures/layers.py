"""Held-out accuracy of a comparison, by layer and method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from interlingua.alignment import Comparison
from interlingua.alignment.embedded_probe import NONE
from interlingua.report.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A colour and a marker each, so that lines are told apart without colour too.
STYLES = {
    "identity": (GREY, "o"),
    "centring": (SKY, "s"),
    "language-directions": (PURPLE, "^"),
    "whitening": (ORANGE, "v"),
    "wccn": (BLUE, "D"),
    "weighted-wccn": (BLUE, "P"),
    "procrustes": (GREEN, "x"),
}
NAMES = {
    "identity": "as it is",
    "language-directions": "language directions",
    "wccn": "WCCN",
    "weighted-wccn": "weighted WCCN",
    "procrustes": "Procrustes",
}


def layers_figure(comparison: Comparison) -> Figure:
    """Draw held-out top-1 by layer, one line a method: its best mean and shrinkage in each layer, by cosine.

    Where special tokens are left out, a broken line has the layers as the paper reads them, with all tokens.
    """
    from matplotlib.figure import Figure

    table = comparison.tables["candidates"]
    table = table[(table.edit == NONE) & (table.scoring == "cosine") & table.layers.str.isdecimal()]
    plain = is_plain(comparison, table)
    single, as_in_paper = table[plain], table[~plain]
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    if len(as_in_paper):
        colour, marker = STYLES["identity"]
        best = _best_by_layer(as_in_paper)
        axes.plot(best.index, best, "--", color=colour, marker=marker, markersize=4, label="as it is,\nall tokens")
    for method, (colour, marker) in STYLES.items():
        best = _best_by_layer(single[single.method == method])
        if len(best):
            axes.plot(best.index, best, color=colour, marker=marker, markersize=4, label=NAMES.get(method, method))
    axes.set_xlabel("layer")
    axes.set_ylabel("top-1, held out in the probe")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks(sorted(single.layers.astype(int).unique()))
    axes.tick_params(axis="x", labelsize=8)
    clean(axes)
    figure.legend(loc="outside right center", frameon=False)
    return figure


def _best_by_layer(table: pd.DataFrame) -> pd.Series:
    return table.assign(layer=table.layers.astype(int)).groupby("layer").held_out.max()


def is_plain(comparison: Comparison, table: pd.DataFrame) -> pd.Series:
    """Tell which rows have no intervention, and the tokens that the comparison counts."""
    counted = comparison.made_from["settings"]["special_tokens"]
    return (table.edit == NONE) & (table.special_tokens == counted)
