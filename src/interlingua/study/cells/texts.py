"""Free generation in one condition, and the languages of its texts."""

from __future__ import annotations

import warnings

import pandas as pd

from interlingua.languages import language_name
from interlingua.measures import generate_seeds, identify, language_shares
from interlingua.study.cells.work import Work


def generate_texts(work: Work) -> dict[str, pd.DataFrame]:
    """Sample texts from the start token alone: one row a text."""
    settings = dict(work.parameters)
    settings.pop("model")
    with work.in_condition():
        texts = generate_seeds(work.model, settings.pop("texts"), settings.pop("seeds"), **settings)
    return {"generated": texts}


def measure_languages(work: Work) -> dict[str, pd.DataFrame]:
    """Identify the texts' languages: the share of each language asked for, and the texts with theirs.

    A language that the identifier does not know has no share, and a warning says so.
    """
    texts = work.needs["texts"]["generated"]
    identified = identify(list(texts.text), work.parameters["identifier"])
    tables = {"texts": texts.join(identified.table())}
    known = [code for code in work.parameters["languages"] if code in identified.languages]
    if unknown := [language_name(code) for code in work.parameters["languages"] if code not in known]:
        warnings.warn(f"{identified.identifier} does not know {', '.join(unknown)}, so no share is known", stacklevel=2)
    return {**tables, "generation": language_shares(identified, known)} if known else tables
