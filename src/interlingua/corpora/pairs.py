"""A corpus of two sides, of which some sentences belong together: bitext, or paraphrases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from interlingua.corpora.checks import CorpusWarning, find_warnings, require_no_empty
from interlingua.errors import CorpusError
from interlingua.files import sha256_of_json

ONLY_SPLIT = "test"
"""The split of pairs where nothing names one: they are for evaluation."""


@dataclass(frozen=True)
class PairCorpus:
    """Sentences of two sides, and which of them mean the same.

    In bitext the sides are two languages; in paraphrases they are one language twice. Sentences in no gold pair are
    distractors: BUCC's task is to find the pairs among them. For mteb's BUCC score the queries are the left sentences
    of the gold pairs, and the candidates all sentences on the right.

    Attributes:
        name: What the corpus was asked for as: a registered name or a path.
        split: Which part of it this is, for example `test`.
        languages: The FLORES-200 codes of the left and of the right side.
        left: The left sentences.
        right: The right sentences.
        gold: For each pair, the position of its left and of its right sentence, counted from 0.
        dropped: How many rows of the source were left out, by reason.
        warnings: What was found when it was opened.

    Raises:
        CorpusError: A side or the gold is empty, a sentence is empty, or a gold pair points outside the sides.

    Example:
        >>> corpus = PairCorpus("mine", "test", ("deu_Latn", "eng_Latn"), ("ja", "nein", "oh"), ("no", "yes"),
        ...                     ((0, 1), (1, 0)))
        >>> len(corpus), corpus.aligned().left, corpus.aligned().right, corpus.distractors
        (2, ('ja', 'nein'), ('yes', 'no'), (1, 0))
    """

    name: str
    split: str
    languages: tuple[str, str]
    left: tuple[str, ...]
    right: tuple[str, ...]
    gold: tuple[tuple[int, int], ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[CorpusWarning, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.gold:
            raise CorpusError(f"{self._title} has no pairs")
        for code, side, lines in zip(self.languages, ("left", "right"), (self.left, self.right), strict=True):
            advice = "remove that line on both sides, so that the rest stays aligned"
            require_no_empty(f"{self._title}: {code} ({side})", lines, advice)
        for i, j in self.gold:
            if not (0 <= i < len(self.left) and 0 <= j < len(self.right)):
                raise CorpusError(
                    f"{self._title}: the gold pair ({i}, {j}) points outside its {len(self.left)} left and "
                    f"{len(self.right)} right sentences"
                )
        parts = self.languages if len(set(self.languages)) == 2 else tuple(
            f"{code}, {side}" for code, side in zip(self.languages, ("left", "right"), strict=True)
        )  # fmt: skip
        found = [*find_warnings(parts[0], self.left), *find_warnings(parts[1], self.right)]
        object.__setattr__(self, "warnings", tuple(found))

    def __len__(self) -> int:
        """Return the number of gold pairs."""
        return len(self.gold)

    @property
    def distractors(self) -> tuple[int, int]:
        """How many sentences of the left and of the right side are in no gold pair."""
        paired = {i for i, _ in self.gold}, {j for _, j in self.gold}
        return len(self.left) - len(paired[0]), len(self.right) - len(paired[1])

    def aligned(self) -> PairCorpus:
        """Return the gold pairs alone: pair i is line i of both sides."""
        return replace(
            self,
            left=tuple(self.left[i] for i, _ in self.gold),
            right=tuple(self.right[j] for _, j in self.gold),
            gold=tuple((i, i) for i in range(len(self.gold))),
        )

    def swapped(self) -> PairCorpus:
        """Return the corpus with its sides exchanged."""
        gold = tuple((j, i) for i, j in self.gold)
        return replace(self, languages=self.languages[::-1], left=self.right, right=self.left, gold=gold)

    def first(self, limit: int | None) -> PairCorpus:
        """Return the first `limit` pairs, and on each side as many of the first distractors (`None`: everything)."""
        if limit is None:
            return self
        gold = self.gold[:limit]
        kept_left = _kept(len(self.left), {i for i, _ in self.gold}, {i for i, _ in gold}, limit)
        kept_right = _kept(len(self.right), {j for _, j in self.gold}, {j for _, j in gold}, limit)
        new_left, new_right = ({old: new for new, old in enumerate(kept)} for kept in (kept_left, kept_right))
        return replace(
            self,
            left=tuple(self.left[i] for i in kept_left),
            right=tuple(self.right[j] for j in kept_right),
            gold=tuple((new_left[i], new_right[j]) for i, j in gold),
        )

    def without_duplicates(self) -> PairCorpus:
        """Return the gold pairs whose sentences repeat none of an earlier pair on their side, without distractors.

        What was left out is counted in `dropped`, under `repeated`.
        """
        whole = self.aligned()
        seen: tuple[set[str], set[str]] = set(), set()
        kept = []
        for i, (left, right) in enumerate(zip(whole.left, whole.right, strict=True)):
            if left not in seen[0] and right not in seen[1]:
                kept.append(i)
                seen[0].add(left)
                seen[1].add(right)
        return replace(
            whole,
            left=tuple(whole.left[i] for i in kept),
            right=tuple(whole.right[i] for i in kept),
            gold=tuple((i, i) for i in range(len(kept))),
            dropped={**self.dropped, "repeated": self.dropped.get("repeated", 0) + len(whole) - len(kept)},
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 of the languages, sentences and pairs, which names this text whatever its path."""
        return sha256_of_json([self.languages, self.left, self.right, self.gold])

    @property
    def _title(self) -> str:
        return f"corpus '{self.name}' ({self.split}, {'-'.join(self.languages)})"


def _kept(total: int, paired: set[int], wanted: set[int], distractors: int) -> list[int]:
    others = [i for i in range(total) if i not in paired][:distractors]
    return sorted([*wanted, *others])


def line_by_line(
    name: str, split: str, languages: tuple[str, str], left: tuple[str, ...], right: tuple[str, ...]
) -> PairCorpus:
    """Make a corpus of two sides in which line i belongs to line i.

    Raises:
        CorpusError: The sides differ in length, or have an empty sentence.
    """
    if len(left) != len(right):
        raise CorpusError(
            f"corpus '{name}' ({split}) is not aligned: {languages[0]} has {len(left)} lines, "
            f"{languages[1]} has {len(right)}"
        )
    return PairCorpus(name, split, languages, left, right, tuple((i, i) for i in range(len(left))))
