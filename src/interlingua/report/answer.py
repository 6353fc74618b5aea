"""What a study found, in sentences."""

from __future__ import annotations

from interlingua.analysis import summary
from interlingua.analysis.schema import EDIT, ORIGINAL, RANDOM, STEERED
from interlingua.languages import language_name
from interlingua.study import Run


def answer(run: Run) -> list[str]:
    """Return what a study found, a sentence for each target and k."""
    table = summary(run.tables, run.config.targets)
    sentences = []
    for (target, kind, k), rows in table.groupby(EDIT, sort=False):
        original = table[(table.condition == ORIGINAL) & (table.target == target)]
        by_name = {row["condition"]: row for row in [*original.to_dict("records"), *rows.to_dict("records")]}
        if not {ORIGINAL, STEERED} <= set(by_name):
            continue
        before, steered, random = by_name[ORIGINAL], by_name[STEERED], by_name.get(RANDOM)
        edited = "set to their mean" if kind == "set-to-mean" else f"edited ({kind})"
        control = (
            f" With the same edits on random neurons they are {random['top1']:.3f} and {random['distance']:.2f}."
            if random
            else ""
        )
        sentences.append(
            f"With the top {k:,} {language_name(str(target))} experts {edited}, the mean top-1 of retrieval "
            f"is {steered['top1']:.3f} (originally {before['top1']:.3f}), and the mean distance between languages "
            f"{steered['distance']:.2f} (originally {before['distance']:.2f}).{control}"
        )
    return sentences
