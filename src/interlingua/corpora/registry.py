"""The corpora known by name, and `load_corpus`, which takes a name or a path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlingua.corpora.folder import PROBE_SPLIT, has_splits, read_folder
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.starter import read_starter
from interlingua.errors import CorpusError


@dataclass(frozen=True)
class CorpusSource:
    """A corpus that has a name: how to read a split of it, and what a user should know."""

    read: Callable[[str], ParallelCorpus]
    licence: str
    description: str


CORPORA = {
    "starter": CorpusSource(
        read_starter,
        licence="Apache-2.0",
        description="23 languages, 100 sentences to probe and 100 to evaluate; bundled, for trying things out",
    ),
}


def load_corpus(
    name: str | Path,
    split: str = PROBE_SPLIT,
    *,
    languages: Sequence[str] | None = None,
    limit: int | None = None,
) -> ParallelCorpus:
    """Load one split of a parallel corpus, checked.

    Args:
        name: A registered name (`interlingua list corpora`), or the path of a folder that holds
            `<split>/<code>.txt` or `<code>.txt`.
        split: `dev` to find experts on, `devtest` to measure on, or another split that the folder has.
        languages: Keep these only; any code or name of a language.
        limit: Keep the first `limit` sentences of each language.

    Raises:
        CorpusError: There is no such corpus, or its text is empty, unreadable or not aligned.
        LanguageError: A language is unknown, or the corpus lacks it.

    Example:
        >>> corpus = load_corpus("starter", split="devtest", languages=["Spanish", "ja"])
        >>> corpus.languages, len(corpus)
        (('spa_Latn', 'jpn_Jpan'), 100)
    """
    if limit is not None and limit < 1:
        raise CorpusError(f"limit must be at least 1 sentence a language, not {limit}")
    source = CORPORA.get(str(name))
    if source is not None:
        corpus = source.read(split)
    elif Path(name).is_dir():
        corpus = read_folder(Path(name), split)
    else:
        raise CorpusError(
            f"there is no corpus and no folder '{name}'; registered corpora: {', '.join(CORPORA)}; a folder needs "
            "<split>/<code>.txt or <code>.txt"
        )
    if languages is not None:
        corpus = corpus.only(languages)
    return corpus.first(limit)


def is_halved(name: str | Path) -> bool:
    """Tell whether a corpus has no splits of its own, so that its halves are probe and evaluation."""
    return str(name) not in CORPORA and not has_splits(Path(name))
