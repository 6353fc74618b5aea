"""Figure 3: text in the target language, and perplexity, over the number of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from interlingua.languages import language_name
from interlingua.report.figures.style import CYCLE, NORMAL, SMALL, WIDTH, clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sweep(table: pd.DataFrame) -> Figure:
    """Draw the two curves of figure 3, and the gain of retrieval where it was measured, a line for each target.

    Args:
        table: The table `sweep` of a study.
    """
    from matplotlib.figure import Figure

    panels = {
        "share of texts in the target language": ("share", "share_se"),
        "log perplexity (nats)": ("log_perplexity", "standard_error"),
    }
    if "gain" in table and table.gain.notna().any():
        panels["gain of top-1, target as query"] = ("gain", None)
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    all_axes = list(figure.subplots(1, len(panels)))
    several = table.kind.nunique() > 1
    numbers = sorted(set(table.k))
    for colour, ((target, kind), rows) in zip(
        (CYCLE * len(table))[: len(table)], table.groupby(["target", "kind"], sort=False), strict=False
    ):
        label = language_name(str(target)) + (f", {kind}" if several else "")
        x = [numbers.index(k) for k in rows.k]
        bars = {"color": colour, "linewidth": 1.3, "capsize": 2, "marker": "o", "markersize": 3}
        picked = rows.picked.to_numpy(dtype=bool)
        for axes, (value, error) in zip(all_axes, panels.values(), strict=True):
            values = rows[value].to_numpy(dtype=float, na_value=float("nan"))
            axes.errorbar(x, values, rows[error] if error else None, label=label, **bars)
            at = [i for i, here in zip(x, picked, strict=True) if here]
            axes.scatter(at, values[picked], s=70, facecolors="none", edgecolors=colour, linewidths=1.2)
    for axes, title in zip(all_axes, panels, strict=True):
        axes.set_xticks(range(len(numbers)), [f"{k:,}" for k in numbers])
        axes.set_xlabel("number of experts k", fontsize=NORMAL)
        axes.set_ylabel(title, fontsize=NORMAL)
        clean(axes)
    all_axes[0].set_ylim(-0.03, 1.05)
    figure.legend(
        *all_axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False, fontsize=SMALL
    )
    return figure
