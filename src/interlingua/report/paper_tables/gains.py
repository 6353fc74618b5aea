"""Section 5: what steering adds to retrieval."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis.evidence import changes
from interlingua.analysis.published import published_values
from interlingua.analysis.schema import ORIGINAL, OVER_TARGETS, STEERED, groups
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import Runs, beside, paper_table, setting, tables_of


def gains(runs: Runs) -> Iterator[PaperTable]:
    """Section 5: what steering adds to retrieval with the target as query, over candidate languages."""
    rows = []
    for label, run, table in tables_of(runs, "retrieval"):
        pairs = table[table["query"] != table.candidate]
        if not (pairs.condition == ORIGINAL).any():
            continue
        edited = pairs[(pairs.condition != ORIGINAL) & (pairs["query"] == pairs.target)]
        for (condition, kind, k), rows_of_edit in groups(edited, OVER_TARGETS):
            gain = changes(pairs, rows_of_edit, ["query", "candidate"], "top1").change
            found = {"median": float(gain.median()), "max": float(gain.max())}
            row = {**setting(label, {"kind": kind, "k": k}), "condition": condition, "pairs": len(gain)}
            for name, value in found.items():
                metric = f"top1_gain_target_query_{name}" if condition == STEERED else ""
                paper = published_values(("text-5",), run.config.model, metric, kind, k)
                row |= beside(paper, "all_targets", {name: value}, condition="")
            rows.append(row | found | {"mean": float(gain.mean()), "better": float((gain > 0).mean())})
    columns = (
        Column("condition", "condition"), Column("pairs", "candidates", 0), Column("mean", "mean", 3, signed=True),
        Column("median", "median", 3, signed=True), Column("max", "largest", 3, signed=True),
        Column("better", "share that gain", 2),
    )  # fmt: skip
    yield paper_table(
        runs, "gains", "Gain of top-1 accuracy with the target as query (section 5)",
        "Over the candidate languages of all targets.", rows, columns, ("median", "max"),
    )  # fmt: skip
