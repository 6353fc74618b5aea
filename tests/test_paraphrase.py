import numpy as np
import pytest
from scipy.spatial.distance import cdist

import interlingua as il
from interlingua.errors import ActivationError, InputError


def paraphrases(seed, sizes=None):
    random = np.random.default_rng(seed)
    result = {}
    for code, n in (sizes or {"spa_Latn": 30, "jpn_Jpan": 18}).items():
        sentences = random.normal(size=(n, 6))
        result[code] = (sentences, sentences + 0.7 * random.normal(size=(n, 6)))
    return result


def top1(queries, candidates):
    return (cdist(queries, candidates, "cosine").argmin(axis=1) == np.arange(len(queries))).mean()


def test_three_conditions_equal_a_direct_computation():
    original, edited = paraphrases(0), paraphrases(1)
    table = il.paraphrase(original, edited).set_index(["condition", "language"])
    for code, n in (("spa_Latn", 30), ("jpn_Jpan", 18)):
        assert table.top1["pre", code] == top1(*original[code])
        assert table.top1["post", code] == top1(*edited[code])
        assert table.top1["mixed", code] == top1(original[code][0], edited[code][1])
        assert set(table.xs(code, level="language").n) == {n}
    assert table.top1["pre"].between(0.3, 0.99).all()
    assert (table.low <= table.top1).all()
    assert (table.top1 <= table.high).all()
    assert (table.high - table.low > 0.1).all()


def test_a_repeated_paraphrase_is_a_miss():
    sentences = np.eye(4)
    assert il.paraphrase({"eng_Latn": (sentences, sentences[[0, 1, 1, 3]])}).top1.tolist() == [0.5]


def test_the_original_alone_is_pre():
    table = il.paraphrase(paraphrases(0))
    assert set(table.condition) == {"pre"}
    assert table.language.tolist() == ["spa_Latn", "jpn_Jpan"]


def test_wrong_paraphrases_are_errors():
    original = paraphrases(0)
    with pytest.raises(InputError, match="same languages"):
        il.paraphrase(original, {"spa_Latn": original["spa_Latn"]})
    with pytest.raises(InputError, match=r"jpn_Jpan \(post\): as many paraphrases"):
        il.paraphrase(original, paraphrases(1, {"spa_Latn": 30, "jpn_Jpan": 17}))
    with pytest.raises(InputError, match=r"spa_Latn \(pre\)"):
        il.paraphrase({"spa_Latn": (np.eye(3), np.eye(4))})
    edited = paraphrases(1)
    edited["jpn_Jpan"][1][2] = 0
    with pytest.raises(ActivationError, match="sentence 3 in jpn_Jpan"):
        il.paraphrase(original, edited)
