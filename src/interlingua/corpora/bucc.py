"""BUCC 2018: two texts of comparable content, and which of their sentences are translations of each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from interlingua.corpora.checks import require_text
from interlingua.corpora.hub import read_table
from interlingua.corpora.lines import read_fields
from interlingua.corpora.mteb_bitext import ENGLISH, other_than_english, read_bitext
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.source import CorpusSource
from interlingua.errors import CorpusError
from interlingua.languages import parse_language

CONFIGURATION_OF = {parse_language(code): f"{code}-en" for code in ("de", "fr", "ru", "zh")}
GOLD_FILE = re.compile(r"(?P<left>[A-Za-z_]+)-(?P<right>[A-Za-z_]+)\.(?P<split>\w+)\.gold(?P<suffix>\.tsv)?")


def read_pairs(source: CorpusSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read the two texts of one language and English, distractors included, and the gold pairs."""
    source.require_split(split)
    language = other_than_english(source, languages)
    columns = ["sentence1", "sentence2", "gold"]
    row = read_table(source, CONFIGURATION_OF[language], split, columns).slice(0, 1).to_pylist()[0]
    left, right = (require_text(f"{source.name}, {column}", row[column]) for column in columns[:2])
    gold = tuple((i - 1, j - 1) for i, j in row["gold"])  # counted from 1 there
    return PairCorpus(source.name, split, (language, ENGLISH), left, right, gold)


def read_gold_pairs(source: CorpusSource, split: str, languages: Sequence[str]) -> PairCorpus:
    """Read the gold pairs of one language and English, without distractors."""
    return read_bitext(source, split, languages, CONFIGURATION_OF)


def gold_files(folder: Path) -> dict[tuple[str, str], dict[str, Path]]:
    """Return a folder's gold files: for each pair of languages, by split."""
    found: dict[tuple[str, str], dict[str, Path]] = {}
    for path in sorted(folder.glob("*.gold*")):
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
                f"'{gold_path}' line {line}: {' '.join(row)!r} is no pair of identifiers of the two texts"
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
            raise CorpusError(f"'{path}' line {line}: the identifier {row[0]} is there twice")
        text[row[0]] = row[1]
    return text


_CITATION = "Zweigenbaum, Sharoff and Rapp, Overview of the Third BUCC Shared Task, BUCC 2018"
_LICENCE = "not stated by the task; made from Wikipedia (CC BY-SA) and News Commentary, take it as for research"

BUCC2018 = CorpusSource(
    name="bucc2018",
    description="BUCC 2018: German, French, Russian and Chinese with English, 35,000 gold pairs among distractors",
    licence=_LICENCE,
    citation=_CITATION,
    languages=(*CONFIGURATION_OF, ENGLISH),
    splits=("test",),
    repository="mteb/BUCC",
    revision="414572247440f0ccacf7eb0bb70a31533a0e5443",
    provenance="mteb 2.26.24 pins this revision, Parquet; 12 to 86 MB a pair",
    layout="<a>-<b>.<split>.gold, .<a> and .<b>, each perhaps with .tsv, as the shared task has them",
    by_default={"pairs": ("zho_Hans",)},
    read_pairs=read_pairs,
)

BUCC2018_GOLD = CorpusSource(
    name="bucc2018-gold",
    description="BUCC 2018, its 35,000 gold pairs alone",
    licence=_LICENCE,
    citation=_CITATION,
    languages=BUCC2018.languages,
    splits=("test",),
    repository="mteb/bucc-bitext-mining",
    revision="1739dc11ffe9b7bfccd7f3d585aeb4c544fc6677",
    provenance="mteb 2.26.24 pins this revision, and reads it as one table with the column lang; JSON lines, 3 MB",
    layout="<a>-<b>.<a>.txt and <a>-<b>.<b>.txt, line i the same sentence in both",
    by_default={"pairs": tuple(CONFIGURATION_OF)},
    read_pairs=read_gold_pairs,
)
