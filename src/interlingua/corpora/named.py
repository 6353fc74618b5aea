"""A corpus that has a name, described as data in the manner of mteb's task metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from interlingua.corpora.folder import EVALUATION_SPLIT, PROBE_SPLIT, halved
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.source import ENGLISH, Shape, Source
from interlingua.corpora.text import TextCorpus
from interlingua.errors import CorpusError, LanguageError

_TITLES: dict[Shape, str] = {
    "parallel": "a multi-parallel corpus",
    "pairs": "a corpus of pairs",
    "text": "running text",
}


@dataclass(frozen=True)
class NamedSource(Source):
    """A corpus that has a name: where it is, whose it is, and how to read it.

    Attributes:
        name: What it is asked for as.
        description: What it is, in a line.
        licence: The terms of its text.
        citation: The publication to cite.
        languages: The FLORES-200 codes that it has.
        splits: Its names of its parts.
        repository: The data set on the Hugging Face Hub; `None` for what comes with the package.
        revision: The commit that is read, so that the text never changes.
        provenance: Where `revision` and the schema were taken from, and what is not certain.
        access: What a user must do before it can be downloaded, if anything.
        layout: The files that a folder needs to be read in its stead.
        names: What it calls a language (a column, a configuration, a value), where that is not the FLORES-200 code.
        by_default: For each shape, the languages that are read where none are asked for: all may be a long download.
        read_parallel: Reads a split, and these languages, as a `ParallelCorpus`.
        read_pairs: Reads a split, and these languages (none: the only pair there is), as a `PairCorpus`.
        read_text: Reads a language, up to a number of paragraphs or characters, with a minimum length.
        pair_split: The split that pairs are read from where none is asked for.
    """

    name: str  # ty: ignore[incompatible-attribute-override]
    description: str
    licence: str
    citation: str
    languages: tuple[str, ...]
    splits: tuple[str, ...]  # ty: ignore[incompatible-attribute-override]
    repository: str | None = None
    revision: str | None = None
    provenance: str = ""
    access: str = ""
    layout: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    by_default: Mapping[Shape, tuple[str, ...]] = field(default_factory=dict)
    read_parallel: Callable[[NamedSource, str, Sequence[str]], ParallelCorpus] | None = None
    read_pairs: Callable[[NamedSource, str, Sequence[str]], PairCorpus] | None = None
    read_text: Callable[[NamedSource, str, int | None, int | None, int], TextCorpus] | None = None
    pair_split: str = "test"

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What it can be read as."""
        readers: dict[Shape, object] = {
            "parallel": self.read_parallel,
            "pairs": self.read_pairs,
            "text": self.read_text,
        }
        return tuple(shape for shape, reader in readers.items() if reader is not None)

    @property
    def is_halved(self) -> bool:
        """Whether it lacks the splits `dev` and `devtest`, so that its halves take their place."""
        return not {PROBE_SPLIT, EVALUATION_SPLIT} <= set(self.splits)

    def splits_in(self, shape: Shape) -> tuple[str, ...] | None:
        """Return the splits that it has in a shape: `splits` are those of its parallel text, or of its only shape."""
        if shape not in self.shapes:
            return None
        if self.shapes == (shape,) and self.splits:
            return self.splits
        return (self.pair_split,) if shape == "pairs" else super().splits_in(shape)

    def default_languages(self, shape: Shape) -> tuple[str, ...]:
        """Return the languages that are read in a shape where none are asked for."""
        return self.by_default.get(shape, self.languages)

    def pair_languages(self, codes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return each language that it has pairs of, paraphrases or with English."""
        return tuple((code,) for code in codes or self.default_languages("pairs"))

    def paired_with_english(self) -> frozenset[str]:
        """Return the languages that it pairs with English."""
        return frozenset(self.languages) - {ENGLISH}

    def name_of(self, code: str) -> str:
        """Return what it calls a language.

        Raises:
            LanguageError: It lacks the language.
        """
        if code not in self.languages:
            raise LanguageError(f"corpus '{self.name}' has no {code}; it has {', '.join(self.languages)}")
        return self.names.get(code, code)

    def require_split(self, split: str) -> str:
        """Return the split if the corpus has it.

        Raises:
            CorpusError: It does not.
        """
        if split not in self.splits:
            raise CorpusError(f"corpus '{self.name}' has no split '{split}'; it has {', '.join(self.splits)}")
        return split

    def _parallel(self, split: str, codes: tuple[str, ...] | None) -> ParallelCorpus:
        if self.read_parallel is None:
            raise self._not_a("parallel")
        wanted = codes or self.default_languages("parallel")
        if len(self.splits) > 1 or split in self.splits:
            return self.read_parallel(self, split, wanted)
        return halved(self.read_parallel(self, self.splits[0], wanted), split)

    def _pairs(self, split: str | None, codes: tuple[str, ...]) -> PairCorpus:
        if self.read_pairs is None:
            raise self._not_a("pairs")
        return self.read_pairs(self, split or self.pair_split, codes)

    def _text(
        self, code: str, split: str | None, limit: int | None, characters: int | None, min_length: int
    ) -> TextCorpus:
        if self.read_text is None:
            raise self._not_a("text")
        return self.read_text(self, code, limit, characters, min_length)

    def _not_a(self, shape: Shape) -> CorpusError:
        usable = ", ".join(f".{other}()" for other in self.shapes)
        return CorpusError(f"corpus '{self.name}' is not {_TITLES[shape]}; read it with {usable}")
