"""About how much work a cell is, told without a model: for the bar that says how far a study is."""

from __future__ import annotations

from interlingua.study.corpora import Corpora
from interlingua.study.plan import Cell

CHARACTERS_A_TOKEN = 4
GENERATED, SCORED = 16, 4
"""How many tokens are read in the time in which one is generated, or scored: on gemma-3-270m and two cores."""
WITHOUT_MODEL = 500
"""What a cell counts for that runs no model."""


def effort(cell: Cell, corpora: Corpora) -> int:
    """Return about how many tokens the model could read in the time that a cell takes."""
    if cell.measure == "texts":
        settings = cell.parameters
        return GENERATED * settings["texts"] * len(settings["seeds"]) * settings["max_new_tokens"]
    if cell.measure == "perplexity":
        available = corpora.texts[str(cell.language)].characters // CHARACTERS_A_TOKEN
        return SCORED * min(available, cell.parameters["tokens"] or available)
    read = {
        "experts": lambda: [line for code in corpora.probe.languages for line in corpora.probe[code]],
        "embeddings": lambda: [line for code in corpora.evaluation.languages for line in corpora.evaluation[code]],
        "paraphrase embeddings": lambda: [line for pair in corpora.paraphrases.values() for line in pair.left] * 2,
        "bitext embeddings": lambda: [line for pair in corpora.bitext.values() for line in pair.left] * 2,
    }
    lines = read[cell.measure]() if cell.measure in read else []
    return max(WITHOUT_MODEL, sum(map(len, lines)) // CHARACTERS_A_TOKEN)
