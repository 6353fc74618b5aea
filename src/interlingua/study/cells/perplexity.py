"""Perplexity of running text in a language, in one condition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from interlingua.measures import perplexity
from interlingua.models import LanguageModel
from interlingua.models.quiet import quiet_transformers
from interlingua.study.cells.work import Work


def measure_perplexity(work: Work) -> dict[str, pd.DataFrame]:
    """Measure log perplexity under a sliding window: a table of one row."""
    language, settings = str(work.cell.language), work.parameters
    paragraphs = first_tokens(work.model, work.corpora.texts[language].paragraphs, settings["tokens"])
    with work.in_condition():
        result = perplexity(
            work.model,
            "\n".join(paragraphs),
            stride=settings["stride"],
            max_length=settings["window"],
        )
    row = {"language": language, **vars(result)}
    return {"perplexity": pd.DataFrame([row])}


def first_tokens(model: LanguageModel, paragraphs: Sequence[str], tokens: int | None) -> Sequence[str]:
    """Return the first paragraphs, no more than reach so many tokens; None takes all."""
    if tokens is None:
        return paragraphs
    with quiet_transformers():
        encoded = model.tokenizer(list(paragraphs), add_special_tokens=False)["input_ids"]
    reached = np.cumsum([len(ids) for ids in encoded])
    return paragraphs[: int(np.searchsorted(reached, tokens)) + 1]
