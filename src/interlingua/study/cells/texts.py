"""Free generation in one condition, and the languages of its texts."""

from __future__ import annotations

import warnings

import pandas as pd

from interlingua.languages import language_name
from interlingua.measures import generate, generate_seeds, identify, language_shares
from interlingua.study.cells.work import Work


def generate_texts(work: Work) -> dict[str, pd.DataFrame]:
    """Sample texts from the start token alone: one row a text."""
    settings = dict(work.parameters)
    settings.pop("model")
    with work.in_condition():
        texts = generate_seeds(work.model, settings.pop("texts"), settings.pop("seeds"), **settings)
    return {"generated": texts}


def continue_prompts(work: Work) -> dict[str, pd.DataFrame]:
    """Continue every prompt once: one row a continuation, with the language of its prompt."""
    settings = {name: value for name, value in work.parameters.items() if name not in ("model", "prompts")}
    prompts = [(code, text) for code in work.parameters["prompts"] for text in work.corpora.prompts[code].paragraphs]
    with work.in_condition():
        texts = generate(work.model, prompts=[text for _, text in prompts], **settings)
    return {"continued": pd.DataFrame({"prompt": [code for code, _ in prompts], "text": texts})}


def measure_forcing(work: Work) -> dict[str, pd.DataFrame]:
    """Identify the continuations: by language of the prompt the share in each language asked for, and in the prompt's.

    The share in the target's language on prompts of others is the forcing rate (Gurgurov et al. 2025).
    """
    continued = work.needs["continuations"]["continued"]
    identified = identify(list(continued.text), work.parameters["identifier"])
    found = identified.table().language
    rows = []
    for language in work.parameters["languages"]:
        for prompt, of_prompt in found.groupby(continued.prompt, sort=False):
            shares = float((of_prompt == language).mean()), float((of_prompt == prompt).mean())
            rows.append((language, prompt, len(of_prompt), *shares))
    return {"forcing": pd.DataFrame(rows, columns=["language", "prompt", "n", "share", "kept"])}


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
