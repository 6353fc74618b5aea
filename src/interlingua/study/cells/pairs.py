"""What is measured on pairs of sentences: paraphrases within a language, and bitext."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interlingua.analysis import schema
from interlingua.measures.bitext import bitext_table, find_bitext
from interlingua.measures.hits import hits_table
from interlingua.measures.paraphrase import find_paraphrases, paraphrase_table
from interlingua.study.cells.work import Work


def measure_paraphrases(work: Work) -> dict[str, pd.DataFrame]:
    """Measure retrieval of paraphrases: `pre` for the original model, `post` and `mixed` for an edited one."""
    by_condition = {schema.PRE: ("original", "original")}
    if "edited" in work.needs:
        by_condition = {schema.POST: ("edited", "edited"), schema.MIXED: ("original", "edited")}
    found: dict[str, list[pd.DataFrame]] = {"paraphrase": [], "paraphrase_hits": []}
    for code in work.parameters["languages"]:
        for condition, (queries, candidates) in by_condition.items():
            sides = (work.needs[queries][f"{code}/left"], work.needs[candidates][f"{code}/right"])
            answers = find_paraphrases({code: sides})
            hits = hits_table({(code, "paraphrase"): answers[code]}).rename(columns={"query": "language"})
            found["paraphrase"].append(paraphrase_table(answers).assign(condition=condition))
            found["paraphrase_hits"].append(hits.drop(columns="candidate").assign(condition=condition))
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in found.items()}
    return {name: table[["condition", *table.columns.drop("condition")]] for name, table in tables.items()}


def measure_bitext(work: Work) -> dict[str, pd.DataFrame]:
    """Measure retrieval from each language to English and back, for each corpus."""
    arrays: Mapping[str, np.ndarray] = work.needs["embeddings"]
    tables: dict[str, list[pd.DataFrame]] = {"bitext": [], "bitext_hits": []}
    for number, ((name, code), corpus) in enumerate(work.corpora.bitext.items()):
        sides = (arrays[f"{number}/{code}/left"], arrays[f"{number}/{code}/right"])
        gold = {corpus.languages: np.array(corpus.gold)}
        answers = find_bitext({corpus.languages: sides}, gold=gold)
        for title, table in (("bitext", bitext_table(answers)), ("bitext_hits", hits_table(answers))):
            table.insert(0, "corpus", name)
            tables[title].append(table)
    return {title: pd.concat(parts, ignore_index=True) for title, parts in tables.items()}
