"""Figure 6: the sentences of all languages in two dimensions, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.analysis.schema import STEERED, groups
from interlingua.languages import short_code
from interlingua.report.figures.style import BLACK, SMALL, UNSEEN, WIDTH
from interlingua.report.looks import looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROUNDS = 200
"""Of moving labels apart; what is still overlapping then has no room."""


def space(table: pd.DataFrame, unseen: frozenset[str]) -> Figure:
    """Draw a map: hollow marks before, filled ones after, and each language's code near the middle of its points.

    Args:
        table: The rows of one intervention in the table `projection` of a study.
        unseen: Languages that are written in red.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, WIDTH * 0.8), layout="constrained")
    axes = figure.subplots()
    shown = looks(table.language)
    labels = []
    for (which, code), points in groups(table, ["space", "language"]):
        steered = which == STEERED
        look = shown[str(code)]
        axes.scatter(
            points.x, points.y, s=12, marker=look.marker, edgecolors=look.colour, linewidths=0.7,
            facecolors=look.colour if steered else "none",
        )  # fmt: skip
        text = f"{short_code(str(code))}{'*' if steered else ''}"
        labels.append((float(points.x.median()), float(points.y.median()), text, str(code) in unseen))
    axes.set_axis_off()
    spread = np.array([table.x.max() - table.x.min(), table.y.max() - table.y.min()]) + 1e-9
    middles = np.array([[x, y] for x, y, *_ in labels]) / spread
    placed = _apart(middles, np.array([0.034, 0.026])) * spread
    for (x, y, text, red), (to_x, to_y) in zip(labels, placed, strict=True):
        axes.annotate(
            text, (x, y), (to_x, to_y), ha="center", va="center", fontsize=SMALL, fontweight="bold",
            color=UNSEEN if red else BLACK, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.5, "shrinkA": 4, "shrinkB": 0},
        )  # fmt: skip
    return figure


def _apart(middles: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Move labels of a size until none lies over another: float [labels, 2], in shares of the figure."""
    placed = middles + np.array([0, size[1]])
    for _ in range(ROUNDS):
        difference = placed[:, None] - placed[None, :]
        overlap = size - np.abs(difference)
        touching = (overlap > 0).all(axis=2) & ~np.eye(len(placed), dtype=bool)
        if not touching.any():
            break
        # Each pair parts along the axis on which it overlaps less, the earlier label to the lower side of a tie.
        axis = overlap.argmin(axis=2)
        direction = np.take_along_axis(difference, axis[..., None], axis=2)[..., 0]
        tie = np.where(np.arange(len(placed))[:, None] > np.arange(len(placed))[None, :], 1.0, -1.0)
        push = (
            np.where(direction == 0, tie, np.sign(direction)) * np.take_along_axis(overlap, axis[..., None], 2)[..., 0]
        )
        for i in range(2):
            placed[:, i] += 0.3 * np.where(touching & (axis == i), push, 0).sum(axis=1)
    return placed
