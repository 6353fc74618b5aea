"""What a study found, in sentences."""

from __future__ import annotations

import pandas as pd

from interlingua.analysis import summary
from interlingua.analysis.schema import EDIT, ORIGINAL, RANDOM, STEERED
from interlingua.languages import language_name
from interlingua.study import Run

MOST_SENTENCES = 6
"""A grid with more edits is summed up."""


def answer(run: Run) -> list[str]:
    """Return what a study found, a sentence for each target and k."""
    table = summary(run.tables, run.config.targets)
    grid = run.tables.get("grid")
    if grid is not None and len(grid[["kind", "finder", "neurons"]].drop_duplicates()) > MOST_SENTENCES:
        return _of_grid(grid)
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


def _of_grid(grid: pd.DataFrame) -> list[str]:
    """Return which combination does most, by each outcome, beside random neurons and the original model."""
    combinations = len(grid[["kind", "finder", "neurons"]].drop_duplicates())
    sentences = [f"{combinations} combinations of kind, finder and site were compared."]
    for outcome, words in (
        ("share", "The most text in the target language"),
        ("forcing", "The most on prompts in other languages"),
        ("top1", "The highest mean top-1 of retrieval"),
    ):
        known = grid.dropna(subset=outcome)
        if len(known):
            row = known.sort_values(outcome, kind="stable").iloc[-1]
            edit = f"{row.kind}, {row.finder}, {row.neurons}, k = {row.k:,}, {language_name(row.target)}"
            random = row[f"{outcome}_random"]
            beside = "" if pd.isna(random) else f"; random neurons with its values {random:.3f}"
            before = row[f"{outcome}_original"]
            sentences.append(f"{words}, {row[outcome]:.3f} (originally {before:.3f}{beside}): {edit}.")
    return sentences
