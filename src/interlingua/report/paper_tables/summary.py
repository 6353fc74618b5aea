"""Every condition with its main figures."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interlingua.analysis import behaviour, summary
from interlingua.analysis.schema import KEYS, ORDER
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import SETTING, Runs, paper_table


def overview(runs: Runs) -> Iterator[PaperTable]:
    """Every condition with its main figures."""
    rows = []
    for label, run in runs.items():
        measured = run.tables, run.config.targets
        both = summary(*measured).merge(behaviour(*measured), on=KEYS, how="outer", sort=False)
        order = {target: i for i, target in enumerate(run.config.targets)}
        places = {"target": order, "condition": {condition: i for i, condition in enumerate(ORDER)}}
        both = both.sort_values(
            list(places), key=lambda names, of=places: names.map(of[str(names.name)]), kind="stable"
        )
        rows.extend({"model": label, **row, "language": row["target"]} for row in both.to_dict("records"))
    columns = (
        Column("condition", "condition"), Column("language", "target", language=True), *SETTING,
        Column("top1", "top-1, all pairs", 3), Column("top1_from_target", "top-1, target as query", 3),
        Column("distance", "distance, all", 2), Column("distance_to_target", "distance to target", 2),
        Column("share", "share of texts in target", 3), Column("log_perplexity", "log perplexity", 2),
        Column("paraphrase", "paraphrases", 3), Column("mixed", "mixed", 3),
    )  # fmt: skip
    yield paper_table(
        runs, "summary", "Summary",
        "Top-1: the share of sentences whose nearest neighbour in the other language, by cosine similarity, is their "
        "translation. Distances are cosine distances. Random: the experts' values, set on as many neurons drawn from "
        "the whole network; distances may shrink under it as much, but retrieval must not gain.",
        rows, [column for column in columns if any(not pd.isna(row.get(column.name)) for row in rows)], (),
        with_setting=False,
    )  # fmt: skip
