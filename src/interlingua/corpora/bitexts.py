"""What several corpora pair with English."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.registry import open_corpus
from interlingua.corpora.source import ENGLISH

logger = logging.getLogger(__name__)

Bitexts = Mapping[tuple[str, str], PairCorpus]
"""By the name of the corpus and the language that is paired with English."""


def load_bitexts(
    names: Sequence[str], languages: Sequence[str], limit: int | None = None, *, every_language: bool = False
) -> Bitexts:
    """Load what each corpus pairs with English.

    Args:
        names: Of corpora.
        languages: FLORES-200 codes.
        limit: Keep the first `limit` pairs of each.
        every_language: Whether a corpus must have every language; otherwise those that it lacks are left out.

    Raises:
        CorpusError: There is no such corpus, it pairs nothing with English, or its text is empty, unreadable or not
            aligned.
        LanguageError: A corpus lacks a language that it must have.
    """
    found = {}
    for name in names:
        source = open_corpus(name)
        paired = source.paired_with_english()
        if not paired:
            source.pairs()  # which says what is wrong, if anything is
        codes = [code for code in languages if every_language or code in paired]
        if not codes:
            logger.warning(f"no bitext: '{name}' pairs none of the languages that are measured with English")
        for code in codes:
            found[name, code] = source.pairs(code, ENGLISH, limit=limit)
    return found
