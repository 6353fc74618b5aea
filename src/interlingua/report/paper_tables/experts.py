"""Section 3.2: the experts of each language, and how many two languages share."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis.published import published_values
from interlingua.report.layout import Column, PaperTable
from interlingua.report.looks import place
from interlingua.report.paper_tables.beside_paper import LANGUAGE, Runs, beside, paper_table, rows_of


def experts(runs: Runs) -> Iterator[PaperTable]:
    """Section 3.2: how well the experts tell their language from the others, and where they lie."""
    rows = []
    for run, row in rows_of(runs, "experts"):
        paper = published_values(("text-3.2",), run.config.model, "mean_auroc_top_k", "set-to-mean", row["k"])
        rows.append({**row, **beside(paper, "all_targets", {"mean_auroc": row["mean_auroc"]}, "")})
    rows.sort(key=lambda row: ([*runs].index(row["model"]), row["k"], place(row["language"])))
    kinds = [str(name) for name in (rows[0] if rows else {}) if str(name).startswith("share_")]
    columns = (
        LANGUAGE, Column("k", "k", 0), Column("mean_auroc", "mean AUROC", 3), Column("lowest_auroc", "lowest", 3),
        Column("above_chance", "neurons above chance", 0), Column("median_layer", "median layer", 0),
        *(Column(name, f"share in {name.removeprefix('share_')}", 2) for name in kinds),
    )  # fmt: skip
    yield paper_table(
        runs, "experts", "Experts of each language (section 3.2)",
        "AUROC of a neuron's pooled response as a classifier of the language. The paper's number is the mean over its "
        "targets.",
        rows, columns, ("mean_auroc",), with_setting=False,
    )  # fmt: skip


def overlaps(runs: Runs) -> Iterator[PaperTable]:
    """Section 3.2: how many experts two languages share."""
    rows = [row for _, row in rows_of(runs, "overlap_summary")]
    columns = (
        Column("k", "k", 0), Column("pairs", "pairs of languages", 0), Column("mean_share", "mean share", 4),
        Column("max_share", "largest share", 4), Column("chance", "by chance", 4),
    )  # fmt: skip
    yield paper_table(
        runs, "overlap", "Experts that two languages share (section 3.2)",
        "As a share of k. By chance: what k neurons drawn at random would share.",
        rows, columns, (), with_setting=False,
    )  # fmt: skip
