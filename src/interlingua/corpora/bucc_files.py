"""The files of BUCC's shared task: two comparable texts, and which of their sentences translate each other."""

from __future__ import annotations

import re
from pathlib import Path

from interlingua.corpora.folder import shown
from interlingua.corpora.lines import read_fields
from interlingua.corpora.pairs import PairCorpus
from interlingua.errors import CorpusError
from interlingua.languages import parse_language

GOLD_FILE = re.compile(r"(?P<left>[A-Za-z_]+)-(?P<right>[A-Za-z_]+)\.(?P<split>\w+)\.gold(?P<suffix>\.tsv)?")


def gold_files(folder: Path) -> dict[tuple[str, str], dict[str, Path]]:
    """Return a folder's gold files: for each pair of languages, by split."""
    found: dict[tuple[str, str], dict[str, Path]] = {}
    for path in shown(folder.glob("*.gold*")):
        if match := GOLD_FILE.fullmatch(path.name):
            pair = parse_language(match["left"]), parse_language(match["right"])
            found.setdefault(pair, {})[match["split"]] = path
    return found


def read_gold_file(gold_path: Path, name: str) -> PairCorpus:
    """Read the shared task's files: `zh-en.dev.gold`, and beside it `zh-en.dev.zh` and `zh-en.dev.en`.

    Each line of a text is an identifier, a tab and a sentence, each line of the gold file two identifiers. All three
    may end in `.tsv`.

    Raises:
        CorpusError: A file is absent or malformed, or the gold names an identifier that its text lacks.
    """
    match = GOLD_FILE.fullmatch(gold_path.name)
    if match is None:
        raise CorpusError(f"'{gold_path}' is not named as in BUCC: it needs a name such as zh-en.dev.gold")
    texts = [_read_text(_beside(gold_path, match, match[side])) for side in ("left", "right")]
    numbers = [{identifier: i for i, identifier in enumerate(text)} for text in texts]
    gold = []
    for line, row in enumerate(read_fields(gold_path), start=1):
        if len(row) != 2 or row[0] not in numbers[0] or row[1] not in numbers[1]:
            raise CorpusError(
                f"'{gold_path}' line {line}: {' '.join(row)!r} is not a pair of identifiers of the two texts"
            )
        gold.append((numbers[0][row[0]], numbers[1][row[1]]))
    languages = parse_language(match["left"]), parse_language(match["right"])
    left, right = (tuple(text.values()) for text in texts)
    return PairCorpus(name, match["split"], languages, left, right, tuple(gold))


def _beside(gold_path: Path, match: re.Match[str], side: str) -> Path:
    return gold_path.with_name(f"{match['left']}-{match['right']}.{match['split']}.{side}{match['suffix'] or ''}")


def _read_text(path: Path) -> dict[str, str]:
    text: dict[str, str] = {}
    for line, row in enumerate(read_fields(path), start=1):
        if len(row) != 2:
            raise CorpusError(f"'{path}' line {line} must be an identifier, a tab and a sentence")
        if row[0] in text:
            raise CorpusError(f"'{path}' line {line}: the identifier {row[0]} appears twice")
        text[row[0]] = row[1]
    return text
