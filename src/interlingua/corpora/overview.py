"""What there is to know of a corpus before using it: its languages, sizes, a sample and its warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.corpora import layouts, tables
from interlingua.corpora.checks import CorpusWarning
from interlingua.corpora.folder import EVALUATION_SPLIT, PROBE_SPLIT
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.registry import CORPORA, is_table, load_corpus, load_pairs, load_text
from interlingua.corpora.source import CorpusSource, Shape
from interlingua.corpora.text import TextCorpus
from interlingua.errors import CorpusError
from interlingua.languages import parse_languages

HUB_PARAGRAPHS = 100
"""How much of a streamed text is looked at where no limit is given."""


@dataclass(frozen=True)
class Part:
    """One split of a parallel corpus, one pair of languages, or the text of one language.

    Attributes:
        title: What it is.
        size: How much there is, in words.
        sample: Its first line, by language or side.
        warnings: What was found in it.
        fingerprint: The SHA-256 of its content.
    """

    title: str
    size: str
    sample: tuple[tuple[str, str], ...]
    warnings: tuple[CorpusWarning, ...]
    fingerprint: str


def facts(source: CorpusSource) -> list[tuple[str, str]]:
    """Return what is known of a named corpus without opening it, as names and values."""
    where = f"{source.repository} at {source.revision}" if source.repository else "in the package"
    known = [
        ("what", source.description),
        ("shape", ", ".join(source.shapes)),
        ("licence", source.licence),
        ("to cite", source.citation),
        ("source", f"{where} ({source.provenance})"),
        ("access", source.access),
        ("splits", ", ".join(source.splits)),
        ("languages", f"{len(source.languages)}: {', '.join(source.languages)}"),
        ("as a folder", source.layout),
    ]
    return [(name, value) for name, value in known if value]


def open_parts(
    name: str, *, split: str | None = None, languages: Sequence[str] = (), limit: int | None = None
) -> Iterator[Part]:
    """Open every part of a corpus, one after the other, and describe it.

    Args:
        name: A registered name, or a path.
        split: This split alone.
        languages: These languages alone.
        limit: The first lines, pairs or paragraphs of each part.

    Raises:
        CorpusError: There is no such corpus, or a part of it cannot be read.
        LanguageError: A language is unknown, or the corpus lacks it.
    """
    codes = parse_languages(languages)
    source = CORPORA.get(name)
    if source is not None:
        for shape in source.shapes:
            yield from _source_parts(source, shape, split, codes, limit)
    elif Path(name).is_dir():
        yield from _folder_parts(Path(name), split, codes, limit)
    elif Path(name).suffix == ".txt" and Path(name).is_file():
        yield from _texts(name, _said(name, codes), limit)
    else:
        yield from _table_parts(name, split, codes, limit)


def _source_parts(
    source: CorpusSource, shape: Shape, split: str | None, codes: Sequence[str], limit: int | None
) -> Iterator[Part]:
    languages = codes or source.default_languages(shape)
    if shape == "parallel":
        splits = [split] if split else source.splits
        yield from _parallel_splits(source.name, splits, languages, limit)
    elif shape == "pairs":
        for code in languages:
            yield _pair_part(load_pairs(source.name, code, split=split, limit=limit))
    else:
        yield from _texts(source.name, languages, limit or (HUB_PARAGRAPHS if source.repository else None))


def _folder_parts(folder: Path, split: str | None, codes: Sequence[str], limit: int | None) -> Iterator[Part]:
    shape = layouts.shape_of(folder)
    if shape == "parallel":
        splits = [split] if split else layouts.splits_of(folder) or (PROBE_SPLIT, EVALUATION_SPLIT)
        yield from _parallel_splits(str(folder), splits, codes, limit)
    elif shape == "pairs":
        for pair in layouts.pairs_of(folder):
            if not codes or set(codes) & set(pair):
                yield _pair_part(load_pairs(folder, *pair, split=split, limit=limit))
    else:
        yield from _texts(str(folder), codes or tuple(layouts.text_files(folder)), limit)


def _table_parts(name: str, split: str | None, codes: Sequence[str], limit: int | None) -> Iterator[Part]:
    columns = tables.read_columns(name)[1] if is_table(name) else {}
    if {"sentence1", "sentence2"} <= set(columns):
        yield _pair_part(load_pairs(name, *codes, split=split, limit=limit))
    elif "text" in columns and not tables.language_columns(columns):
        yield from _texts(name, _said(name, codes), limit)
    else:
        yield from _parallel_splits(name, [split] if split else (PROBE_SPLIT, EVALUATION_SPLIT), codes, limit)


def _said(name: str, codes: Sequence[str]) -> Sequence[str]:
    if not codes:
        raise CorpusError(f"'{name}' does not say its language; name it with --language")
    return codes


def _parallel_splits(name: str, splits: Sequence[str], codes: Sequence[str], limit: int | None) -> Iterator[Part]:
    for split in splits:
        yield _parallel_part(load_corpus(name, split, languages=codes or None, limit=limit))


def _texts(name: str, codes: Sequence[str], limit: int | None) -> Iterator[Part]:
    for code in codes:
        yield _text_part(load_text(name, code, limit=limit))


def _parallel_part(corpus: ParallelCorpus) -> Part:
    size = f"{_count(len(corpus.languages), 'language')} x {_count(len(corpus), 'sentence')}"
    sample = tuple((code, corpus[code][0]) for code in corpus.languages)
    return Part(f"split {corpus.split}", size, sample, corpus.warnings, corpus.fingerprint())


def _pair_part(corpus: PairCorpus) -> Part:
    paraphrases = len(set(corpus.languages)) == 1
    title = f"paraphrases {corpus.languages[0]}" if paraphrases else "-".join(corpus.languages)
    size = _count(len(corpus), "pair")
    if any(corpus.distractors):
        size += f" among {len(corpus.left):,} and {len(corpus.right):,} sentences"
    i, j = corpus.gold[0]
    sample = ((corpus.languages[0], corpus.left[i]), (corpus.languages[1], corpus.right[j]))
    return Part(title, size + _left_out(corpus), sample, corpus.warnings, corpus.fingerprint())


def _text_part(corpus: TextCorpus) -> Part:
    size = f"{_count(len(corpus), 'paragraph')}, {corpus.characters:,} characters{_left_out(corpus)}"
    sample = ((corpus.language, corpus.paragraphs[0]),)
    return Part(f"text {corpus.language}", size, sample, corpus.warnings, corpus.fingerprint())


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _left_out(corpus: PairCorpus | TextCorpus) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in corpus.dropped.items() if count)
    return f"; dropped: {reasons}" if reasons else ""
