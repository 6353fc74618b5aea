"""What the figures have in common: colours, sizes, and languages as labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from interlingua.analysis.schema import EDIT, ORIGINAL, RANDOM, STEERED
from interlingua.languages import language_name, short_code

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

# Okabe and Ito's colours, which people with any kind of colour blindness tell apart.
GREY, BLUE, ORANGE, GREEN = "#7f7f7f", "#0072b2", "#e69f00", "#009e73"
VERMILLION, PURPLE, SKY, BLACK = "#d55e00", "#cc79a7", "#56b4e9", "#000000"
CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, GREY)
COLOURS = {ORIGINAL: GREY, STEERED: BLUE, RANDOM: ORANGE}
MARKERS = {ORIGINAL: "o", STEERED: "D", RANDOM: "v"}
UNSEEN = "#c00000"

WIDTH = 6.9
"""Inches: two columns of a paper. At one column, 3.3 inches, letters of 9 points are 4.3: too small to read."""

SMALL, NORMAL = 8, 9
"""Points."""


def clean(axes: Axes) -> None:
    """Take away the lines above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=SMALL)


def mark_unseen(labels: Iterable[Text], codes: Iterable[str], unseen: frozenset[str]) -> None:
    """Colour the labels of languages that the model did not see in pre-training."""
    for label, code in zip(labels, codes, strict=True):
        if code in unseen:
            label.set_color(UNSEEN)


def short(codes: Sequence[str]) -> list[str]:
    """Return languages as two or three letters."""
    return [short_code(code) for code in codes]


def steered_to(target: str, kind: str, k: int) -> str:
    """Return an intervention in words."""
    method = "" if kind == "set-to-mean" else f" by {kind}"
    return f"steered to {language_name(target)}{method}, k = {k:,}"


def of_setting(table: pd.DataFrame, target: str, kind: str, k: int) -> dict[str, pd.DataFrame]:
    """Return the rows of the original, the steered and the random model by condition; those that there are."""
    of_edit = (table.condition == ORIGINAL) | ((table.target == target) & (table.kind == kind) & (table.k == k))
    parts = {name: table[of_edit & (table.condition == name)] for name in COLOURS}
    return {name: rows for name, rows in parts.items() if len(rows)}


def settings(table: pd.DataFrame, condition: str = STEERED) -> list[tuple[Any, ...]]:
    """Return target, kind and k of the interventions in a table, in its order."""
    rows = table[(table.condition == condition) & (table.k > 0)]
    return list(rows[EDIT].drop_duplicates().itertuples(index=False, name=None))
