"""What is measured on pairs of sentences: paraphrases within a language, and bitext."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from interlingua.measures import bitext, paraphrase
from interlingua.study.cells.work import Work


def measure_paraphrases(work: Work) -> dict[str, pd.DataFrame]:
    """Measure retrieval of paraphrases: `pre` for the original model, `post` and `mixed` for an edited one."""
    original, edited = (_pairs_of(work, name) for name in ("original", "edited"))
    table = paraphrase(original or {}, edited)
    if edited is not None:
        table = table[table.condition != "pre"]
    return {"paraphrase": table.reset_index(drop=True)}


def _pairs_of(work: Work, name: str) -> dict[str, tuple[np.ndarray, np.ndarray]] | None:
    """Return, for each language, the embeddings of sentences and paraphrases of one model."""
    if name not in work.needs:
        return None
    arrays: Mapping[str, np.ndarray] = work.needs[name]
    return {code: (arrays[f"{code}/left"], arrays[f"{code}/right"]) for code in work.parameters["languages"]}


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
