"""Section 4 tested: is the edited space a new one, or do its languages land where the target was?"""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis.schema import CONTROL
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import SETTING, Runs, paper_table, rows_of


def landing(runs: Runs) -> Iterator[PaperTable]:
    """Where edited languages lie among the original ones; further draws of random neurons row by row."""
    rows = []
    for _, row in rows_of(runs, "landing"):
        drawn = f"{row['match']} {row['draw']:.0f}" if row["condition"] == CONTROL else row["condition"]
        at_target = f"{row['at_target']} of {row['languages']}"
        rows.append({**row, "language": row["target"], "shown": drawn, "landed": at_target})
    columns = (
        Column("shown", "condition"), Column("language", "target", language=True), *SETTING,
        Column("landed", "nearest to the old target"), Column("distance_before", "distance to it, before", 3),
        Column("distance", "after", 3), Column("target_moved", "target itself", 3),
        Column("top1_before", "top-1 among its sentences, before", 3), Column("top1", "after", 3),
    )  # fmt: skip
    yield paper_table(
        runs, "landing", "Where languages land in the original space (section 4)",
        "Means of the edited model's languages among the original means: how many are nearest to the target's old "
        "place, and the mean cosine distance to it. Top-1: edited queries among the target's original sentences.",
        rows, columns, (), with_setting=False,
    )  # fmt: skip
