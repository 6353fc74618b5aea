"""What may become of a claim, and what the random control makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

HOLDS, HOLDS_TOO = "holds", "holds, and for random neurons too"
CANNOT_TELL, FAILS, NOT_MEASURED = "cannot tell", "does not hold", "not measured"

MOST = 0.5
"""More than this share is "most", as the word means."""

SIGNIFICANT = 0.05
"""The largest p by which experts count as better than random neurons; 19 draws are the fewest that allow it."""


@dataclass(frozen=True)
class Finding:
    """What became of a claim for one kind of intervention and one k; None where the claim is not about one."""

    verdict: str
    numbers: str
    kind: str | None = None
    k: int | None = None


def verdict(holds: object, fails: object) -> str:
    """Return a verdict in words: where a claim neither holds nor fails, nobody can tell."""
    return HOLDS if holds else FAILS if fails else CANNOT_TELL


def beside_random(found: Finding, drawn: Finding | None) -> Finding:
    """Set what was found of experts beside what is found of random neurons by the same rule."""
    if found.verdict == NOT_MEASURED:
        return found
    if drawn is None or drawn.verdict == NOT_MEASURED:
        return replace(found, numbers=f"{found.numbers}; random neurons: not measured")
    too = found.verdict == HOLDS and drawn.verdict == HOLDS
    numbers = f"{found.numbers}; random neurons: {drawn.numbers}"
    return replace(found, verdict=HOLDS_TOO if too else found.verdict, numbers=numbers)


def ranked(found: Finding, ranks: pd.DataFrame) -> Finding:
    """Let a claim hold only if, for most targets, experts are better than random neurons by rank."""
    ranks = ranks[(ranks.kind == found.kind) & (ranks.k == found.k)]
    if ranks.empty or found.verdict == NOT_MEASURED:
        return found
    better = ranks.assign(better=ranks.p <= SIGNIFICANT).groupby("target").better.all()
    draws = ranks.draws.min()
    how_many = f"{better.sum()} of {len(better)} targets"
    words = f"by rank among random neurons ({draws} drawn) p <= {SIGNIFICANT} for {how_many}"
    if (least := 1 / (draws + 1)) > SIGNIFICANT:
        words += f"; so few draws allow no p below {least:.2f}"
    undecided = found.verdict == HOLDS and better.mean() <= MOST
    return replace(found, verdict=CANNOT_TELL if undecided else found.verdict, numbers=f"{found.numbers}; {words}")
