"""Free generation in one condition, and the languages of what came."""

from __future__ import annotations

import pandas as pd

from interlingua.measures import generate_seeds, identify, language_shares
from interlingua.study.cells.work import Work


def generate_texts(work: Work) -> dict[str, pd.DataFrame]:
    """Sample texts from the start token alone: one row a text."""
    settings = dict(work.parameters)
    settings.pop("model")
    with work.in_condition():
        texts = generate_seeds(
            work.model, settings.pop("texts"), settings.pop("seeds"), progress=work.progress, **settings
        )
    return {"generated": texts}


def measure_languages(work: Work) -> dict[str, pd.DataFrame]:
    """Identify the texts' languages: the share of each language asked for, and the texts with theirs."""
    texts = work.needs["texts"]["generated"]
    identified = identify(list(texts.text), work.parameters["identifier"], progress=work.progress)
    return {
        "generation": language_shares(identified, work.parameters["languages"]),
        "texts": texts.join(identified.table()),
    }
