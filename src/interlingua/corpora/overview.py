"""What there is to know of a corpus before using it: its languages, sizes, a sample and its warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from interlingua.corpora.checks import CorpusWarning
from interlingua.corpora.named import NamedSource
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.source import Source
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


def facts(source: Source) -> list[tuple[str, str]]:
    """Return what is known of a corpus without opening it, as names and values: nothing unless it is a named one."""
    if not isinstance(source, NamedSource):
        return []
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
    source: Source, *, split: str | None = None, languages: Sequence[str] = (), limit: int | None = None
) -> Iterator[Part]:
    """Open every part of a corpus, one after the other, and describe it.

    Args:
        source: What `open_corpus` returned.
        split: This split alone.
        languages: These languages alone.
        limit: The first lines, pairs or paragraphs of each part.

    Raises:
        CorpusError: A part of it cannot be read.
        LanguageError: A language is unknown, or the corpus lacks it.
    """
    codes = parse_languages(languages)
    having = [shape for shape in source.shapes if split is None or split in (source.splits_in(shape) or [split])]
    for shape in having or source.shapes:
        if shape == "parallel":
            for name in [split] if split else source.splits:
                yield _parallel_part(source.parallel(name, languages=codes or None, limit=limit))
        elif shape == "pairs":
            for pair in source.pair_languages(codes):
                yield _pair_part(source.pairs(*pair, split=split, limit=limit))
        else:
            for code in codes or _text_languages(source):
                yield _text_part(source.text(code, split=split, limit=limit or _at_first(source)))


def _text_languages(source: Source) -> Sequence[str]:
    codes = source.default_languages("text")
    if codes is None:
        raise CorpusError(f"'{source.name}' does not say its language; name it with --language")
    return codes


def _at_first(source: Source) -> int | None:
    """Return how much of a text is looked at where no limit is given: all, if it need not be downloaded."""
    return HUB_PARAGRAPHS if isinstance(source, NamedSource) and source.repository else None


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
