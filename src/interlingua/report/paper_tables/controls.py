"""Experts beside draws of random neurons (after section 7)."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import SETTING, Runs, paper_table, rows_of


def controls(runs: Runs) -> Iterator[PaperTable]:
    """Section 7, with more than one draw: each effect of experts, and its place among random neurons."""
    rows = [{**row, "language": row["target"]} for _, row in rows_of(runs, "controls")]
    columns = (
        Column("language", "target", language=True), *SETTING, Column("effect", "effect"),
        Column("match", "random neurons"), Column("experts", "experts", 3, signed=True),
        Column("mean", "draws, mean", 3, signed=True), Column("lowest", "lowest", 3, signed=True),
        Column("highest", "highest", 3, signed=True), Column("draws", "draws", 0), Column("p", "p", 3),
    )  # fmt: skip
    yield paper_table(
        runs, "controls", "Experts beside draws of random neurons (section 7)",
        "Mean changes of top-1 accuracy and of cosine distance. Random neurons: drawn uniformly, as many in each "
        "layer, or each set to its own mean on the target. p, by rank: (1 + draws at least as good) / (draws + 1); n "
        "draws give none below 1 / (n + 1).",
        rows, columns, (), with_setting=False,
    )  # fmt: skip
