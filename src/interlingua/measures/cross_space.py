"""One space seen from another: where its languages lie among the other's, and what is found there."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd

from interlingua.errors import InputError
from interlingua.measures.cosine import aligned_directions
from interlingua.measures.geometry import distance, unit_means
from interlingua.measures.search import nearest

COLUMNS = ["language", "other", "distance", "top1"]


def cross_space(space: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Measure where the languages of a space lie among those of a reference space (after the paper, section 4).

    The paper says that an edit makes a *new* space. With the edited space and the original as the reference, this says
    whether languages moved to the place that another had before.

    Args:
        space: For each language its embeddings; row i is the same sentence in each and in the reference: float
            [sentences, dimensions].
        reference: The same sentences in another space of as many dimensions.

    Returns:
        A tidy table, a row for each language of the space and each of the reference (`other`): the cosine distance of
        their mean embeddings, and top1, the share of sentences of the language whose nearest candidate among those of
        the other in the reference is their translation; a tie with a wrong one is a miss.

    Raises:
        InputError: The spaces differ in sentences or dimensions, or fewer than two sentences.
        ActivationError: An embedding, or a language's mean, has no direction.

    Example:
        >>> eye = np.eye(3)
        >>> cross_space({"spa_Latn": eye}, {"spa_Latn": eye, "fra_Latn": eye[::-1] + 0.1}).round(2)
           language     other  distance  top1
        0  spa_Latn  spa_Latn       0.0  1.00
        1  spa_Latn  fra_Latn       0.0  0.33
    """
    clouds = {**{f"{code} of the space": cloud for code, cloud in space.items()},
              **{f"{code} of the reference": cloud for code, cloud in reference.items()}}  # fmt: skip
    if not space or not reference:
        raise InputError("both spaces need a language")
    known = aligned_directions(clouds)
    cosines = unit_means(space) @ unit_means(reference).T
    rows = []
    for (i, code), (j, other) in product(enumerate(space), enumerate(reference)):
        queries, candidates = known[f"{code} of the space"], known[f"{other} of the reference"]
        answers = nearest(queries, candidates, np.arange(len(queries)))
        rows.append((code, other, distance(cosines[i, j]), answers.top1))
    return pd.DataFrame(rows, columns=COLUMNS)
