"""Figure 3 in numbers."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import LANGUAGE, SETTING, Runs, paper_table, rows_of


def sweeps(runs: Runs) -> Iterator[PaperTable]:
    """Figure 3 in numbers: text in the target language against perplexity, over k."""
    rows = [
        {**row, "language": row["target"], "rule": "picked" if row["picked"] else ""}
        for _, row in rows_of(runs, "sweep")
    ]
    columns = (
        LANGUAGE, *SETTING, Column("share", "share of texts", 3, error="share_se"),
        Column("posterior", "mean posterior", 3, error="posterior_se"),
        Column("log_perplexity", "log perplexity", 3, error="standard_error"),
        Column("rise", "rise", 2, signed=True), Column("rule", "rule"),
    )  # fmt: skip
    yield paper_table(
        runs, "figure-3-sweep", "Text in the target language and perplexity, over k (figure 3)",
        "k = 0 is the original model. Picked: the most text in the target language among the k whose log perplexity "
        "rises by no more than the study's bound.",
        rows, columns, (), with_setting=False,
    )  # fmt: skip
