"""Section 5: what steering adds to retrieval."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis import gains as gains_of
from interlingua.analysis.evidence import records
from interlingua.analysis.published import published_values
from interlingua.analysis.schema import STEERED
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import Runs, beside, paper_table, setting, tables_of


def gains(runs: Runs) -> Iterator[PaperTable]:
    """Section 5: what steering adds to retrieval with the target as query, over candidate languages."""
    rows = []
    for label, run, table in tables_of(runs, "retrieval"):
        for found in records(gains_of(table)):
            row = {**setting(label, found), "condition": found["condition"]}
            for name in ("median", "max"):
                metric = f"top1_gain_target_query_{name}" if found["condition"] == STEERED else ""
                paper = published_values(("text-5",), run.config.model, metric, found["kind"], found["k"])
                row |= beside(paper, "all_targets", {name: found[name]}, condition="")
            rows.append(row | {name: found[name] for name in ("pairs", "median", "max", "mean", "better")})
    columns = (
        Column("condition", "condition"), Column("pairs", "candidates", 0), Column("mean", "mean", 3, signed=True),
        Column("median", "median", 3, signed=True), Column("max", "largest", 3, signed=True),
        Column("better", "share that gain", 2),
    )  # fmt: skip
    yield paper_table(
        runs, "gains", "Gain of top-1 accuracy with the target as query (section 5)",
        "Over the candidate languages of all targets.", rows, columns, ("median", "max"),
    )  # fmt: skip
