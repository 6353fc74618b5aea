"""What became of each claim for each target alone, and over the targets."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interlingua.languages import language_name
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import Runs, paper_table, setting, tables_of

OVER = "over targets"


def verdicts(runs: Runs) -> Iterator[PaperTable]:
    """Verdicts of the claims, a column for each target, at the study's own k."""
    rows, targets = [], {}
    for label, run, by_target in tables_of(runs, "claims_by_target"):
        parts = [by_target, run.tables["claims"].assign(target=OVER)]
        table = pd.concat(parts, ignore_index=True)
        table = table[table.k.isna() | table.k.isin(run.config.all_k)]
        found: dict[tuple, dict] = {}
        for row in table.to_dict("records"):
            kind, k = (None if pd.isna(row[name]) else row[name] for name in ("kind", "k"))
            line = found.setdefault(
                (row["claim"], kind, k), {**setting(label, {"kind": kind, "k": k}), "claim": row["claim"]}
            )
            line[row["target"]] = row["verdict"]
            targets[row["target"]] = row["target"] if row["target"] == OVER else language_name(row["target"])
        rows.extend(found.values())
    columns = (Column("claim", "claim"), *(Column(target, heading) for target, heading in targets.items()))
    yield paper_table(
        runs, "verdicts", "Verdicts for each target",
        "By an interval over each target's own sentences, texts or languages, and over the targets as a sample.", rows,
        columns, (),
    )  # fmt: skip
