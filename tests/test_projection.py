import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

import interlingua as il
from interlingua.errors import ActivationError, InputError, MissingExtraError

LANGUAGES = ("eng_Latn", "spa_Latn", "jpn_Jpan")


def conditions(n=24, d=8):
    """Return two conditions in which each language is a cloud of its own."""
    random = np.random.default_rng(0)
    result = {}
    for condition in ("original", "steered"):
        centres = {code: 6 * random.normal(size=d) for code in LANGUAGES}
        result[condition] = {code: centre + random.normal(size=(n, d)) for code, centre in centres.items()}
    return result


@pytest.mark.slow
def test_the_map_is_tidy_and_keeps_clouds_together():
    table = il.projection(conditions(), n_neighbors=8)
    assert list(table.columns) == ["space", "language", "sentence", "x", "y"]
    assert len(table) == 2 * 3 * 24
    cloud = table.space + table.language
    n_neighbors = NearestNeighbors(n_neighbors=2).fit(table[["x", "y"]]).kneighbors(return_distance=False)[:, 0]
    assert (cloud.to_numpy()[n_neighbors] == cloud).mean() > 0.9


@pytest.mark.slow
def test_the_map_equals_that_of_umap():
    from umap import UMAP

    spaces = conditions()
    points = np.concatenate([space for by_language in spaces.values() for space in by_language.values()])
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    expected = UMAP(n_neighbors=8, metric="cosine", random_state=5, n_jobs=1).fit_transform(points)
    found = il.projection(spaces, n_neighbors=8, seed=5)[["x", "y"]].to_numpy()
    np.testing.assert_array_equal(found, expected)


def test_a_map_leaves_torch_its_threads(monkeypatch):
    class Numba:
        """As umap-learn: its first parallel loop sets OpenMP's threads, where only the environment had set them."""

        def __init__(self, **settings):
            pass

        def fit_transform(self, points):
            torch.set_num_threads(threads + 1)
            return points[:, :2]

    monkeypatch.setattr("umap.UMAP", Numba)
    threads = torch.get_num_threads()
    il.projection(conditions(), n_neighbors=8)
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_the_same_seed_gives_the_same_map():
    table = il.projection(conditions(), n_neighbors=8, sentences=10, seed=1)
    again = il.projection(conditions(), n_neighbors=8, sentences=10, seed=1)
    pd.testing.assert_frame_equal(table, again, check_exact=True)
    other = il.projection(conditions(), n_neighbors=8, sentences=10, seed=2)
    assert (table.x != other.x).any()


@pytest.mark.slow
def test_the_drawn_sentences_are_the_same_everywhere():
    table = il.projection(conditions(), n_neighbors=5, sentences=7)
    drawn = {tuple(sentences) for _, sentences in table.groupby(["space", "language"]).sentence}
    assert len(drawn) == 1
    (rows,) = drawn
    assert len(set(rows)) == 7
    assert list(rows) == sorted(rows)
    assert rows != tuple(range(7))


def test_wrong_input_is_an_error():
    with pytest.raises(InputError, match="no embeddings"):
        il.projection({})
    with pytest.raises(InputError, match="cannot draw 25 of 24"):
        il.projection(conditions(), sentences=25)
    with pytest.raises(InputError, match="6 points allow 2 to 5 neighbours, not 15"):
        il.projection(conditions(), sentences=1)
    spaces = conditions()
    spaces["steered"]["spa_Latn"][3] = 0
    with pytest.raises(ActivationError, match="sentence 4 in steered spa_Latn"):
        il.projection(spaces)
    spaces = conditions()
    spaces["steered"]["spa_Latn"] = spaces["steered"]["spa_Latn"][:9]
    with pytest.raises(InputError, match="same number of sentences"):
        il.projection(spaces)


def test_without_umap_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"interlingua\[plots\]"):
        il.projection(conditions())
