"""What a cell makes the model do, and how long a machine takes for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What a cell makes the model do.

    Attributes:
        read: Tokens that go through the model's body.
        scored: Tokens that also go through the vocabulary head.
        steps: Steps of generation, each of a batch of texts.
        written: Tokens that these steps write.
        batch: How many texts the largest step has.
        disk: Bytes that are kept.
    """

    read: int = 0
    scored: int = 0
    steps: int = 0
    written: int = 0
    batch: int = 0
    disk: int = 0

    @property
    def tokens(self) -> int:
        """Tokens that the model runs, read or written."""
        return self.read + self.written


@dataclass(frozen=True)
class Speed:
    """Seconds on this machine, as measured: of a token read, of one scored, of a step of generation."""

    read: float
    scored: float
    step: float

    def seconds(self, cost: Cost) -> float:
        """Return how long a cell takes."""
        return cost.read * self.read + cost.scored * self.scored + cost.steps * self.step
