"""What a comparison found: one sentence, tables as CSV and Markdown, and two figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from interlingua.alignment import Comparison
from interlingua.alignment.embedded_probe import NONE
from interlingua.files import write_json, written_whole
from interlingua.report.figures import require_matplotlib
from interlingua.report.figures.style import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, and a marker each, so that lines are told apart without colour too.
STYLES = {
    "identity": ("#7f7f7f", "o"),
    "centring": ("#56b4e9", "s"),
    "language-directions": ("#cc79a7", "^"),
    "whitening": ("#e69f00", "v"),
    "wccn": ("#0072b2", "D"),
    "procrustes": ("#009e73", "x"),
}
NAMES = {
    "identity": "as it is",
    "language-directions": "language directions",
    "wccn": "WCCN",
    "procrustes": "Procrustes",
}
GROUPS = {"all": ("#7f7f7f", "o"), "in the probe": ("#0072b2", "D"), "absent": ("#e69f00", "v")}


def answer(comparison: Comparison) -> str:
    """Return what is best in one sentence, with its numbers."""
    ranking = comparison.tables["ranking"].set_index("candidate")
    best, raw = ranking.loc[str(comparison.chosen)], ranking.loc[str(comparison.raw)]
    probe = comparison.made_from["probe"]
    layers = ranking[(ranking.method == "identity") & _is_plain(comparison, ranking) & (ranking.scoring == "cosine")]
    inner = layers.sort_values("held_out").iloc[-1]
    tokens = ", with all tokens as in the paper," if raw.special_tokens != inner.special_tokens else ""
    language = "needs each sentence's language" if best.per_language else "needs no language at run time"
    return (
        f"Fitted on {probe['sentences']:,} sentences in {len(probe['languages'])} languages, {comparison.chosen} finds "
        f"{_with_interval(best)} of translations among those of the evaluation split and {language}; the last layer as "
        f"it is{tokens} finds {_with_interval(raw)}, and layer {inner.layers}, the best as it is, "
        f"{_with_interval(inner)}."
    )


def _is_plain(comparison: Comparison, table: pd.DataFrame) -> pd.Series:
    """Tell which rows have no intervention, and the tokens that the comparison counts."""
    counted = comparison.made_from["settings"]["special_tokens"]
    return (table.edit == NONE) & (table.special_tokens == counted)


def write_comparison(comparison: Comparison, folder: str | Path) -> Path:
    """Write `comparison.md`, a CSV file a table, `manifest.json`, and `layers` and `growth` as SVG and PDF.

    Returns:
        The path of `comparison.md`.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    require_matplotlib()
    folder = Path(folder)
    for name, table in comparison.tables.items():
        with written_whole(folder / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g")
    for name, figure in {"layers": layers_figure(comparison), "growth": growth_figure(comparison)}.items():
        for suffix, metadata in (("svg", {"Date": None}), ("pdf", {"CreationDate": None})):
            with written_whole(folder / f"{name}.{suffix}") as temporary:
                figure.savefig(temporary, metadata=metadata)
    write_json(folder / "manifest.json", {**comparison.made_from, "chosen": str(comparison.chosen)})
    with written_whole(folder / "comparison.md") as temporary:
        temporary.write_text(as_markdown(comparison), encoding="utf-8")
    return folder / "comparison.md"


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison as a page."""
    made, tables = comparison.made_from, comparison.tables
    probe, evaluation = made["probe"], made["evaluation"]
    parts = [
        f"# Aligning {made['model']}",
        answer(comparison),
        f"Probe: {probe['sentences']:,} sentences ({probe['split']}) in {', '.join(probe['languages'])}. Everything "
        f"was fitted and chosen on it, by cross-validation inside it in {made['settings']['folds']} folds of sentences "
        f"(held out). Evaluation: {evaluation['sentences']:,} other sentences ({evaluation['split']}), read once, "
        "after the choice. Numbers are top-1 accuracy, the mean over ordered pairs of languages; intervals of 95 % are "
        "bootstraps over sentences. The choice is by held out, whichever does best on the evaluation split.",
        "## Ranking",
        _ranking(tables["ranking"]),
        "![Held-out top-1 by layer, a line a method](layers.svg)",
        "## Languages as query, and groups of languages",
        _markdown(tables["groups"].pivot(index="group", columns="candidate", values="top1").reset_index()),
        "## How much of the probe is needed",
        _markdown(_spread(tables["sentences"], ["sentences"])),
        "![Top-1 by the probe's sentences, and by its languages](growth.svg)",
    ]
    if "languages" in tables:
        parts += [
            "Languages of the probe drawn at random; pairs of languages in the probe, and pairs of which neither is:",
            _markdown(_spread(tables["languages"], ["languages", "group"])),
        ]
    if "edits" in tables:
        parts += ["## Interventions", _edits(comparison)]
    if "bitext" in tables:
        means = tables["bitext"].groupby(["corpus", "candidate"], sort=False).top1.mean().reset_index()
        parts += ["## Bitext, mean over languages, to English and back", _markdown(means)]
    return "\n\n".join(parts) + "\n"


def _ranking(table: pd.DataFrame) -> str:
    shown = table.assign(
        candidate=[
            f"**{name}**" if chosen else name for name, chosen in zip(table.candidate, table.chosen, strict=True)
        ],
        top1=[_with_interval(row) for row in table.itertuples()],
    )
    return _markdown(shown[["candidate", "held_out", "top1"]])


def _edits(comparison: Comparison) -> str:
    """Say what the screening of interventions found: the best layer of each, raw and behind the map."""
    table, grid = comparison.tables["edits"], comparison.made_from["settings"]["edits"]
    best = table[table.scoring == "cosine"].groupby(["edit", "method"]).top1.max().unstack()
    order = best.sort_values(best.columns[-1], ascending=False).index
    first = [NONE, *(name for name in order if name != NONE)]
    return (
        f"Each by its best layer, held out, on {grid['sentences']} sentences and up to {grid['languages']} languages "
        "of the probe; experts were found on other sentences of it.\n\n" + _markdown(best.loc[first].reset_index())
    )


def _spread(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    return table.groupby(list(keys), sort=False).top1.agg(["mean", "min", "max", "count"]).reset_index()


def layers_figure(comparison: Comparison) -> Figure:
    """Draw held-out top-1 by layer, one line a method: its best mean and shrinkage in each layer, by cosine.

    Where special tokens are left out, a broken line has the layers as the paper reads them, with all tokens.
    """
    from matplotlib.figure import Figure

    table = comparison.tables["candidates"]
    table = table[(table.edit == NONE) & (table.scoring == "cosine") & ~table.layers.str.contains("+", regex=False)]
    plain = _is_plain(comparison, table)
    single, as_in_paper = table[plain], table[~plain]
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    if len(as_in_paper):
        colour, marker = STYLES["identity"]
        own = _best_by_layer(as_in_paper)
        axes.plot(own.index, own, "--", color=colour, marker=marker, markersize=4, label="as it is,\nall tokens")
    for method, (colour, marker) in STYLES.items():
        own = _best_by_layer(single[single.method == method])
        if len(own):
            axes.plot(own.index, own, color=colour, marker=marker, markersize=4, label=NAMES.get(method, method))
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


def growth_figure(comparison: Comparison) -> Figure:
    """Draw top-1 in the evaluation split by the probe's sentences, and by its languages where that was measured."""
    from matplotlib.figure import Figure

    parts = [("sentences", None)] + ([("languages", "group")] if "languages" in comparison.tables else [])
    figure = Figure(figsize=(3.6 * len(parts), 2.9), layout="constrained")
    for axes, (name, group) in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        table = comparison.tables[name]
        for key, (colour, marker) in GROUPS.items() if group else {"": ("#0072b2", "D")}.items():
            own = (table[table[group] == key] if group else table).groupby(name).top1.agg(["mean", "min", "max"])
            if len(own):
                axes.plot(own.index, own["mean"], color=colour, marker=marker, markersize=4, label=key or None)
                axes.fill_between(own.index, own["min"], own["max"], color=colour, alpha=0.2, linewidth=0)
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


def _with_interval(row: Any) -> str:
    return f"{row.top1:.4f} [{row.low:.4f}, {row.high:.4f}]"


def _markdown(table: pd.DataFrame) -> str:
    cells = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
