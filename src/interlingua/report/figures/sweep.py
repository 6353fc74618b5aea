"""Figure 3: text in the target language, and perplexity, over the number of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from interlingua.languages import language_name
from interlingua.report.figures.style import CYCLE, NORMAL, SMALL, WIDTH, clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sweep(table: pd.DataFrame) -> Figure:
    """Draw the two curves of figure 3, a line for each target and kind.

    Args:
        table: The table `sweep` of a study.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    shares, losses = figure.subplots(1, 2)
    several = table.kind.nunique() > 1
    numbers = sorted(set(table.k))
    for colour, ((target, kind), own) in zip(
        (CYCLE * len(table))[: len(table)], table.groupby(["target", "kind"], sort=False), strict=False
    ):
        label = language_name(str(target)) + (f", {kind}" if several else "")
        x = [numbers.index(k) for k in own.k]
        bars = {"color": colour, "linewidth": 1.3, "capsize": 2, "marker": "o", "markersize": 3}
        shares.errorbar(x, own.share, own.share_se, label=label, **bars)
        losses.errorbar(x, own.log_perplexity, own.standard_error, **bars)
        picked = own.picked.to_numpy(dtype=bool)
        for axes, values in ((shares, own.share), (losses, own.log_perplexity)):
            at = [i for i, here in zip(x, picked, strict=True) if here]
            axes.scatter(at, values[picked], s=70, facecolors="none", edgecolors=colour, linewidths=1.2)
    for axes, title in ((shares, "share of texts in the target language"), (losses, "log perplexity (nats)")):
        axes.set_xticks(range(len(numbers)), [f"{k:,}" for k in numbers])
        axes.set_xlabel("number of experts k", fontsize=NORMAL)
        axes.set_ylabel(title, fontsize=NORMAL)
        clean(axes)
    shares.set_ylim(-0.03, 1.05)
    figure.legend(loc="outside upper center", ncols=5, frameon=False, fontsize=SMALL)
    return figure
