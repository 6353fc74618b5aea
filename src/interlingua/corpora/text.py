"""Running text of one language, as paragraphs: what perplexity is measured on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from interlingua.corpora.checks import CorpusWarning, find_warnings, require_no_empty
from interlingua.errors import CorpusError
from interlingua.files import sha256_of_json

MIN_LENGTH = 100
"""Paragraphs of fewer characters are left out by default: headings, captions, remains of tables."""
WHOLE_TEXT = "text"
"""The split of running text where nothing names one."""


@dataclass(frozen=True)
class TextCorpus:
    """Paragraphs of one language.

    Attributes:
        name: What the corpus was asked for as: a registered name or a path.
        split: Which part of it this is, for example `train`.
        language: Its FLORES-200 code.
        paragraphs: The text, one paragraph an entry.
        dropped: How many paragraphs of the source were left out, by reason.
        warnings: What was found when it was opened.

    Raises:
        CorpusError: There is no paragraph, or an empty one.

    Example:
        >>> corpus = TextCorpus("mine", "text", "eng_Latn", ("A first paragraph.", "A second one."))
        >>> len(corpus), corpus.characters
        (2, 31)
    """

    name: str
    split: str
    language: str
    paragraphs: tuple[str, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[CorpusWarning, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        where = f"corpus '{self.name}' ({self.split}, {self.language})"
        if not self.paragraphs:
            reasons = "".join(f"; {count:,} dropped: {reason}" for reason, count in self.dropped.items() if count)
            raise CorpusError(f"{where} has no paragraphs{reasons}")
        require_no_empty(where, self.paragraphs, "remove that paragraph")
        object.__setattr__(self, "warnings", find_warnings(self.language, self.paragraphs))

    def __len__(self) -> int:
        """Return the number of paragraphs."""
        return len(self.paragraphs)

    @property
    def characters(self) -> int:
        """The length of all paragraphs together."""
        return sum(map(len, self.paragraphs))

    @property
    def text(self) -> str:
        """All paragraphs, one a line."""
        return "\n".join(self.paragraphs)

    def first(self, limit: int | None = None, characters: int | None = None) -> TextCorpus:
        """Return the first paragraphs: `limit` of them, and no more than reach `characters` (`None`: no bound)."""
        return replace(self, paragraphs=first_paragraphs(self.paragraphs, limit, characters))

    def fingerprint(self) -> str:
        """Return the SHA-256 of the language and the paragraphs, which names this text whatever its path."""
        return sha256_of_json([self.language, self.paragraphs])


def first_paragraphs(
    paragraphs: Iterable[str], limit: int | None = None, characters: int | None = None
) -> tuple[str, ...]:
    """Take paragraphs until there are `limit` of them, or they reach `characters`; no more than that is consumed.

    Example:
        >>> first_paragraphs(["a b", "c d e", "f"], characters=5)
        ('a b', 'c d e')
    """
    taken: list[str] = []
    total = 0
    if limit == 0 or characters == 0:
        return ()
    for paragraph in paragraphs:
        taken.append(paragraph)
        total += len(paragraph)
        if (limit is not None and len(taken) >= limit) or (characters is not None and total >= characters):
            break
    return tuple(taken)


class ParagraphFilter:
    """Passes on the paragraphs of texts that are long enough, and counts the others."""

    def __init__(self, min_length: int = MIN_LENGTH) -> None:
        self.min_length = min_length
        self.dropped = 0

    def paragraphs(self, texts: Iterable[str]) -> Iterable[str]:
        """Yield the long paragraphs of texts; a paragraph is a line, and empty lines count for nothing."""
        for text in texts:
            for line in text.split("\n"):
                paragraph = line.strip()
                if len(paragraph) >= self.min_length:
                    yield paragraph
                elif paragraph:
                    self.dropped += 1

    @property
    def counts(self) -> dict[str, int]:
        """What was left out so far, as `TextCorpus.dropped` has it."""
        return {f"under {self.min_length} characters": self.dropped} if self.dropped else {}
