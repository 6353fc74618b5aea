"""A corpus that can be opened: what it holds, and how it is read in each of its shapes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from interlingua.corpora.checks import require_limit
from interlingua.corpora.folder import PROBE_SPLIT
from interlingua.corpora.pairs import ONLY_SPLIT, PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.text import MIN_LENGTH, WHOLE_TEXT, TextCorpus
from interlingua.errors import CorpusError
from interlingua.languages import parse_language, parse_languages

Shape = Literal["parallel", "pairs", "text"]
ENGLISH = "eng_Latn"


class Source(ABC):
    """Where a corpus comes from: a name, a folder, a file or a data set; `open_corpus` finds the right one.

    Attributes:
        name: What it was asked for as.
        shapes: What it can be read as.
        splits: The splits of its parallel text.
        is_halved: Whether it has no splits, so that its halves serve as `dev` and `devtest`.
    """

    name: str
    splits: tuple[str, ...]

    @property
    @abstractmethod
    def shapes(self) -> tuple[Shape, ...]:
        """What it can be read as."""

    @property
    def is_halved(self) -> bool:
        """Whether it has no splits, so that its halves serve as `dev` and `devtest`."""
        return True

    def splits_in(self, shape: Shape) -> tuple[str, ...] | None:
        """Return the splits that it has in a shape; None where only its files say which, and their reader looks."""
        return {"parallel": self.splits, "pairs": (ONLY_SPLIT,), "text": (WHOLE_TEXT,)}[shape]

    def default_languages(self, shape: Shape) -> tuple[str, ...] | None:
        """Return the languages that are read in a shape where none are asked for; None where it does not say."""
        return None

    def pair_languages(self, codes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return what `pairs` takes, once for each pair that it has of some languages, or of all."""
        return (tuple(codes),)

    @abstractmethod
    def paired_with_english(self) -> frozenset[str]:
        """Return the languages that it pairs with English."""

    def parallel(
        self,
        split: str = PROBE_SPLIT,
        *,
        languages: Sequence[str] | None = None,
        limit: int | None = None,
        drop_duplicates: bool = False,
    ) -> ParallelCorpus:
        """Read one split of parallel text, checked.

        A corpus without splits is halved: the first half of its lines is the split `dev`, the second `devtest`.

        Args:
            split: `dev` to find experts on, `devtest` to measure on, or another split that the corpus has.
            languages: Keep these only; any code or name of a language. By default all of a local corpus, and the
                paper's 22 and Chinese of one on the Hub.
            limit: Keep the first `limit` sentences of each language.
            drop_duplicates: Leave out lines that repeat an earlier one in any language, in every language at once.

        Returns:
            Sentences by language, entry i the same in each; what was found when they were checked is in `warnings`.

        Raises:
            CorpusError: It is not parallel text, or its text is empty, unreadable or not aligned.
            LanguageError: A language is unknown, or the corpus lacks it.

        Example:
            >>> import interlingua as il
            >>> corpus = il.open_corpus("starter").parallel("devtest", languages=["Spanish", "ja"])
            >>> corpus.languages, len(corpus)
            (('spa_Latn', 'jpn_Jpan'), 100)
        """
        require_limit(limit)
        codes = parse_languages(languages) if languages is not None else None
        corpus = self._parallel(split, codes)
        if codes is not None:
            corpus = corpus.only(codes)
        if drop_duplicates:
            corpus = corpus.without_duplicates()
        return corpus.first(limit)

    def pairs(
        self, *languages: str, split: str | None = None, limit: int | None = None, drop_duplicates: bool = False
    ) -> PairCorpus:
        """Read bitext of two languages or paraphrases of one, checked.

        Args:
            *languages: One language for paraphrases, or for its pair with English; two for a pair, in the order of the
                sides; none where the corpus has one pair.
            split: By default `test`, or the only one of a folder; what has no splits is called `test`.
            limit: Keep the first `limit` pairs, and on each side as many distractors.
            drop_duplicates: Leave out pairs with a sentence that repeats an earlier one, and distractors. Of PAWS-X,
                repeats are always left out.

        Returns:
            Two sides and the gold pairs; what was left out is counted in `dropped`.

        Raises:
            CorpusError: It has no pairs, or not this split, or its text is empty, unreadable or not aligned.
            LanguageError: A language is unknown, or the corpus lacks the pair.

        Example:
            >>> import interlingua as il
            >>> paraphrases = il.open_corpus("starter").pairs("German")
            >>> len(paraphrases), paraphrases.languages
            (100, ('deu_Latn', 'deu_Latn'))
        """
        require_limit(limit)
        codes = tuple(parse_language(language) for language in languages)
        self._require_split("pairs", split)
        corpus = self._pairs(split, codes)
        if codes != corpus.languages == codes[::-1]:
            corpus = corpus.swapped()
        if drop_duplicates:
            corpus = corpus.without_duplicates()
        return corpus.first(limit)

    def text(
        self,
        language: str,
        *,
        split: str | None = None,
        limit: int | None = None,
        characters: int | None = None,
        min_length: int = MIN_LENGTH,
    ) -> TextCorpus:
        """Read running text of one language as paragraphs, checked.

        Args:
            language: Any code or name of a language.
            split: Of a `datasets.DatasetDict`, by default `train`; what has no splits is called `text`.
            limit: Read this many paragraphs at most.
            characters: Read no more paragraphs than reach this many characters. Of Wikipedia, which is streamed, 50
                million where neither bound is given.
            min_length: Leave out, and count, paragraphs of fewer characters.

        Returns:
            Paragraphs; those that were left out are counted in `dropped`.

        Raises:
            CorpusError: It is not running text, has not this split, or its text is empty or unreadable.
            LanguageError: The language is unknown, or the corpus lacks it.

        Example:
            >>> import interlingua as il
            >>> text = il.open_corpus("starter").text("ja")
            >>> len(text), text.language, len(il.open_corpus("starter").text("ja", limit=3))
            (20, 'jpn_Jpan', 3)
        """
        require_limit(limit)
        require_limit(characters)
        self._require_split("text", split)
        return self._text(parse_language(language), split, limit, characters, min_length)

    def _require_split(self, shape: Shape, split: str | None) -> None:
        known = self.splits_in(shape)
        if split is not None and known is not None and split not in known:
            what = {"parallel": "of parallel text", "pairs": "of pairs", "text": "of running text"}[shape]
            raise CorpusError(f"corpus '{self.name}' has no split '{split}' {what}; it has {', '.join(known)}")

    @abstractmethod
    def _parallel(self, split: str, codes: tuple[str, ...] | None) -> ParallelCorpus: ...

    @abstractmethod
    def _pairs(self, split: str | None, codes: tuple[str, ...]) -> PairCorpus: ...

    @abstractmethod
    def _text(
        self, code: str, split: str | None, limit: int | None, characters: int | None, min_length: int
    ) -> TextCorpus: ...
