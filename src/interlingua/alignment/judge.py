"""The evaluation split, looked at once: top-1 of candidates that were fitted and chosen on the probe."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interlingua.alignment.candidate import Candidate
from interlingua.alignment.embedded_probe import Reading
from interlingua.alignment.methods import Layers, Recipe, concatenated
from interlingua.errors import InputError
from interlingua.measures.retrieval import find_answers
from interlingua.measures.scoring import Scoring
from interlingua.progress import tracked

INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Hits:
    """Which sentences found their translation.

    Attributes:
        languages: The languages.
        right: For each query language and candidate language: bool [languages, languages, sentences].
    """

    languages: tuple[str, ...]
    right: np.ndarray

    @property
    def pairs(self) -> np.ndarray:
        """All ordered pairs of different languages: bool [languages, languages]."""
        return ~np.eye(len(self.languages), dtype=bool)

    def of_sentences(self, pairs: np.ndarray | None = None) -> np.ndarray:
        """Return each sentence's share of hits over some ordered pairs, by default all: float64 [sentences]."""
        return self.right[self.pairs if pairs is None else pairs].mean(axis=0)

    def top1(self, pairs: np.ndarray | None = None) -> float:
        """Return the mean top-1 over some ordered pairs, by default all."""
        return float(self.of_sentences(pairs).mean())


def find_hits(
    recipe: Recipe,
    fit_on: Layers,
    judge_on: Layers,
    scoring: Scoring = "cosine",
    languages: Sequence[str] | None = None,
) -> Hits:
    """Fit a recipe on some embeddings and find which of others are retrieved.

    Args:
        recipe: What is fitted.
        fit_on: Embeddings of the probe.
        judge_on: Embeddings of other sentences, of these or other languages. A language that the recipe was not fitted
            on has the grand mean subtracted.
        scoring: How neighbours are scored.
        languages: Those judged; by default all of `judge_on`.
    """
    alignment = recipe.fit(fit_on)
    spaces = concatenated(judge_on, recipe.blocks)
    codes = tuple(spaces) if languages is None else tuple(languages)
    mapped = {
        code: alignment.apply(spaces[code], code if recipe.per_language and code in alignment.languages else None)
        for code in codes
    }
    answers = find_answers(mapped, scoring=scoring)
    right = np.array([[answers[a, b].chosen == answers[a, b].gold for b in codes] for a in codes])
    return Hits(codes, right)


def judge(
    candidates: Sequence[Candidate],
    probe_of: Callable[[Reading], Layers],
    evaluation_of: Callable[[Reading], Layers],
) -> dict[Candidate, Hits]:
    """Fit each candidate on the whole probe and find its hits in the evaluation split.

    Args:
        candidates: What is judged.
        probe_of: Returns the probe's embeddings by a reading.
        evaluation_of: Returns the evaluation split's embeddings by a reading.
    """
    found = {}
    for candidate in tracked(candidates, "Judging"):
        spaces = probe_of(candidate.reading), evaluation_of(candidate.reading)
        # The ratio margin that was defined on held-out sentences of the probe may not be here; then it has no rank.
        with suppress(InputError) if candidate.scoring == "margin" else nullcontext():
            found[candidate] = find_hits(candidate.recipe, *spaces, candidate.scoring)
    return found


def ranking(judged: Mapping[Candidate, Hits], chosen: Candidate, resamples: int, seed: int) -> pd.DataFrame:
    """Return the judged candidates, the highest top-1 first, with percentile bootstrap intervals over sentences.

    Columns: candidate, those of `Candidate.columns`, top1, low, high, and how far behind the chosen one it is, with the
    paired interval (behind, behind_low, behind_high), chosen.
    """
    shares = np.stack([hits.of_sentences() for hits in judged.values()], axis=1)
    means = bootstrapped(shares, resamples, seed)
    at = list(judged).index(chosen)
    rows = []
    for i, candidate in enumerate(judged):
        low, high = np.percentile(means[:, i], INTERVAL)
        behind_low, behind_high = np.percentile(means[:, at] - means[:, i], INTERVAL)
        rows.append(
            {
                "candidate": str(candidate),
                **candidate.columns(),
                "top1": shares[:, i].mean(),
                "low": low,
                "high": high,
                "behind": shares[:, at].mean() - shares[:, i].mean(),
                "behind_low": behind_low,
                "behind_high": behind_high,
                "chosen": candidate == chosen,
            }
        )
    return pd.DataFrame(rows).sort_values("top1", ascending=False, kind="stable", ignore_index=True)


def groups(judged: Mapping[Candidate, Hits], seen: Collection[str] | None, resamples: int, seed: int) -> pd.DataFrame:
    """Return top-1 over groups of ordered pairs: all, each language as the query, and seen and unseen languages.

    Args:
        judged: Candidates and their hits.
        seen: The languages that the model was pre-trained on, where they are known.
        resamples: Of the bootstrap over sentences.
        seed: Of the bootstrap.

    Returns:
        A tidy table: candidate, group (`all`, `query <code>`, `seen`: both languages are, `unseen`: one is not or both
        are not), pairs, top1, low, high.
    """
    rows = []
    for candidate, hits in judged.items():
        for name, pairs in _pairs_of_groups(hits, seen).items():
            shares = hits.of_sentences(pairs)
            low, high = np.percentile(bootstrapped(shares[:, None], resamples, seed), INTERVAL)
            rows.append((str(candidate), name, int(pairs.sum()), shares.mean(), low, high))
    return pd.DataFrame(rows, columns=["candidate", "group", "pairs", "top1", "low", "high"])


def pairs_table(judged: Mapping[Candidate, Hits]) -> pd.DataFrame:
    """Return top-1 for every ordered pair of languages: candidate (what was judged), query, other, top1."""
    rows = []
    for candidate, hits in judged.items():
        for i, j in np.argwhere(hits.pairs):
            rows.append((str(candidate), hits.languages[i], hits.languages[j], hits.right[i, j].mean()))
    return pd.DataFrame(rows, columns=["candidate", "query", "other", "top1"])


def bootstrapped(shares: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Return means over sentences drawn with replacement, the same draws for each column.

    Args:
        shares: float64 [sentences, columns].
        resamples: How often.
        seed: Of the draws.

    Returns:
        float64 [resamples, columns].
    """
    n = len(shares)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples)
    return weights @ shares / n


def _pairs_of_groups(hits: Hits, seen: Collection[str] | None) -> dict[str, np.ndarray]:
    made = {"all": hits.pairs}
    for i, code in enumerate(hits.languages):
        made[f"query {code}"] = hits.pairs & (np.arange(len(hits.languages)) == i)[:, None]
    if seen is not None:
        known = np.array([code in seen for code in hits.languages])
        made["seen"] = hits.pairs & known[:, None] & known
        made["unseen"] = hits.pairs & ~(known[:, None] & known)
    return {name: pairs for name, pairs in made.items() if pairs.any()}
