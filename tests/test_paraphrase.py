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


def test_it_equals_a_direct_computation():
    original, edited = paraphrases(0), paraphrases(1)
    mixed = {code: (original[code][0], edited[code][1]) for code in original}
    for pairs in (original, edited, mixed):
        table = il.paraphrase(pairs).set_index("language")
        for code, n in (("spa_Latn", 30), ("jpn_Jpan", 18)):
            assert table.top1[code] == top1(*pairs[code])
            assert table.n[code] == n
        assert (table.low <= table.top1).all()
        assert (table.top1 <= table.high).all()
        assert (table.high - table.low > 0.1).all()
    assert il.paraphrase(original).top1.between(0.3, 0.99).all()


def test_a_repeated_paraphrase_is_a_miss():
    sentences = np.eye(4)
    assert il.paraphrase({"eng_Latn": (sentences, sentences[[0, 1, 1, 3]])}).top1.tolist() == [0.5]


def test_languages_stay_in_their_order():
    assert il.paraphrase(paraphrases(0)).language.tolist() == ["spa_Latn", "jpn_Jpan"]


def test_wrong_paraphrases_are_errors():
    with pytest.raises(InputError, match="spa_Latn has 3 sentences and 4 paraphrases"):
        il.paraphrase({"spa_Latn": (np.eye(3), np.eye(4))})
    pairs = paraphrases(1)
    pairs["jpn_Jpan"][1][2] = 0
    with pytest.raises(ActivationError, match="sentence 3 in jpn_Jpan"):
        il.paraphrase(pairs)
