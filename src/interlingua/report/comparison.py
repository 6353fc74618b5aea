"""What a comparison found: one sentence, and a page with tables as CSV and two figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from interlingua.alignment import Comparison
from interlingua.alignment.beside import THE_MAP
from interlingua.alignment.embedded_probe import NONE
from interlingua.files import write_json, written_whole
from interlingua.markdown import markdown_frame
from interlingua.report.figures import require_matplotlib, save_figure
from interlingua.report.figures.growth import growth_figure
from interlingua.report.figures.layers import is_plain, layers_figure
from interlingua.report.names import heading_of_encoders
from interlingua.report.table_files import no_formulas


def answer(comparison: Comparison) -> str:
    """Return what is best in one sentence, with its numbers."""
    ranking = comparison.tables["ranking"].set_index("candidate")
    best, raw = ranking.loc[str(comparison.chosen)], ranking.loc[str(comparison.raw)]
    probe = comparison.made_from["probe"]
    layers = ranking[(ranking.method == "identity") & is_plain(comparison, ranking) & (ranking.scoring == "cosine")]
    inner = layers.sort_values("held_out").iloc[-1]
    tokens = ", with all tokens as in the paper," if raw.special_tokens != inner.special_tokens else ""
    language = "needs each sentence's language" if best.per_language else "needs no language at run time"
    return (
        f"Fitted on {probe['sentences']:,} sentences in {len(probe['languages'])} languages, {comparison.chosen} finds "
        f"{_with_interval(best)} of translations among those of the evaluation split and {language}; the last layer as "
        f"it is{tokens} finds {_with_interval(raw)}, and layer {inner.layers}, the best as it is, "
        f"{_with_interval(inner)}."
    )


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
            no_formulas(table).to_csv(temporary, index=False, float_format="%.6g")
    for name, figure in {"layers": layers_figure(comparison), "growth": growth_figure(comparison)}.items():
        save_figure(figure, folder, name)
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
        markdown_frame(tables["groups"].pivot(index="group", columns="candidate", values="top1").reset_index()),
        "## How much of the probe is needed",
        markdown_frame(_spread(tables["sentences"], ["sentences"])),
        "![Top-1 by the probe's sentences, and by its languages](growth.svg)",
    ]
    if "languages" in tables:
        parts += [
            "Languages of the probe drawn at random; pairs of languages in the probe, and pairs of which neither is:",
            markdown_frame(_spread(tables["languages"], ["languages", "group"])),
        ]
    if "edits" in tables:
        parts += ["## Interventions", _edits(comparison)]
    parts += [
        f"## {heading_of_encoders(tables['encoders'])}",
        "Looked at is what was taken from the text that is judged on, without labels: nothing, each language's mean, "
        "or pairs that the map found by itself. Where there are trained encoders, behind is how far one is behind the "
        "map that looked at the same, on the same sentences, with a paired interval.",
        markdown_frame(_beside(tables["encoders"])),
    ]
    if "bitext" in tables:
        means = tables["bitext"].groupby(["corpus", "candidate"], sort=False).top1.mean().reset_index()
        parts += ["## Bitext, mean over languages, to English and back", markdown_frame(means)]
    return "\n\n".join(parts) + "\n"


def _ranking(table: pd.DataFrame) -> str:
    shown = table.assign(
        candidate=[
            f"{name} (chosen)" if chosen else name for name, chosen in zip(table.candidate, table.chosen, strict=True)
        ],
        top1=[_with_interval(row) for row in table.itertuples()],
    )
    return markdown_frame(shown[["candidate", "held_out", "top1"]])


def _beside(table: pd.DataFrame) -> pd.DataFrame:
    behind = [
        ""
        if row["encoder"] == THE_MAP or pd.isna(row["behind"])
        else f"{row['behind']:.4f} [{row['behind_low']:.4f}, {row['behind_high']:.4f}]"
        for row in table.to_dict("records")
    ]
    shown = table.assign(top1=[_with_interval(row) for row in table.itertuples()], behind=behind)
    return shown[["corpus", "encoder", "looked_at", "scoring", "top1", *(["behind"] if any(behind) else [])]]


def _edits(comparison: Comparison) -> str:
    """Say what the screening of interventions found: the best layer of each, raw and behind the map."""
    table, grid = comparison.tables["edits"], comparison.made_from["settings"]["edits"]
    best = table[table.scoring == "cosine"].groupby(["edit", "method"]).top1.max().unstack()
    order = best.sort_values(best.columns[-1], ascending=False).index
    first = [NONE, *(name for name in order if name != NONE)]
    return (
        f"Each by its best layer, held out, on {grid['sentences']} sentences and up to {grid['languages']} languages "
        "of the probe; experts were found on other sentences of it.\n\n" + markdown_frame(best.loc[first].reset_index())
    )


def _spread(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    return table.groupby(list(keys), sort=False).top1.agg(["mean", "min", "max", "count"]).reset_index()


def _with_interval(row: Any) -> str:
    return f"{row.top1:.4f} [{row.low:.4f}, {row.high:.4f}]"
