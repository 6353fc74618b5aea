"""What is measured on the embeddings of the evaluation sentences: retrieval, distances, and how they go together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interlingua.analysis import correlation, schema
from interlingua.measures import cross_space, geometry, projection
from interlingua.measures.hits import hits_table
from interlingua.measures.retrieval import find_answers, retrieval_table
from interlingua.study.cells.embeddings import embed_all
from interlingua.study.cells.work import Work
from interlingua.study.conditions import ORIGINAL


def measure_retrieval(work: Work) -> dict[str, pd.DataFrame]:
    """Measure top-1 accuracy for every ordered pair of languages."""
    return _retrieval(_spaces(work, "embeddings"), work.cell.needs["embeddings"].parameters["layer"])


def measure_geometry(work: Work) -> dict[str, pd.DataFrame]:
    """Measure distances between languages and to the medoid."""
    table = geometry(_spaces(work, "embeddings"))
    return {"geometry": table}


def measure_space(work: Work) -> dict[str, pd.DataFrame]:
    """Embed the evaluation sentences, measure retrieval and distances, and keep no embeddings."""
    spaces = embed_all(work)
    crossed = cross_space(spaces, _spaces(work, schema.ORIGINAL))
    return {**_retrieval(spaces, work.parameters["layer"]), "geometry": geometry(spaces), "cross_space": crossed}


def measure_cross_space(work: Work) -> dict[str, pd.DataFrame]:
    """Measure where languages lie among those of the original space."""
    return {"cross_space": cross_space(_spaces(work, "embeddings"), _spaces(work, schema.ORIGINAL))}


def measure_correlation(work: Work) -> dict[str, pd.DataFrame]:
    """Correlate accuracy with distance, before and after the edit, over all candidates and over those seen."""
    after, before = work.condition.columns(), ORIGINAL.columns()
    tables = [
        pd.concat(
            [
                work.needs[f"original {name}"][name].assign(**before),
                work.needs[name][name].assign(**after),
            ]
        )
        for name in ("retrieval", "geometry")
    ]
    sets = {"all": None} | ({"seen": work.parameters["seen"]} if work.parameters["seen"] is not None else {})
    sampling = {"resamples": work.parameters["resamples"], "seed": work.parameters["seed"]}
    found = [correlation(*tables, seen=seen, **sampling).assign(among=among) for among, seen in sets.items()]
    return {"correlation": pd.concat(found, ignore_index=True).drop(columns=list(after))}


def project(work: Work) -> dict[str, pd.DataFrame]:
    """Project the original and the steered space together."""
    spaces = {name: _spaces(work, name) for name in (schema.ORIGINAL, schema.STEERED)}
    settings = dict(work.parameters)
    with_text = settings.pop("text")
    available = len(work.corpora.evaluation)
    sentences = settings["sentences"] = min(settings["sentences"] or available, available)
    points = sentences * sum(map(len, spaces.values()))
    settings["n_neighbors"] = min(settings["n_neighbors"], points - 1)
    table = projection(spaces, **settings)
    if with_text:
        evaluation = work.corpora.evaluation
        table["text"] = [evaluation[code][row] for code, row in zip(table.language, table.sentence, strict=True)]
    return {"projection": table}


def _retrieval(spaces: dict[str, np.ndarray], layer: int) -> dict[str, pd.DataFrame]:
    """Return accuracies, and beside them which sentences were found."""
    answers = find_answers(spaces)
    table = retrieval_table(answers)
    table.insert(0, "layer", layer)
    return {"retrieval": table, "hits": hits_table(answers)}


def _spaces(work: Work, name: str) -> dict[str, np.ndarray]:
    """Return embeddings by language, in the corpus's order, which a file does not keep."""
    return {code: work.needs[name][code] for code in work.corpora.evaluation.languages}
