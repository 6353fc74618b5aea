"""The measures of a study, each a function from what a cell needs to its result. A new one is a function and a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from interlingua.study.cells.embeddings import embed_all
from interlingua.study.cells.experts import describe_experts, record_experts
from interlingua.study.cells.pairs import measure_bitext, measure_paraphrases
from interlingua.study.cells.perplexity import measure_perplexity
from interlingua.study.cells.spaces import (
    measure_correlation,
    measure_cross_space,
    measure_geometry,
    measure_retrieval,
    measure_space,
    project,
)
from interlingua.study.cells.texts import continue_prompts, generate_texts, measure_forcing, measure_languages
from interlingua.study.cells.work import Work

EXPERTS: Mapping[str, Callable[[Work, Path, Path], None]] = {"experts": record_experts}
"""Saves experts in a folder; another folder is for the responses that they are found from."""

ARRAYS: Mapping[str, Callable[[Work], dict[str, np.ndarray]]] = {
    "embeddings": embed_all,
    "paraphrase embeddings": embed_all,
    "bitext embeddings": embed_all,
}
"""Each returns arrays by name."""

TABLES: Mapping[str, Callable[[Work], dict[str, pd.DataFrame]]] = {
    "expert statistics": describe_experts,
    "retrieval": measure_retrieval,
    "space": measure_space,
    "geometry": measure_geometry,
    "cross space": measure_cross_space,
    "correlation": measure_correlation,
    "projection": project,
    "paraphrase": measure_paraphrases,
    "bitext": measure_bitext,
    "texts": generate_texts,
    "generation": measure_languages,
    "continuations": continue_prompts,
    "forcing": measure_forcing,
    "perplexity": measure_perplexity,
}
"""Each returns tidy tables by name."""

__all__ = ["ARRAYS", "EXPERTS", "TABLES", "Work"]
