"""Figures 5 and 10 to 12: the change of top-1 accuracy for every pair of languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.analysis.evidence import changes
from interlingua.analysis.schema import RANDOM, STEERED
from interlingua.report.figures.style import NORMAL, SMALL, WIDTH, mark_unseen, of_setting, short
from interlingua.report.looks import in_order

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def retrieval_change(table: pd.DataFrame, target: str, kind: str, k: int, unseen: frozenset[str]) -> Figure:
    """Draw accuracy after minus before: by experts, and by random neurons where they were measured.

    Args:
        table: The table `retrieval` of a study.
        target: The target of the intervention.
        kind: Of the intervention.
        k: The number of neurons.
        unseen: Languages that are written in red.
    """
    from matplotlib.figure import Figure

    between = table[table["query"] != table.candidate]
    found = of_setting(between, target, kind, k)
    steered = found[STEERED].pivot(index="query", columns="candidate", values="top1")
    order = in_order(steered.index)
    shown = {
        name: changes(between, found[name], ["query", "candidate"], "top1")
        .pivot(index="query", columns="candidate", values="change")
        .reindex(index=order, columns=order)
        for name in (STEERED, RANDOM)
        if name in found
    }
    limit = max(0.05, *(float(np.nanmax(np.abs(change.to_numpy()))) for change in shown.values()))
    figure = Figure(figsize=(WIDTH, 3.75 if len(shown) > 1 else 5.2), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(shown), sharey=True))
    image = None
    for axes, (name, change) in zip(panels, shown.items(), strict=True):
        image = axes.imshow(change.to_numpy(), cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set_title("experts" if name == STEERED else "random neurons", fontsize=NORMAL)
        axes.set_xticks(range(len(order)), short(order), fontsize=SMALL - 1, rotation=90)
        axes.set_yticks(range(len(order)), short(order), fontsize=SMALL - 1)
        mark_unseen(axes.get_xticklabels(), order, unseen)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("candidate", fontsize=NORMAL)
    panels[0].set_ylabel("query", fontsize=NORMAL)
    mark_unseen(panels[0].get_yticklabels(), order, unseen)
    if image is not None:
        bar = figure.colorbar(image, ax=list(panels), shrink=0.8, pad=0.02)
        bar.set_label("change of top-1 accuracy", fontsize=SMALL)
        bar.ax.tick_params(labelsize=SMALL - 1)
    return figure
