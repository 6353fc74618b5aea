"""Running text in files: a paragraph a line, empty lines between them or not."""

from __future__ import annotations

from pathlib import Path

from interlingua.corpora.lines import read_text
from interlingua.corpora.text import WHOLE_TEXT, ParagraphFilter, TextCorpus, first_paragraphs


def read_text_corpus(
    path: Path, name: str, language: str, limit: int | None, characters: int | None, min_length: int
) -> TextCorpus:
    """Read the paragraphs of a text file; those under `min_length` characters are left out and counted.

    Raises:
        CorpusError: It cannot be read, is not UTF-8, or has no paragraph that is long enough.
    """
    kept = ParagraphFilter(min_length)
    paragraphs = first_paragraphs(kept.paragraphs([read_text(path)]), limit, characters)
    return TextCorpus(name, WHOLE_TEXT, language, paragraphs, kept.counts)
