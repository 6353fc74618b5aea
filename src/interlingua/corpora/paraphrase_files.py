"""Paraphrases in files: PAWS-X's table of labelled pairs, or two columns of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from interlingua.corpora.lines import read_fields
from interlingua.corpora.pairs import PairCorpus
from interlingua.errors import CorpusError

HEADER = ["id", "sentence1", "sentence2", "label"]
PLACEHOLDER = "NS"
"""What PAWS-X has for a sentence that was not translated."""


def read_paraphrases(path: Path, name: str, split: str, language: str) -> PairCorpus:
    """Read paraphrases of one language from a tab-separated file, without quoting.

    The file either has PAWS-X's header `id sentence1 sentence2 label`, or no header and two columns, one pair a line.

    Raises:
        CorpusError: It is neither, or cannot be read.
    """
    rows = read_fields(path)
    if rows[0] == HEADER:
        return from_labelled_rows((dict(zip(HEADER, row, strict=True)) for row in rows[1:]), name, split, language)
    if len(rows[0]) == 2:
        left, right = (tuple(row[side] for row in rows) for side in (0, 1))
        return PairCorpus(name, split, (language, language), left, right, tuple((i, i) for i in range(len(rows))))
    raise CorpusError(f"'{path}' needs the header {' '.join(HEADER)} (tab-separated), or two columns without a header")


def from_labelled_rows(rows: Iterable[Mapping[str, object]], name: str, split: str, language: str) -> PairCorpus:
    """Keep the pairs that mean the same and make retrieval unambiguous.

    Left out and counted, in this order: rows with the placeholder `NS` or without a sentence, rows whose label is not
    1, and rows whose `sentence1` or `sentence2` repeats that of an earlier row.

    Args:
        rows: Each with `sentence1`, `sentence2` and `label`.
        name: Of the corpus.
        split: Of the corpus.
        language: Of both sides.
    """
    dropped = {f"placeholder {PLACEHOLDER}": 0, "label other than 1": 0}
    left, right = [], []
    for row in rows:
        one, two = (str(row[key] or "").strip() for key in ("sentence1", "sentence2"))
        if {one, two} & {PLACEHOLDER, ""}:
            dropped[f"placeholder {PLACEHOLDER}"] += 1
        elif str(row["label"]).strip() != "1":
            dropped["label other than 1"] += 1
        else:
            left.append(one)
            right.append(two)
    gold = tuple((i, i) for i in range(len(left)))
    whole = PairCorpus(name, split, (language, language), tuple(left), tuple(right), gold, dropped)
    return whole.without_duplicates()
