import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, cosine

import interlingua as il
from interlingua.errors import ActivationError, InputError


def random_spaces(seed, languages=4, n=12, d=5):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n, d))
    codes = ["eng_Latn", "spa_Latn", "fra_Latn", "jpn_Jpan"][:languages]
    return {code: shared + random.normal(size=(n, d)) + random.normal(size=d) for code in codes}


@given(st.integers(0, 1000))
def test_retrieval_equals_a_direct_computation(seed):
    spaces = random_spaces(seed)
    table = il.retrieval(spaces).set_index(["query", "candidate"]).top1
    for a in spaces:
        for b in spaces:
            nearest = cdist(spaces[a], spaces[b], "cosine").argmin(axis=1)
            assert table[a, b] == pytest.approx((nearest == np.arange(12)).mean())


def test_a_tie_with_a_wrong_candidate_is_a_miss():
    space = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    scaled = {"eng_Latn": space, "spa_Latn": space * [[1], [7], [3]]}
    table = il.retrieval(scaled).set_index(["query", "candidate"]).top1
    assert table["eng_Latn", "spa_Latn"] == table["spa_Latn", "eng_Latn"] == pytest.approx(1 / 3)
    same = {"eng_Latn": np.ones((4, 2)), "spa_Latn": np.ones((4, 2))}
    assert (il.retrieval(same).top1 == 0).all()


@given(st.integers(0, 1000))
def test_geometry_equals_a_direct_computation(seed):
    spaces = random_spaces(seed)
    table = il.geometry(spaces)
    means = {code: space.mean(axis=0) for code, space in spaces.items()}
    apart = table[table.measure == "distance"].set_index(["language", "other"]).value
    between_means = table[table.measure == "distance_of_means"].set_index(["language", "other"]).value
    assert len(apart) == len(between_means) == 6
    for a, b in apart.index:
        by_hand = np.mean([cosine(x, y) for x, y in zip(spaces[a], spaces[b], strict=True)])
        assert apart[a, b] == pytest.approx(by_hand)
        assert between_means[a, b] == pytest.approx(cosine(means[a], means[b]))
    medoid = min(means, key=lambda code: sum(cosine(means[code], other) for other in means.values()))
    to_medoid = table[table.measure == "distance_to_medoid"].set_index("language")
    assert (to_medoid.other == medoid).all()
    for code in spaces:
        assert to_medoid.value[code] == pytest.approx(cosine(means[code], means[medoid]), abs=1e-12)


def test_measures_need_as_many_sentences_in_each_language():
    spaces = {"eng_Latn": np.ones((3, 2)), "spa_Latn": np.ones((4, 2))}
    alone = {"eng_Latn": np.ones((1, 2)), "spa_Latn": np.ones((1, 2))}
    for measure in (il.retrieval, il.geometry):
        with pytest.raises(InputError, match="same number of sentences"):
            measure(spaces)
        with pytest.raises(InputError, match="at least two sentences"):
            measure(alone)


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
def test_an_embedding_without_a_direction_is_an_error(bad):
    spaces = random_spaces(0)
    spaces["fra_Latn"][3] = bad
    for measure in (il.retrieval, il.geometry):
        with pytest.raises(ActivationError, match="sentence 4 in fra_Latn is zero, NaN or infinite"):
            measure(spaces)


def test_tidy_columns():
    spaces = random_spaces(0)
    assert list(il.retrieval(spaces).columns) == ["query", "candidate", "n", "top1", "low", "high", "f1"]
    assert list(il.geometry(spaces).columns) == ["measure", "language", "other", "value"]
    assert isinstance(il.retrieval(spaces), pd.DataFrame)
