"""Embeddings of each corpus in one condition, shared by every measure that compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from interlingua.measures import embed
from interlingua.study.cells.work import Work
from interlingua.study.corpora import Corpora


def _of_evaluation(corpora: Corpora) -> dict[str, Sequence[str]]:
    """Return the evaluation sentences by language."""
    return {code: corpora.evaluation[code] for code in corpora.evaluation.languages}


def _of_paraphrases(corpora: Corpora) -> dict[str, Sequence[str]]:
    """Return sentences and their paraphrases, entry i of the two a pair: `<code>/left` and `<code>/right`."""
    pairs = {code: corpus.aligned() for code, corpus in corpora.paraphrases.items()}
    return {f"{code}/{side}": getattr(pairs[code], side) for code in pairs for side in ("left", "right")}


def _of_bitext(corpora: Corpora) -> dict[str, Sequence[str]]:
    """Return both sides of all bitext: `<corpus number>/<code>/left` and `/right`."""
    numbered = {f"{i}/{code}": corpus for i, ((_, code), corpus) in enumerate(corpora.bitext.items())}
    return {f"{name}/{side}": getattr(corpus, side) for name, corpus in numbered.items() for side in ("left", "right")}


READ_BY: Mapping[str, Callable[[Corpora], dict[str, Sequence[str]]]] = {
    "embeddings": _of_evaluation,
    "space": _of_evaluation,
    "paraphrase embeddings": _of_paraphrases,
    "bitext embeddings": _of_bitext,
}
"""The sentences that a measure embeds, in parts."""


def embed_all(work: Work) -> dict[str, np.ndarray]:
    """Embed what a measure reads: for each part float32 [sentences, dimensions].

    All parts are embedded in one call, so that sentences of like length share batches.
    """
    parts = READ_BY[work.cell.measure](work.corpora)
    sentences = [sentence for part in parts.values() for sentence in part]
    with work.in_condition():
        embedded = embed(work.model, sentences, layer=work.parameters["layer"])
    ends = np.cumsum([len(part) for part in parts.values()])
    return dict(zip(parts, np.split(embedded, ends[:-1]), strict=True))
