"""The distances of table 1 as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.analysis.schema import STEERED, groups
from interlingua.report.figures.style import COLOURS, NORMAL, SMALL, WIDTH, clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = {
    "distance_all": "between all languages",
    "distance_to_target": "others to the target",
    "target_to_medoid": "target to the medoid",
    "others_to_medoid": "others to the medoid",
}


def distances(table: pd.DataFrame) -> Figure:
    """Draw the means over targets for the original model and each edit.

    Args:
        table: The table `geometry_summary` of a study.
    """
    from matplotlib.figure import Figure

    several = len(table[table.condition == STEERED][["kind", "k"]].drop_duplicates()) > 1
    rows = []
    for name in COLOURS:
        for (kind, k), measured in groups(table[table.condition == name], ["kind", "k"]):
            label = f"{name}, {kind}, k = {k:,}" if several and k else name
            rows.append((name, label, measured.set_index("measure")))
    figure = Figure(figsize=(WIDTH, 1.1 + 0.32 * len(rows) * 1.6), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(rows)
    for i, (name, label, measured) in enumerate(rows):
        y = np.arange(len(MEASURES)) + (i - (len(rows) - 1) / 2) * height
        values, errors = (measured[column].reindex(list(MEASURES)) for column in ("mean", "standard_error"))
        bars = axes.barh(y, values, height * 0.9, xerr=errors.fillna(0), color=COLOURS[name], label=label)
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=SMALL)
    axes.set_yticks(range(len(MEASURES)), MEASURES.values())
    axes.invert_yaxis()
    axes.set_xlabel("cosine distance", fontsize=NORMAL)
    axes.margins(x=0.08)
    clean(axes)
    figure.legend(loc="outside upper right", ncols=3, frameon=False, fontsize=SMALL)
    return figure
