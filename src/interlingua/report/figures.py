"""The figures of a report: colour-blind safe, and readable at a column's width."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.errors import MissingExtraError
from interlingua.files import written_whole
from interlingua.languages import language_name, short_code
from interlingua.report.tables import summary_table
from interlingua.study import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which people with any kind of colour blindness tell apart.
COLOURS = {"original": "#7f7f7f", "steered": "#0072b2", "random": "#e69f00"}
MARKERS = {"original": "o", "steered": "D", "random": "v"}


def require_matplotlib() -> None:
    """Raise unless figures can be drawn.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MissingExtraError("drawing figures", "plots") from None


def draw_figures(run: Run) -> dict[str, Path]:
    """Draw every figure that the run has data for, as SVG and PDF under `figures/`.

    Returns:
        The SVG files by title, in the order of the report.
    """
    require_matplotlib()
    for earlier in (run.folder / "figures").glob("*"):
        earlier.unlink()
    drawn = {}
    conditions = summary_table(run)
    steered = conditions[conditions.condition == "steered"]
    for target, kind, k in steered[["target", "kind", "k"]].itertuples(index=False):
        if not {"original", "random"} <= set(_of(conditions, target, kind, k).condition):
            continue  # a cell of the study failed
        plain = kind == "set-to-mean"
        method = "" if plain else "-" + re.sub(r"[^\w.-]+", "-", kind)
        name = f"{short_code(target)}{method}-k{k}"
        steering = f"steered to {language_name(target)}{'' if plain else f' by {kind}'}, k = {k:,}"
        drawn[f"Top-1 accuracy with {language_name(target)} as query, {steering}"] = _save(
            run, f"retrieval-from-target-{name}", retrieval_from_target(run, target, k, kind)
        )
        drawn[f"Change of top-1 accuracy for every pair of languages, {steering}"] = _save(
            run, f"retrieval-change-{name}", retrieval_change(run, target, k, kind)
        )
        drawn[f"Distances between languages, {steering}"] = _save(
            run, f"distances-{name}", distances(run, target, k, kind)
        )
    return drawn


def retrieval_from_target(run: Run, target: str, k: int, kind: str = "set-to-mean") -> Figure:
    """Draw top-1 accuracy with the target as query, by candidate language (figure 4 of the paper)."""
    from matplotlib.figure import Figure

    table = run.tables["retrieval"]
    own = table[(table["query"] == target) & (table.candidate != target)]
    wide = {name: rows.set_index("candidate").top1 for name, rows in _by_condition(own, target, kind, k)}
    order = wide["steered"].sort_values(ascending=False, kind="stable").index
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    axes = figure.subplots()
    x = np.arange(len(order))
    axes.vlines(x, wide["original"][order], wide["steered"][order], color="#cccccc", linewidth=1.5, zorder=1)
    for name, values in wide.items():
        axes.scatter(x, values[order], s=26, color=COLOURS[name], marker=MARKERS[name], label=name, zorder=2)
    axes.set_xticks(x, [short_code(code) for code in order])
    axes.set_xlabel("candidate language")
    axes.set_ylabel("top-1 accuracy")
    axes.set_ylim(-0.02, 1.02 if wide["steered"].max() > 0.8 else None)
    clean_axes(axes)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


def retrieval_change(run: Run, target: str, k: int, kind: str = "set-to-mean") -> Figure:
    """Draw the change of top-1 accuracy for all pairs of languages, steered and random (figure 5 of the paper)."""
    from matplotlib.figure import Figure

    wide = {
        name: rows.pivot(index="query", columns="candidate", values="top1")
        for name, rows in _by_condition(run.tables["retrieval"], target, kind, k)
    }
    codes = list(wide["original"].index)
    order = wide["steered"].loc[codes, codes].mean(axis=1).sort_values(ascending=False, kind="stable").index
    changes = {name: (wide[name] - wide["original"]).loc[order, order] for name in ("steered", "random")}
    limit = max(0.05, *(float(np.abs(change.to_numpy()).max()) for change in changes.values()))
    figure = Figure(figsize=(7, 3.9), layout="constrained")
    labels = [short_code(code) for code in order]
    image = None
    for axes, (name, change) in zip(figure.subplots(1, 2, sharey=True), changes.items(), strict=True):
        values = change.to_numpy().copy()
        np.fill_diagonal(values, np.nan)
        image = axes.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit)
        axes.set_title(f"{name} - original", fontsize=9)
        axes.set_xticks(range(len(labels)), labels, fontsize=6, rotation=90)
        axes.set_yticks(range(len(labels)), labels, fontsize=6)
        axes.set_xlabel("candidate", fontsize=8)
    figure.axes[0].set_ylabel("query", fontsize=8)
    if image is not None:
        bar = figure.colorbar(image, ax=figure.axes, shrink=0.8, pad=0.02)
        bar.set_label("change of top-1 accuracy", fontsize=8)
        bar.ax.tick_params(labelsize=7)
    return figure


def distances(run: Run, target: str, k: int, kind: str = "set-to-mean") -> Figure:
    """Draw the three distances of the paper's table 1 for each condition."""
    from matplotlib.figure import Figure

    measures = {
        "distance": "between all languages",
        "distance_to_target": f"to {language_name(target)}",
        "medoid_target": f"{language_name(target)} to the medoid",
        "medoid_others": "others to the medoid",
    }
    table = _of(summary_table(run), target, kind, k)
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    height = 0.26
    for i, name in enumerate(COLOURS):
        values = table[table.condition == name].iloc[0]
        y = np.arange(len(measures)) + (i - 1) * height
        bars = axes.barh(y, [values[measure] for measure in measures], height * 0.9, color=COLOURS[name], label=name)
        axes.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes.set_yticks(range(len(measures)), measures.values())
    axes.invert_yaxis()
    axes.set_xlabel("cosine distance")
    axes.margins(x=0.08)
    clean_axes(axes)
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return figure


def _of(summary: pd.DataFrame, target: str, kind: str, k: int) -> pd.DataFrame:
    """Return the original's, the steered and the random row of one target, kind and k."""
    edited = (summary.kind == kind) & (summary.k == k)
    return summary[(summary.target == target) & (edited | (summary.condition == "original"))]


def _by_condition(table: pd.DataFrame, target: str, kind: str, k: int) -> list[tuple[str, pd.DataFrame]]:
    own = table[table.target.isna() | ((table.target == target) & (table.kind == kind) & (table.k == k))]
    return [(name, own[own.condition == name]) for name in COLOURS]


def clean_axes(axes: Axes) -> None:
    """Leave out the frame on the top and on the right."""
    axes.spines[["top", "right"]].set_visible(False)


def _save(run: Run, name: str, figure: Figure) -> Path:
    paths = [run.folder / "figures" / f"{name}.{suffix}" for suffix in ("pdf", "svg")]
    for path in paths:
        with written_whole(path) as temporary:
            # Without a date, the same run draws the same bytes.
            metadata = {"Date": None} if path.suffix == ".svg" else {"CreationDate": None}
            figure.savefig(temporary, metadata=metadata)
    return paths[-1]
