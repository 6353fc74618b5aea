"""Table 1: distances between languages, to the medoid and to the target."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis.published import published_values
from interlingua.analysis.schema import ORIGINAL, RANDOM, STEERED
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import Runs, beside, paper_table, setting, tables_of

DISTANCES = {
    "target_to_medoid": ("target", "to medoid", "target", "distance_to_medoid"),
    "distance_all": ("all languages", "between all", "non_target", "distance_all"),
    "others_to_medoid": ("other languages", "to medoid", "non_target", "distance_to_medoid"),
    "distance_to_target": ("other languages", "to target", "non_target", "distance_to_target"),
}
"""Measures of `geometry_summary`: of which languages, which distance, and what the paper's numbers call the two."""


def distances(runs: Runs) -> Iterator[PaperTable]:
    """Table 1: distances between languages, to the medoid and to the target, before and after."""
    rows = []
    for label, run, table in tables_of(runs, "geometry_summary"):
        before = table[table.condition == ORIGINAL].set_index("measure")
        random = table[table.condition == RANDOM].set_index(["kind", "k", "measure"])
        for row in table[table.condition == STEERED].to_dict("records"):
            if row["measure"] not in DISTANCES:
                continue
            who, what, group, metric = DISTANCES[row["measure"]]
            paper = published_values(("1",), run.config.model, metric, row["kind"], row["k"])
            drawn = random.reindex([(row["kind"], row["k"], row["measure"])]).iloc[0]
            rows.append(
                {
                    **setting(label, row),
                    "language": who,
                    "distance": what,
                    "pre": before["mean"][row["measure"]],
                    "pre_error": before.standard_error[row["measure"]],
                    "post": row["mean"],
                    "post_error": row["standard_error"],
                    "random": drawn["mean"],
                    "random_error": drawn.standard_error,
                    "targets": row["targets"],
                    **beside(paper, group, {"pre": before["mean"][row["measure"]], "post": row["mean"]}),
                }
            )
    values = (Column(name, name, 2, error=f"{name}_error") for name in ("pre", "post", "random"))
    yield paper_table(
        runs,
        "table-1-distances",
        "Cosine distances between languages (table 1)",
        "Means over the targets of the intervention, with standard errors where there are several.",
        rows,
        (Column("language", "of"), Column("distance", "distance"), *values),
        ("pre", "post"),
    )
