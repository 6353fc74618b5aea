"""Table 7: retrieval in Tatoeba and BUCC."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interlingua.analysis.published import published_values
from interlingua.analysis.schema import EDIT, ORIGINAL, STEERED, groups
from interlingua.corpora import ENGLISH
from interlingua.report.layout import Column, PaperTable
from interlingua.report.looks import place
from interlingua.report.paper_tables.beside_paper import LANGUAGE, Runs, beside, paper_table, setting, tables_of


def bitexts(runs: Runs) -> Iterator[PaperTable]:
    """Table 7: retrieval between the target and English in Tatoeba and BUCC; with English as target, of all others."""
    rows = []
    for label, run, table in tables_of(runs, "bitext"):
        table = table.assign(corpus=[_corpus(name) for name in table.corpus])
        pair = ["corpus", "query", "candidate"]
        before = table[table.condition == ORIGINAL].set_index(pair).top1
        steered = table[(table.condition == STEERED) & (table.candidate == ENGLISH)]
        for row in _in_order(steered[steered["query"].eq(steered.target) | steered.target.eq(ENGLISH)]):
            edited = table[(table.target == row["target"]) & (table.kind == row["kind"]) & (table.k == row["k"])]
            after = edited[edited.condition == STEERED].set_index(pair).top1
            to_english = (row["corpus"], row["query"], ENGLISH)
            from_english = (row["corpus"], ENGLISH, row["query"])
            found = {"pre": before.get(to_english), "post": row["top1"]}
            metric = next((m for m in ("tatoeba", "bucc18") if row["corpus"].startswith(m[:4])), "")
            paper = published_values(("7",), run.config.model, f"{metric}_top1", row["kind"], row["k"])
            rows.append(
                {
                    **setting(label, row),
                    "corpus": row["corpus"],
                    "target": row["target"],
                    "language": row["query"],
                    "n": row["n"],
                    **found,
                    "back_pre": before.get(from_english),
                    "back_post": after.get(from_english),
                    **beside(paper, row["target"], found),
                }
            )
    columns = (
        Column("corpus", "corpus"), Column("target", "target", language=True), LANGUAGE, Column("n", "pairs", 0),
        Column("pre", "to English, pre", 3), Column("post", "to English, post", 3),
        Column("back_pre", "from English, pre", 3), Column("back_post", "from English, post", 3),
    )  # fmt: skip
    yield paper_table(
        runs,
        "table-7-bitext",
        "Retrieval between the target and English in bitext (table 7)",
        "Top-1 accuracy. To English: the query is in the other language; from English: the reverse. The paper does not "
        "say which it has; its numbers stand beside those to English.",
        rows,
        columns,
        ("pre", "post"),
    )


def _in_order(steered: pd.DataFrame) -> Iterator[dict]:
    """Yield the rows edit by edit, the languages of each in the order of the report."""
    for _, rows in groups(steered, ["corpus", *EDIT]):
        yield from sorted(rows.to_dict("records"), key=lambda row: place(row["query"]))


def _corpus(name: str) -> str:
    """Return a corpus's name where it was given as a folder."""
    return name.rstrip("/").rsplit("/", 1)[-1]
