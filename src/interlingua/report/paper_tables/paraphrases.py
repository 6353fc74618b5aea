"""Tables 3, 5 and 6: paraphrase retrieval."""

from __future__ import annotations

from collections.abc import Iterator

from interlingua.analysis.published import published_values
from interlingua.analysis.schema import EDIT, MIXED, POST, PRE, groups
from interlingua.report.layout import Column, PaperTable
from interlingua.report.paper_tables.beside_paper import LANGUAGE, Runs, beside, paper_table, setting, tables_of


def paraphrases(runs: Runs) -> Iterator[PaperTable]:
    """Tables 3 and 5: paraphrase retrieval in the target's own language; table 6: the same on random neurons."""
    explained = (
        "Top-1 accuracy in the target language. Pre: query and candidates by the original model; post: both by the "
        "edited one; mixed: the query by the original, the candidates by the edited one."
    )
    for name, number, source, metric, subject in (
        ("table-3-5-paraphrases", ("3", "5"), "paraphrase", "paraphrase_top1", "experts (tables 3 and 5)"),
        ("table-6-paraphrases-random", ("6",), "paraphrase_random", "paraphrase_top1_random_neurons",
         "random neurons (table 6)"),
    ):  # fmt: skip
        rows = []
        for label, run, table in tables_of(runs, source):
            original = run.tables.get("paraphrase", table)
            pre = original[original.condition == PRE].set_index("language")
            in_target = table[(table.language == table.target) & table.condition.isin([POST, MIXED])]
            for (target, kind, k), both in groups(in_target, EDIT):
                values = both.set_index("condition").top1
                found = {"post": values.get("post"), "mixed": values.get("mixed")}
                if target in pre.index:
                    found = {"pre": pre.top1[target], **found}
                paper = published_values(number, run.config.model, metric, kind, k)
                rows.append(
                    {
                        **setting(label, {"kind": kind, "k": k}),
                        "language": target,
                        "n": both.n.iloc[0],
                        **found,
                        **beside(paper, target, found),
                    }
                )
        columns = (LANGUAGE, Column("n", "pairs", 0), *(Column(c, c, 3) for c in ("pre", "post", "mixed")))
        yield paper_table(
            runs, name, f"Paraphrase retrieval, intervention on {subject}", explained, rows, columns,
            ("pre", "post", "mixed"),
        )  # fmt: skip
