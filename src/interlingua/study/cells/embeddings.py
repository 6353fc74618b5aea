"""Embeddings of each corpus in one condition, shared by every measure that compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from interlingua.measures import embed
from interlingua.study.cells.work import Work


def embed_evaluation(work: Work) -> dict[str, np.ndarray]:
    """Embed the evaluation sentences: for each language float32 [sentences, dimensions]."""
    evaluation = work.corpora.evaluation
    return _embedded(work, {code: evaluation[code] for code in evaluation.languages})


def embed_paraphrases(work: Work) -> dict[str, np.ndarray]:
    """Embed the sentences and their paraphrases, row i of the two a pair: `<code>/left` and `<code>/right`."""
    parts = {}
    for code, corpus in work.corpora.paraphrases.items():
        pairs = corpus.aligned()
        parts |= {f"{code}/left": pairs.left, f"{code}/right": pairs.right}
    return _embedded(work, parts)


def embed_bitext(work: Work) -> dict[str, np.ndarray]:
    """Embed both sides of all bitext: `<corpus number>/<code>/left` and `/right`."""
    parts = {}
    for number, ((_, code), corpus) in enumerate(work.corpora.bitext.items()):
        parts |= {f"{number}/{code}/left": corpus.left, f"{number}/{code}/right": corpus.right}
    return _embedded(work, parts)


def _embedded(work: Work, parts: Mapping[str, Sequence[str]]) -> dict[str, np.ndarray]:
    """Embed all parts in one call, so that sentences of like length share batches."""
    sentences = [sentence for part in parts.values() for sentence in part]
    with work.in_condition():
        embedded = embed(work.model, sentences, layer=work.parameters["layer"])
    ends = np.cumsum([len(part) for part in parts.values()])
    return dict(zip(parts, np.split(embedded, ends[:-1]), strict=True))
