"""Which neurons, found how, changed how (after the paper's third limitation)."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis.grid import CHOICES, OUTCOMES
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import Runs, paper_table, rows_of

HEADINGS = {
    "share": "texts in the target",
    "forcing": "on other prompts",
    "log_perplexity": "log perplexity",
    "top1": "top-1",
    "distance": "distance",
}


def grids(runs: Runs) -> Iterator[PaperTable]:
    """Every combination of kind, finder and site, and what each choice explains."""
    rows = [{**row, "language": row["target"]} for _, row in rows_of(runs, "grid")]
    values = []
    for name in OUTCOMES:
        values += [Column(name, HEADINGS[name], 3), Column(f"{name}_random", "random", 3)]
    yield paper_table(
        runs, "grid", "Which neurons, found how, changed how",
        "Each with the mean over uniform draws of random neurons beside it. p: by rank of the gain of top-1 from other "
        "queries than the target among all draws.",
        rows,
        (Column("language", "target", language=True), *(Column(name, name, 0 if name == "k" else None)
         for name in CHOICES), *values, Column("p", "p", 2)), (), with_setting=False,
    )  # fmt: skip
    effects = [{**row, "outcome": HEADINGS[row["outcome"]]} for _, row in rows_of(runs, "main_effects")]
    yield paper_table(
        runs, "main-effects", "What each choice explains",
        "Share of the variance over the combinations (eta squared); interactions and noise make up what is left.",
        effects, (Column("outcome", "outcome"), Column("choice", "choice"), Column("levels", "levels", 0),
                  Column("share", "share", 2)), (), with_setting=False,
    )  # fmt: skip
