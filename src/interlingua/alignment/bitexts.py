"""Bitext beside the evaluation split: Tatoeba, BUCC or the user's, with recipes that were fitted on the probe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from interlingua.alignment.candidate import Candidate
from interlingua.alignment.embedded_probe import Reading
from interlingua.alignment.methods import Layers, concatenated
from interlingua.alignment.spaces import Spaces
from interlingua.corpora.bitexts import Bitexts
from interlingua.measures import bitext
from interlingua.measures.scoring import N_NEIGHBORS
from interlingua.progress import tracked


def judge_bitext(
    candidates: Sequence[Candidate],
    bitexts: Bitexts,
    probe_of: Callable[[Reading], Layers],
    spaces_of: Callable[[Reading, Mapping[str, Sequence[str]]], Spaces],
) -> pd.DataFrame:
    """Fit candidates on the whole probe and retrieve the pairs of each bitext, both ways.

    Args:
        candidates: What is judged.
        bitexts: The pairs.
        probe_of: Returns the probe's embeddings by a reading.
        spaces_of: Returns the embeddings of sentences by a reading.

    Returns:
        A tidy table: corpus, candidate, and the columns of `measures.bitext` (its `candidate` is here `other`).
    """
    tables = []
    fitted = {candidate: candidate.recipe.fit(probe_of(candidate.reading)) for candidate in candidates}
    for (name, _), corpus in tracked(bitexts.items(), "Bitext"):
        sides = dict(zip(corpus.languages, (corpus.left, corpus.right), strict=True))
        for candidate, alignment in fitted.items():
            spaces = concatenated(spaces_of(candidate.reading, sides), candidate.recipe.blocks)
            with_language = candidate.recipe.per_language
            left, right = (
                alignment.apply(spaces[code], code if with_language and code in alignment.languages else None)
                for code in corpus.languages
            )
            fewest = min(len(left), len(right))
            n_neighbors = None if candidate.scoring == "cosine" else min(N_NEIGHBORS[candidate.scoring], fewest)
            table = bitext(
                {corpus.languages: (left, right)},
                gold={corpus.languages: np.array(corpus.gold)},
                scoring=candidate.scoring,
                n_neighbors=n_neighbors,
            ).rename(columns={"candidate": "other"})
            table.insert(0, "corpus", name)
            table.insert(1, "candidate", str(candidate))
            tables.append(table)
    return pd.concat(tables, ignore_index=True)
