"""A map of spaces: embeddings of all languages in two dimensions (paper, figures 1 and 6)."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch

from interlingua.errors import InputError, MissingExtraError
from interlingua.measures.cosine import aligned_directions

COLUMNS = ["space", "language", "sentence", "x", "y"]


def projection(
    spaces: Mapping[str, Mapping[str, np.ndarray]],
    *,
    sentences: int | None = None,
    n_neighbors: int = 15,
    min_dist: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """Project embeddings to two dimensions by UMAP, all spaces and languages together (McInnes et al. 2018).

    The metric is cosine; settings other than those below are umap-learn's defaults. The same seed on the same
    machine gives the same numbers. Needs the extra `plots`.

    Args:
        spaces: For each space, by any name, and each language the embeddings; row i is the same sentence in each: float
            [sentences, dimensions].
        sentences: Project this many sentences, drawn once at random and the same in all languages and spaces; None
            takes all.
        n_neighbors: How many make a neighbourhood: few show detail, many the whole.
        min_dist: How near points may lie to each other.
        seed: Of the drawing and of UMAP.

    Returns:
        A tidy table with the columns space, language, sentence (its row), x, y.

    Raises:
        InputError: Spaces of different sentences or dimensions, or fewer than three points.
        ActivationError: An embedding has no direction.
        MissingExtraError: umap-learn is not installed.

    Example:
        Needs umap-learn, and some seconds for it to compile:

        >>> space = np.random.default_rng(0).normal(size=(12, 4))
        >>> before = {"eng_Latn": space, "spa_Latn": space + 1}
        >>> table = projection({"before": before}, n_neighbors=5)  # doctest: +SKIP
        >>> list(table.columns), len(table)  # doctest: +SKIP
        (['space', 'language', 'sentence', 'x', 'y'], 24)
    """
    clouds = {(name, code): cloud for name, by_language in spaces.items() for code, cloud in by_language.items()}
    # Errors name a cloud "before spa_Latn".
    known = aligned_directions({f"{name} {code}": cloud for (name, code), cloud in clouds.items()})
    if not known:
        raise InputError("there are no embeddings to project")
    n = len(next(iter(known.values())))
    if sentences is not None and not 1 <= sentences <= n:
        raise InputError(f"cannot draw {sentences} of {n} sentences")
    rows = np.arange(n)
    if sentences is not None:
        rows = np.sort(np.random.default_rng(seed).choice(n, sentences, replace=False))
    points = np.concatenate([cloud.single[rows] for cloud in known.values()])
    if not 2 <= n_neighbors < len(points):
        raise InputError(f"{len(points)} points allow 2 to {len(points) - 1} neighbours, not {n_neighbors}")
    placed = _umap(points, n_neighbors, min_dist, seed)
    labels = [(name, code, int(row)) for name, code in clouds for row in rows]
    return pd.DataFrame(labels, columns=COLUMNS[:3]).assign(x=placed[:, 0], y=placed[:, 1])


def _umap(points: np.ndarray, n_neighbors: int, min_dist: float, seed: int) -> np.ndarray:
    try:
        from umap import UMAP
    except ImportError as error:
        raise MissingExtraError("the projection by UMAP", "plots") from error
    with warnings.catch_warnings():
        # A space with groups far apart makes the spectral start fall back to a random one, which is seeded as well.
        warnings.filterwarnings("ignore", module="umap|sklearn")
        # One thread: with several, umap-learn cannot repeat itself.
        model = UMAP(
            n_neighbors=n_neighbors, min_dist=min_dist, metric="cosine", random_state=seed, n_jobs=1, low_memory=False
        )
        with _threads_kept():
            return np.asarray(model.fit_transform(points), dtype=np.float64)


@contextmanager
def _threads_kept() -> Generator[None]:
    """Give torch its threads back when this ends.

    Numba's first parallel loop sets OpenMP's threads to all cores, whatever the process was given, and what the model
    computes after a map would be rounded otherwise than before it.
    """
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
