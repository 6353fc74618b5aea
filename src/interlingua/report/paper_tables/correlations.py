"""Table 2: how accuracy and distance go together."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis.published import published_values
from interlingua.analysis.schema import EDIT, STEERED, groups
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import LANGUAGE, Runs, beside, paper_table, setting, tables_of

CORRELATIONS = {
    "acc_post ~ d_post": ("r(acc post, d post)", "r(acc_post,d_post)"),
    "acc_pre ~ d_pre": ("r(acc pre, d pre)", "r(acc_pre,d_pre)"),
    "d_post ~ d_pre": ("r(d post, d pre)", "r(d_post,d_pre)"),
    "gain ~ d_pre - d_post": ("r(Δacc, d pre − d post)", "r(delta_acc,d_pre-d_post)"),
}
"""Correlations of `correlation`: their headings, and what the paper's numbers call them."""


def correlations(runs: Runs) -> Iterator[PaperTable]:
    """Table 2: how accuracy and distance go together over candidate languages."""
    rows = []
    for label, run, table in tables_of(runs, "correlation"):
        with_sets = table if "among" in table else table.assign(among="all")
        steered = with_sets[with_sets.condition == STEERED]
        for (target, kind, k, among), correlated in groups(steered, [*EDIT, "among"]):
            row = {**setting(label, {"kind": kind, "k": k}), "language": target, "among": among}
            for found in correlated.to_dict("records"):
                name, defined = found["correlation"], bool(found["defined"])
                metric = CORRELATIONS[name][1]
                # The paper's are over the languages that were seen in pre-training.
                of_seen = among == "seen" or not (steered.among == "seen").any()
                paper = published_values(("2",) if of_seen else (), run.config.model, metric, kind, k)
                row["candidates"] = found["candidates"]
                row[name] = found["r"] if defined else None
                row |= {f"{name} low": found["low"], f"{name} high": found["high"], f"{name} p": found["p"]}
                row |= beside(paper, target, {name: row[name]}, condition="")
            rows.append(row)
    values = [
        Column(name, heading, 2, interval=(f"{name} low", f"{name} high"), p=f"{name} p")
        for name, (heading, _) in CORRELATIONS.items()
    ]
    yield paper_table(
        runs,
        "table-2-correlations",
        "Correlations of top-1 accuracy with distance (table 2)",
        "Pearson's r over candidate languages, the target being the query, with bootstrapped intervals of 95 % and the "
        "p of no correlation: over all, and over those seen in pre-training where known, as the paper's are. Empty "
        "where a side is constant, so that r is not defined. acc: top-1 accuracy; d: mean cosine distance; pre and "
        "post: before and after the intervention.",
        rows,
        (LANGUAGE, Column("candidates", "candidates", 0), Column("among", "of those"), *values),
        tuple(CORRELATIONS),
    )
