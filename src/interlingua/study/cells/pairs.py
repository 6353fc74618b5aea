"""What is measured on pairs of sentences: paraphrases within a language, and bitext."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interlingua.analysis import schema
from interlingua.measures import bitext, paraphrase
from interlingua.study.cells.work import Work


def measure_paraphrases(work: Work) -> dict[str, pd.DataFrame]:
    """Measure retrieval of paraphrases: `pre` for the original model, `post` and `mixed` for an edited one."""
    by_condition = {schema.PRE: ("original", "original")}
    if "edited" in work.needs:
        by_condition = {schema.POST: ("edited", "edited"), schema.MIXED: ("original", "edited")}
    searches = [
        (condition, code, (work.needs[queries][f"{code}/left"], work.needs[candidates][f"{code}/right"]))
        for code in work.parameters["languages"]
        for condition, (queries, candidates) in by_condition.items()
    ]
    tables = [paraphrase({code: sides}).assign(condition=condition) for condition, code, sides in searches]
    table = pd.concat(tables, ignore_index=True)
    return {"paraphrase": table[["condition", *table.columns.drop("condition")]]}


def measure_bitext(work: Work) -> dict[str, pd.DataFrame]:
    """Measure retrieval from each language to English and back, for each corpus."""
    arrays: Mapping[str, np.ndarray] = work.needs["embeddings"]
    tables = []
    for number, ((name, code), corpus) in enumerate(work.corpora.bitext.items()):
        sides = (arrays[f"{number}/{code}/left"], arrays[f"{number}/{code}/right"])
        gold = {corpus.languages: np.array(corpus.gold)}
        table = bitext({corpus.languages: sides}, gold=gold)
        table.insert(0, "corpus", name)
        tables.append(table)
    return {"bitext": pd.concat(tables, ignore_index=True)}
