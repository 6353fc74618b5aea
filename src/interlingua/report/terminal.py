"""What a person sees in a terminal: small tables that fit 80 columns, and what was found in a sentence."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from interlingua.analysis import behaviour, summary
from interlingua.analysis.schema import groups
from interlingua.languages import language_name, short_code
from interlingua.models.neurons import module_name
from interlingua.report.answer import answer
from interlingua.report.names import condition_name, heading_of_encoders

if TYPE_CHECKING:
    from interlingua.alignment import Comparison
    from interlingua.experts import Experts
    from interlingua.study import Estimate, Run
    from interlingua.study.cell_store import Record

WIDEST_MATRIX = 10
LONGEST_RANKING = 12


def study_summary(run: Run) -> RenderableType:
    """Return a finished study's conditions with their figures, the answer below them, and what became of the claims."""
    headings = ("k", "top-1\nall", "top-1\nquery", "dist.\nall", "dist.\ntarget", "medoid\ntarget", "medoid\nothers")
    table = _table(f"\n{run.config.model} on {run.config.corpus}", ("condition", "target"), headings)
    for row in summary(run.tables, run.config.targets).to_dict("records"):
        shares = [f"{row[column]:.3f}" for column in ("top1", "top1_from_target")]
        columns = ("distance", "distance_to_target", "medoid_target", "medoid_others")
        distances = [f"{row[column]:.2f}" for column in columns]
        name = condition_name(run.config, row["condition"], row["kind"])
        table.add_row(name, language_name(row["target"]), f"{row['k']:,}", *shares, *distances)
    parts: list[RenderableType] = [table] if table.row_count else []
    return Group(*parts, *_behaviour(run), *(Text(sentence) for sentence in answer(run)), *_claims(run))


def _behaviour(run: Run) -> list[RenderableType]:
    """Return what the conditions write, how they read, and whether paraphrases are kept, if that was measured."""
    rows = behaviour(run.tables, run.config.targets)
    columns = {
        "share": ("share of\ntexts", 3),
        "log_perplexity": ("log per-\nplexity", 2),
        "paraphrase": ("para-\nphrases", 3),
        "mixed": ("\nmixed", 3),
    }
    shown = {name: column for name, column in columns.items() if rows[name].notna().any()}
    if not shown:
        return []
    table = _table("", ("condition", "target"), ("k", *(heading for heading, _ in shown.values())))
    for row in rows.to_dict("records"):
        values = ["" if row[name] != row[name] else f"{row[name]:.{digits}f}" for name, (_, digits) in shown.items()]
        name = condition_name(run.config, row["condition"], row["kind"])
        table.add_row(name, language_name(row["target"]), f"{row['k']:,}", *values)
    return [table, Text("")]


def _claims(run: Run) -> list[RenderableType]:
    """Return the paper's claims by verdict, in a line each."""
    if "claims" not in run.tables:
        return []

    def at_k(name: str) -> pd.DataFrame:
        table = run.tables[name]
        return table[table.k.isna() | table.k.isin(run.config.all_k)]  # the sweep's are in the report

    parts: list[RenderableType] = [Text("\nThe paper's claims, each with its numbers in the report:")]
    if "claims_by_target" in run.tables:
        for (target,), rows in groups(at_k("claims_by_target"), ["target"]):
            parts.append(Text(f"  {language_name(str(target))}: {_by_verdict(rows, '; ')}"))
        parts.append(Text("  over targets as a sample of languages:"))
    return [*parts, Text(f"  {_by_verdict(at_k('claims'), chr(10) + '  ')}")]


def _by_verdict(claims: pd.DataFrame, separator: str) -> str:
    return separator.join(f"{verdict}: {', '.join(rows.claim.unique())}" for verdict, rows in claims.groupby("verdict"))


def files_summary(page: Path) -> RenderableType:
    """Return where a report is: the page with its size, and how many files lie beside it."""
    parts = [f"\nReport: {page} ({page.stat().st_size / 2**20:.1f} MiB, opens in a browser without a network)"]
    for name in ("tables", "figures"):
        if count := len(list((page.parent / name).glob("[!.]*"))):
            parts.append(f"  {page.parent / name}: {count} files")
    return Text("\n".join(parts))


def cells_summary(states: list[tuple[str, Record]]) -> RenderableType:
    """Return how many cells of a study are in each state, and those that are not simply done or waiting."""
    counts = Counter(state for state, _ in states)
    listed = ", ".join(f"{count} {state}" for state, count in counts.items())
    parts: list[RenderableType] = [Text(f"{len(states)} cells: {listed}")]
    now = time.time()
    for state, record in states:
        if state in ("running", "stopped"):
            parts.append(Text(f"  {state}: {record.name}, begun {now - record.started:.0f} s ago on {record.host}"))
        elif state == "failed":
            parts.append(Text(f"  failed: {record.name}: {record.error}"))
    return Group(*parts)


def estimate_summary(estimate: Estimate) -> RenderableType:
    """Return the cells of a study that was not started, and what it needs in all."""
    table = _table(f"\nCells of the study in {estimate.folder}", ("cell", ""), ("tokens", "seconds"))
    for cell, cost, done in estimate.cells:
        tokens = f"{cost.tokens:,}" if cost.tokens else ""
        seconds = f"{estimate.speed.seconds(cost):.0f}" if cost.tokens and not done else ""
        table.add_row(cell.name, "done" if done else "", tokens, seconds)
    costs = estimate.to_do
    if not costs:
        return Group(table, Text(f"\nNothing to do: all {len(estimate.cells)} cells are done"))
    several = f" by one worker, {_duration(estimate.seconds_together)} by {estimate.workers}"
    together = several if estimate.workers > 1 else ""
    lines = [
        f"\n{len(costs)} of {len(estimate.cells)} cells to compute: {sum(cost.tokens for cost in costs):,} tokens, "
        f"about {_duration(estimate.seconds)} on this machine{together}, and a little more for what needs no model.",
        f"Disk: {_size(sum(cost.disk for cost in costs))}. Memory: {_size(estimate.model_bytes)} for the weights, and "
        f"{_size(estimate.response_bytes)} for the responses while experts are found, on disk where they do not fit.",
        "Nothing was started.",
    ]
    return Group(table, *(Text(line) for line in lines))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _size(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def experts_summary(experts: Experts, k: int) -> RenderableType:
    """Return how good each language's top k experts are, where they lie, the best of them, and how many are shared."""
    headings = ("mean\nAUROC", "lowest\nAUROC", "average\nprecision", "selec-\ntivity", "median\nlayer")
    table = _table(f"\nTop {k:,} experts of each language", ("language",), headings)
    table.add_column("best neuron", no_wrap=True)
    for row in experts.summary(k).to_dict("records"):
        best = experts.table(row["language"], 1).iloc[0]
        scores = ("mean_auroc", "lowest_auroc", "mean_average_precision", "mean_selectivity")
        table.add_row(
            language_name(row["language"]),
            *(f"{row[score]:.3f}" for score in scores),
            f"{row['median_layer']:g}",
            f"{best.layer}.{module_name(best)}.{best.unit}",
        )
    return Group(table, _shared(experts, k))


def _shared(experts: Experts, k: int) -> RenderableType:
    """Return how many experts languages share: as a matrix where it fits, else the pairs that share most."""
    if len(experts.languages) > WIDEST_MATRIX:
        table = _table(f"\nMost shared among the top {k:,}", ("language", "other"), ("shared",))
        for pair in experts.overlap(k).nlargest(WIDEST_MATRIX, "shared").to_dict("records"):
            table.add_row(language_name(pair["language"]), language_name(pair["other"]), f"{pair['shared']:,}")
        return table
    matrix = experts.overlap_matrix(k)
    table = _table(f"\nShared among the top {k:,}", ("language",), tuple(short_code(code) for code in matrix.columns))
    for code, row in matrix.iterrows():
        cells = ["" if code == other else f"{shared:,}" for other, shared in row.items()]
        table.add_row(language_name(str(code)), *cells)
    return table


def comparison_summary(comparison: Comparison) -> RenderableType:
    """Return the best of a comparison's ranking, what was chosen and the last layer as it is."""
    ranking = comparison.tables["ranking"]
    shown = ranking.head(LONGEST_RANKING).index.union(
        ranking.index[ranking.candidate.isin([str(comparison.chosen), str(comparison.raw)])]
    )
    table = _table("\nTop-1, judged on the evaluation split once", ("", "candidate"), ("held\nout", "top-1", "95 %"))
    table.columns[1].no_wrap = False
    for row in ranking.loc[shown].to_dict("records"):
        numbers = (f"{row['held_out']:.3f}", f"{row['top1']:.3f}", f"{row['low']:.3f}-{row['high']:.3f}")
        table.add_row("*" if row["chosen"] else "", row["candidate"], *numbers)
    return Group(table, Text("* chosen inside the probe, by held out"), *_beside(comparison.tables["encoders"]))


def _beside(encoders: pd.DataFrame) -> list[Table]:
    """Return the map and trained encoders, a table a corpus; what was looked at of its text is said."""
    tables = []
    for corpus, rows in encoders.groupby("corpus", sort=False):
        scores = rows.pivot(index=["encoder", "looked_at"], columns="scoring", values="top1")
        title = f"\n{heading_of_encoders(encoders)}: top-1 on {Path(str(corpus)).name}"
        table = _table(title, ("encoder", "looked at"), tuple(scores.columns))
        for encoder, looked_at in dict.fromkeys(zip(rows.encoder, rows.looked_at, strict=True)):
            table.add_row(encoder, looked_at, *(f"{value:.3f}" for value in scores.loc[encoder, looked_at]))
        tables.append(table)
    return tables


def languages_summary(shares: pd.DataFrame, identifier: str) -> Table:
    """Return how many texts are in each language, by both readings of the paper's probability."""
    table = _table(f"\nLanguages by {identifier}", ("language",), ("share", "mean\nposterior"))
    for row in shares.to_dict("records"):
        table.add_row(language_name(row["language"]), f"{row['share']:.3f}", f"{row['posterior']:.3f}")
    return table


def _table(title: str, names: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name != "condition")  # of a grid it is long
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
