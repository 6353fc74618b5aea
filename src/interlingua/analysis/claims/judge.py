"""From effects to a verdict: over targets as replicates, and beside random neurons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from interlingua.analysis.claims.effect import MOST, Claim, Effect
from interlingua.analysis.schema import STEERED
from interlingua.intervals import CONFIDENCE, mean_interval
from interlingua.languages import short_code

HOLDS, HOLDS_TOO = "holds", "holds, and for random neurons too"
CANNOT_TELL, FAILS, NOT_MEASURED = "cannot tell", "does not hold", "not measured"

SIGNIFICANT = 0.05
"""The largest p by which experts count as better than random neurons; 19 draws are the fewest that allow it."""

MOST_TARGETS = 1000
"""Where even so many targets would not tell, no number is named."""


@dataclass(frozen=True)
class Finding:
    """What became of a claim for one kind of intervention and one k; None where the claim is not about one."""

    verdict: str
    numbers: str
    kind: str | None = None
    k: int | None = None


def judge(claim: Claim, effects: Sequence[Effect]) -> Iterator[Finding]:
    """Judge a claim for each kind and k."""
    for kind, k in dict.fromkeys((effect.kind, effect.k) for effect in effects):
        of_edit = [effect for effect in effects if (effect.kind, effect.k) == (kind, k)]
        experts = [effect for effect in of_edit if effect.match == STEERED]
        if experts:
            verdict, numbers = _beside_random(claim, experts, [e for e in of_edit if e.match != STEERED])
            yield Finding(verdict, numbers, kind, k)


def rank(experts: Sequence[Effect], draws: Sequence[Effect]) -> tuple[float, np.ndarray]:
    """Return p by rank of the experts among draws of random neurons, and what each draw gives on the mean over targets.

    p is (1 + draws at least as good) / (draws + 1), so that n draws give none below 1 / (n + 1).
    """
    drawn = {effect.target for effect in draws}
    values = {e.target: [draw.value for draw in draws if draw.target == e.target] for e in experts if e.target in drawn}
    means = np.array([np.mean(of_draw) for of_draw in zip(*values.values(), strict=False)])
    as_good = int((means >= np.mean([e.value for e in experts if e.target in drawn])).sum())
    return (1 + as_good) / (len(means) + 1), means


def _beside_random(claim: Claim, experts: Sequence[Effect], drawn: Sequence[Effect]) -> tuple[str, str]:
    """Judge experts; then see whether random neurons would have earned the same verdict."""
    verdict, numbers = _alone(claim, experts)
    if not claim.beside_random:
        return verdict, numbers
    targets = {effect.target for effect in experts}
    drawn = [effect for effect in drawn if effect.target in targets]
    if not drawn:
        return verdict, f"{numbers}; random neurons: not measured"
    too, clear = False, True
    for match in dict.fromkeys(effect.match for effect in drawn):
        draws = [effect for effect in drawn if effect.match == match]
        p, means = rank(experts, draws)
        too |= verdict == HOLDS and _alike(claim, draws)
        largest = max(draws, key=lambda effect: effect.value)
        numbers += (
            f"; random neurons ({match}, {_count(len(means), 'draw')}): {means.mean():+.3f}, at most "
            f"{largest.value:+.3f} for {short_code(largest.target)}"
        )
        if claim.ranked:
            clear &= p <= SIGNIFICANT
            least = 1 / (len(means) + 1)
            numbers += f", p = {p:.2f}"
            numbers += "" if least <= SIGNIFICANT else f" ({_count(len(means), 'draw')} of 19 that could tell)"
    if too:
        return HOLDS_TOO, numbers
    return CANNOT_TELL if verdict == HOLDS and not clear else verdict, numbers


def _alone(claim: Claim, effects: Sequence[Effect]) -> tuple[str, str]:
    """Judge by the interval over targets; where there is one target, by its own over what was sampled for it."""
    values = np.array([effect.value for effect in effects])
    mean, also = float(values.mean()), float(np.mean([effect.also for effect in effects])) > MOST
    low, high = mean_interval(values) if len(values) > 1 else (effects[0].low, effects[0].high)
    low, high = max(low, claim.limits[0]), min(high, claim.limits[1])
    verdict = _verdict(claim, low, high, also)
    numbers = f"{claim.effect} {mean:+.3f} ({interval_in_words(low, high)}"
    if len(effects) == 1:
        numbers += f"): {effects[0].words}"
    else:
        each = ", ".join(f"{short_code(effect.target)} {effect.value:+.3f}" for effect in effects)
        numbers += f" over {len(effects)} targets): {each}"
    if verdict == CANNOT_TELL:
        numbers += f"; {_needed(claim, values)} could tell"
    return verdict, numbers


def _verdict(claim: Claim, low: float, high: float, also: bool) -> str:
    if claim.within is not None:
        inside = -claim.within < low and high < claim.within
        return HOLDS if inside else FAILS if low > 0 or high < 0 else CANNOT_TELL
    fails_below = claim.bar if claim.fails_below is None else claim.fails_below
    if low > claim.bar:
        return HOLDS if also else FAILS
    return FAILS if high <= fails_below else CANNOT_TELL


def _needed(claim: Claim, values: np.ndarray) -> str:
    """Return how many targets, alike in mean and spread, would leave no doubt."""
    if len(values) < 2:
        return "more sentences or languages"
    bars = [claim.bar] if claim.within is None else [-claim.within, claim.within, 0.0]
    gap = min(abs(float(values.mean()) - bar) for bar in bars)
    counts = np.arange(len(values) + 1, MOST_TARGETS)
    half = stats.t.ppf(0.5 + CONFIDENCE / 2, counts - 1) * np.std(values, ddof=1) / np.sqrt(counts)
    enough = counts[half < gap]
    return f"about {enough[0]} targets" if len(enough) else "no feasible number of targets"


def _alike(claim: Claim, draws: Sequence[Effect]) -> bool:
    """Say whether random neurons hold a claim by the same rule, over targets and over draws."""
    by_target = [_mean([e for e in draws if e.target == target]) for target in {e.target for e in draws}]
    by_draw = [_mean([e for e in draws if e.draw == draw]) for draw in {e.draw for e in draws}]
    replicates = [group for group in (by_target, by_draw) if len(group) > 1] or [by_target]
    return all(_alone(claim, group)[0] == HOLDS for group in replicates)


def _mean(effects: Sequence[Effect]) -> Effect:
    """Return the effect on the mean over targets or draws; one alone is itself."""
    if len(effects) == 1:
        return effects[0]
    values = np.array([effect.value for effect in effects])
    also = float(np.mean([effect.also for effect in effects])) > MOST
    return replace(effects[0], value=float(values.mean()), low=values.min(), high=values.max(), also=also)


def interval_in_words(low: float, high: float) -> str:
    """Return an interval as it stands in a sentence."""
    return f"95 % interval {low:+.3f} to {high:+.3f}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
