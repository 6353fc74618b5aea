"""The chosen map as it is and adapted, beside trained encoders: the same sentences, scores and resamples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from interlingua.alignment.adapting import Spread, centre_on, self_train
from interlingua.alignment.bitexts import Bitexts
from interlingua.alignment.encoders import Encoder, encode_to_disk
from interlingua.alignment.judge import INTERVAL, bootstrapped
from interlingua.alignment.linear import LinearAlignment
from interlingua.corpora import ParallelCorpus
from interlingua.measures.bitext import find_bitext
from interlingua.measures.retrieval import find_answers
from interlingua.measures.scoring import N_NEIGHBORS, Scoring

NOTHING, MEANS, PAIRS = "nothing", "its means", "pairs found in it"
"""What is taken from the text that is judged on, without labels."""
SCORINGS: tuple[Scoring, ...] = ("cosine", "csls")
THE_MAP = "the chosen map"

Spaces = Mapping[str, np.ndarray]
Ways = dict[tuple[str, str], Spaces]
"""By encoder and what was looked at, for each language vectors: float [sentences, dimensions]."""
Column = tuple[str, str, Scoring]


def judge_beside(
    encoders: Sequence[Encoder],
    of_map: Callable[[Mapping[str, Sequence[str]]], Ways],
    evaluation: ParallelCorpus,
    bitexts: Bitexts,
    folder: Path,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Judge the chosen map and trained encoders on the evaluation split, and on each bitext, both ways.

    Args:
        encoders: The trained encoders, if any.
        of_map: What `ways_of_map` returns of sentences.
        evaluation: The evaluation split.
        bitexts: Pairs with English.
        folder: Where the vectors of the encoders are kept.
        resamples: Of the bootstrap over sentences, which are the same for all.
        seed: Of the bootstrap.

    Returns:
        A tidy table: corpus, encoder, looked_at (what was taken from the text that is judged on, without labels),
        scoring, top1, low, high, and how far behind the map that looked at the same (behind, behind_low, behind_high).
        The map is also there refitted on pairs that it found by itself.
    """

    def ways_of(sentences: Mapping[str, Sequence[str]]) -> Ways:
        made = of_map(sentences)
        for encoder in encoders:
            made |= ways_of_encoder(encoder, encode_to_disk(encoder, sentences, folder))
        return made

    judged = {evaluation.name: [_parallel_hits(ways_of(evaluation.sentences))]}
    for (name, _), corpus in bitexts.items():
        ways = ways_of(dict(zip(corpus.languages, (corpus.left, corpus.right), strict=True)))
        judged.setdefault(name, []).append(_bitext_hits(ways, corpus.languages, np.array(corpus.gold)))
    return pd.concat([_table(name, parts, resamples, seed) for name, parts in judged.items()], ignore_index=True)


def ways_of_map(alignment: LinearAlignment, spread: Spread | None, read: Spaces, *, per_language: bool) -> Ways:
    """Return what a map makes of text: as fitted, centred on the text, and refitted on pairs that are found in it."""
    known = {code: code if per_language and code in alignment.languages else None for code in read}
    made: Ways = {(THE_MAP, NOTHING): {code: alignment.apply(space, known[code]) for code, space in read.items()}}
    if alignment.needs_language:
        return made
    centred = centre_on(alignment, read)
    made[THE_MAP, MEANS] = {code: centred.apply(space, code) for code, space in read.items()}
    if spread is not None:
        trained, _ = self_train(centred, spread, read)
        made[THE_MAP, PAIRS] = {code: trained.apply(space, code) for code, space in read.items()}
    return made


def ways_of_encoder(encoder: Encoder, vectors: Spaces) -> Ways:
    """Return what an encoder makes of text: as it is, and centred on the text."""
    centred = {code: space - space.mean(axis=0) for code, space in vectors.items()}
    return {(encoder.name, NOTHING): vectors, (encoder.name, MEANS): centred}


def _parallel_hits(ways: Ways) -> dict[Column, np.ndarray]:
    """Return each sentence's share of hits over ordered pairs of languages: float [sentences]."""
    hits = {}
    for (encoder, looked_at), spaces in ways.items():
        for scoring in SCORINGS:
            fewest = len(next(iter(spaces.values())))
            answers = find_answers(spaces, scoring=scoring, n_neighbors=_neighbors(scoring, fewest))
            right = [answer.chosen == answer.gold for (a, b), answer in answers.items() if a != b]
            hits[encoder, looked_at, scoring] = np.mean(right, axis=0)
    return hits


def _bitext_hits(ways: Ways, languages: tuple[str, str], gold: np.ndarray) -> dict[Column, np.ndarray]:
    """Return each pair's share of hits, there and back: float [gold pairs]."""
    hits = {}
    for (encoder, looked_at), spaces in ways.items():
        sides = spaces[languages[0]], spaces[languages[1]]
        for scoring in SCORINGS:
            k = _neighbors(scoring, min(map(len, sides)))
            answers = find_bitext({languages: sides}, gold={languages: gold}, scoring=scoring, n_neighbors=k)
            hits[encoder, looked_at, scoring] = np.mean([a.chosen == a.gold for a in answers.values()], axis=0)
    return hits


def _neighbors(scoring: Scoring, sentences: int) -> int | None:
    return None if scoring == "cosine" else min(N_NEIGHBORS[scoring], sentences)


def _table(corpus: str, parts: Sequence[Mapping[Column, np.ndarray]], resamples: int, seed: int) -> pd.DataFrame:
    """Return the means over the parts of a corpus, each with sentences of its own, and their paired intervals."""
    columns = list(parts[0])
    drawn = [bootstrapped(np.stack([part[c] for c in columns], 1), resamples, seed + i) for i, part in enumerate(parts)]
    means = dict(zip(columns, np.mean(drawn, axis=0).T, strict=True))
    top1 = {column: np.mean([part[column].mean() for part in parts]) for column in columns}
    rows = []
    for encoder, looked_at, scoring in columns:
        own, beside = (encoder, looked_at, scoring), (THE_MAP, looked_at, scoring)
        row = [corpus, *own, top1[own], *np.percentile(means[own], INTERVAL), np.nan, np.nan, np.nan]
        if beside in top1:
            row[-3:] = [top1[beside] - top1[own], *np.percentile(means[beside] - means[own], INTERVAL)]
        rows.append(row)
    behind = ["behind", "behind_low", "behind_high"]
    return pd.DataFrame(rows, columns=["corpus", "encoder", "looked_at", "scoring", "top1", "low", "high", *behind])
