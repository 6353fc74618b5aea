"""What an edit does as far as one claim is about it, and what the claim says of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from interlingua.analysis.evidence import Edit
from interlingua.analysis.schema import Tables

MOST = 0.5
"""More than this share is "most", as the word means."""

FEW_POINTS = 0.05
""""A few points" of accuracy: in the paper's tables 3 and 5 paraphrase retrieval loses 0.02 at most after the edit, and
mixed retrieval 0.07 at least."""


@dataclass(frozen=True)
class Effect:
    """One number about one target language, on which a claim turns.

    Attributes:
        target: The language.
        kind: Of the edit; None where the claim is about every kind.
        k: Likewise.
        match: `steered` for experts, else how random neurons are matched to them.
        draw: Which draw of random neurons.
        value: The number; the more, the better for the claim.
        low: The lower end of its interval of 95 %, over what was sampled for this target.
        high: The upper end.
        words: What is behind it.
        also: What the claim asks besides, such as that *most* candidates gain.
    """

    target: str
    kind: str | None
    k: int | None
    match: str
    draw: int
    value: float
    low: float
    high: float
    words: str
    also: bool = True

    @classmethod
    def of(
        cls, edit: Edit, value: float, interval: tuple[float, float], words: str, also: bool | None = None
    ) -> Effect:
        """Return the effect of an edit."""
        return cls(*edit, float(value), *map(float, interval), words, also is None or bool(also))


@dataclass(frozen=True)
class Claim:
    """A claim of the paper's, and when it holds.

    Attributes:
        statement: In a sentence.
        effect: What its number is, in a few words.
        effects: Returns the number for every edit.
        bar: It holds where the number lies above, interval and all.
        fails_below: It does not hold where the number lies at most here, interval and all; by default at the bar.
        within: For a claim that there is no effect: it holds where the interval lies within this of zero instead.
        limits: Beyond what the number cannot lie.
        beside_random: Whether random neurons may satisfy it as well: then it is no evidence about experts.
        ranked: Whether it holds only where experts are among the best 5 % of draws of random neurons.
    """

    statement: str
    effect: str
    effects: Callable[[Tables], Iterable[Effect]]
    bar: float = 0.0
    fails_below: float | None = None
    within: float | None = None
    limits: tuple[float, float] = (-1.0, 1.0)
    beside_random: bool = False
    ranked: bool = False
