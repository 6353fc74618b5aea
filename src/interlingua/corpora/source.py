"""What is known of a corpus that has a name, as data, in the manner of mteb's task metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.text import TextCorpus
from interlingua.errors import CorpusError, LanguageError

Shape = Literal["parallel", "pairs", "text"]


@dataclass(frozen=True)
class CorpusSource:
    """A corpus that has a name: where it is, whose it is, and how to read it.

    Attributes:
        name: What it is asked for as.
        description: What it is, in a line.
        licence: The terms of its text.
        citation: The publication to cite.
        languages: The FLORES-200 codes that it has.
        splits: Its own names of its parts.
        repository: The data set on the Hugging Face Hub; `None` for what comes with the package.
        revision: The commit that is read, so that the text never changes.
        provenance: Where `revision` and the schema were taken from, and what is not certain.
        access: What a user must do before it can be downloaded, if anything.
        layout: The files that a folder needs to be read in its stead.
        by_default: For each shape, the languages that are read where none are asked for: all may be a long download.
        read_parallel: Reads a split, and these languages, as a `ParallelCorpus`.
        read_pairs: Reads a split, and these languages (none: the only pair there is), as a `PairCorpus`.
        read_text: Reads a language, up to a number of paragraphs or characters, with a minimum length.
        pair_split: The split that pairs are read from where none is asked for.
    """

    name: str
    description: str
    licence: str
    citation: str
    languages: tuple[str, ...]
    splits: tuple[str, ...]
    repository: str | None = None
    revision: str | None = None
    provenance: str = ""
    access: str = ""
    layout: str = ""
    by_default: Mapping[Shape, tuple[str, ...]] = field(default_factory=dict)
    read_parallel: Callable[[CorpusSource, str, Sequence[str]], ParallelCorpus] | None = None
    read_pairs: Callable[[CorpusSource, str, Sequence[str]], PairCorpus] | None = None
    read_text: Callable[[CorpusSource, str, int | None, int | None, int], TextCorpus] | None = None
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

    def default_languages(self, shape: Shape) -> tuple[str, ...]:
        """Return the languages that are read in a shape where none are asked for."""
        return self.by_default.get(shape, self.languages)

    def require_language(self, code: str) -> str:
        """Return the code if the corpus has that language.

        Raises:
            LanguageError: It does not.
        """
        if code not in self.languages:
            raise LanguageError(f"corpus '{self.name}' has no {code}; it has {', '.join(self.languages)}")
        return code

    def require_split(self, split: str) -> str:
        """Return the split if the corpus has it.

        Raises:
            CorpusError: It does not.
        """
        if split not in self.splits:
            raise CorpusError(f"corpus '{self.name}' has no split '{split}'; it has {', '.join(self.splits)}")
        return split
