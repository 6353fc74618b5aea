import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import f1_score

import interlingua as il
from interlingua.errors import ActivationError, InputError
from interlingua.measures import search
from interlingua.measures.cosine import directions
from interlingua.measures.search import Answers, nearest

SCORINGS = ("cosine", "csls", "margin")


def spaces_of(seed, n=40, d=6, languages=("eng_Latn", "spa_Latn", "fra_Latn"), noise=0.5, apart=0.5):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n, d)) + 1
    return {code: shared + noise * random.normal(size=(n, d)) + apart * random.normal(size=d) for code in languages}


def with_hubs_and_repeats(seed):
    """Return spaces in which sentences are repeated, some nearly, and one candidate is near to all."""
    spaces = spaces_of(seed)
    spaces["spa_Latn"][7] = spaces["spa_Latn"].mean(axis=0)
    spaces["spa_Latn"][20] = spaces["spa_Latn"][21]
    spaces["eng_Latn"][3] = spaces["eng_Latn"][4] * 2
    spaces["fra_Latn"][30] = spaces["fra_Latn"][11] + 1e-9
    return spaces


def crowded(seed, n=60, d=32):
    """Return float32 spaces so narrow that a float32 product cannot tell the sentences apart, and float64 can."""
    spaces = spaces_of(seed, n=n, d=d, noise=1.0)
    far = 10 * np.random.default_rng(seed + 1).normal(size=d)
    return {code: (far + 0.003 * space).astype(np.float32) for code, space in spaces.items()}


def by_hand(first, second, scoring, k):
    """Return the scores of all pairs, from the formulas, one number at a time."""
    cosines = 1 - cdist(first, second, "cosine")
    near_first = [np.mean(sorted(row)[-k:]) for row in cosines]
    near_second = [np.mean(sorted(column)[-k:]) for column in cosines.T]
    scores = np.empty_like(cosines)
    for i, x in enumerate(near_first):
        for j, y in enumerate(near_second):
            csls = 2 * cosines[i, j] - x - y
            scores[i, j] = {"cosine": cosines[i, j], "csls": csls, "margin": cosines[i, j] / (x / 2 + y / 2)}[scoring]
    return scores


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("seed", range(3))
def test_accuracy_and_f1_equal_a_computation_by_hand(scoring, seed):
    spaces = spaces_of(seed)
    k = None if scoring == "cosine" else 5
    table = il.retrieval(spaces, scoring=scoring, n_neighbors=k).set_index(["query", "candidate"])
    for a in spaces:
        for b in spaces:
            chosen = by_hand(spaces[a], spaces[b], scoring, 5).argmax(axis=1)
            assert table.top1[a, b] == (chosen == np.arange(40)).mean()
            f1 = f1_score(np.arange(40), chosen, average="weighted", zero_division=0)
            assert table.f1[a, b] == pytest.approx(f1, abs=1e-12)


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("make", [spaces_of, with_hubs_and_repeats, crowded])
@pytest.mark.parametrize("tile", [1, 7, 39])
def test_tiles_change_nothing(monkeypatch, scoring, make, tile):
    spaces = make(5)
    whole = il.retrieval(spaces, scoring=scoring)
    monkeypatch.setattr(search, "TILE", tile)
    pd.testing.assert_frame_equal(il.retrieval(spaces, scoring=scoring), whole, check_exact=True)


@pytest.mark.parametrize("make", [spaces_of, with_hubs_and_repeats, crowded])
@pytest.mark.parametrize("tile", [7, 2048])
def test_torch_answers_as_numpy_does(monkeypatch, make, tile):
    """No GPU is needed: torch on the CPU takes the way that products on a GPU take."""
    spaces = make(5)
    monkeypatch.setattr(search, "accelerator", lambda: None)
    expected = il.retrieval(spaces)
    monkeypatch.setattr(search, "TILE", tile)
    monkeypatch.setattr(search, "accelerator", lambda: torch.device("cpu"))
    pd.testing.assert_frame_equal(il.retrieval(spaces), expected, check_exact=True)


@pytest.mark.parametrize("seed", range(3))
def test_float64_decides_where_float32_cannot(seed):
    spaces = crowded(seed)
    table = il.retrieval(spaces).set_index(["query", "candidate"]).top1
    disagreements = 0
    for a in spaces:
        for b in spaces:
            if a == b:
                continue
            one, other = directions(spaces[a], a), directions(spaces[b], b)
            exact = (one.double() @ other.double().T).argmax(axis=1)
            assert table[a, b] == (exact == np.arange(60)).mean()
            disagreements += ((one.single @ other.single.T).argmax(axis=1) != exact).sum()
    assert disagreements  # or else the spaces are too easy to show anything


def test_a_tie_is_a_miss_in_every_score():
    spaces = spaces_of(0, noise=0.01, apart=0)
    spaces["spa_Latn"][1] = 3 * spaces["spa_Latn"][0]
    for scoring in SCORINGS:
        table = il.retrieval(spaces, scoring=scoring).set_index(["query", "candidate"])
        assert table.top1["eng_Latn", "fra_Latn"] == 1
        assert table.top1["eng_Latn", "spa_Latn"] == 38 / 40
        assert table.f1["eng_Latn", "spa_Latn"] <= 38 / 40


@given(st.data())
def test_f1_equals_scikit_learn(data):
    pool = data.draw(st.integers(2, 12))
    candidates = st.integers(0, pool - 1)
    pairs = data.draw(st.lists(st.tuples(candidates, candidates), min_size=1, max_size=30))
    gold, chosen = np.array(pairs).T
    expected = f1_score(gold, chosen, average="weighted", zero_division=0)
    assert Answers(chosen, gold, pool).f1 == pytest.approx(expected, abs=1e-12)


def test_hubs_cost_less_with_a_corrected_score():
    spaces = spaces_of(1, n=200, d=20, languages=("eng_Latn", "spa_Latn"), noise=0.9)
    means = [il.retrieval(spaces, scoring=scoring).query("query != candidate").top1.mean() for scoring in SCORINGS]
    assert means[0] < min(means[1:])


def test_wrong_scorings_are_errors():
    spaces = spaces_of(0, n=6)
    with pytest.raises(InputError, match="unknown scoring 'dot'; use cosine, csls, margin"):
        il.retrieval(spaces, scoring="dot")
    with pytest.raises(InputError, match="1 to 6 neighbours, no more than there are sentences; not 10"):
        il.retrieval(spaces, scoring="csls")
    with pytest.raises(InputError, match="cosine similarity takes no neighbours"):
        il.retrieval(spaces, n_neighbors=3)
    opposite = {"eng_Latn": np.eye(4) + 0.1, "spa_Latn": -np.eye(4) - 0.1}
    with pytest.raises(InputError, match="ratio margin is not defined"):
        il.retrieval(opposite, scoring="margin", n_neighbors=4)
    with pytest.raises(InputError, match="same number of dimensions"):
        il.retrieval({"eng_Latn": np.eye(4), "spa_Latn": np.ones((4, 3))})
    with pytest.raises(InputError, match="must be numbers"):
        il.retrieval({"eng_Latn": np.ones(4), "spa_Latn": np.ones(4)})


def test_no_languages_give_an_empty_table():
    assert il.retrieval({}).empty


def hidden_pairs(seed):
    """Return 30 and 45 sentences of which 12 pairs translate each other."""
    random = np.random.default_rng(seed)
    first, second = random.normal(size=(30, 5)) + 1, random.normal(size=(45, 5)) + 1
    gold = np.stack([random.choice(30, 12, replace=False), random.choice(45, 12, replace=False)], axis=1)
    second[gold[:, 1]] = first[gold[:, 0]] + 0.9 * random.normal(size=(12, 5))
    return first, second, gold


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("tile", [5, 2048])
def test_gold_pairs_among_distractors(monkeypatch, scoring, tile):
    monkeypatch.setattr(search, "TILE", tile)
    first, second, gold = hidden_pairs(3)
    languages = ("zho_Hans", "eng_Latn")
    k = None if scoring == "cosine" else 4
    table = il.bitext({languages: (first, second)}, gold={languages: gold}, scoring=scoring, n_neighbors=k)
    scores = by_hand(first, second, scoring, 4)
    for row, matrix, right, queries in ((0, scores, gold[:, 1], gold[:, 0]), (1, scores.T, gold[:, 0], gold[:, 1])):
        chosen = matrix[queries].argmax(axis=1)
        assert table.top1[row] == (chosen == right).mean()
        assert table.f1[row] == pytest.approx(f1_score(right, chosen, average="weighted", zero_division=0), abs=1e-12)
        assert table.n[row] == 12
        assert 0 < table.top1[row] < 1
    assert table.pool.tolist() == [45, 30]
    assert table["query"].tolist() == ["zho_Hans", "eng_Latn"]


def test_bitext_without_gold_is_retrieval_there_and_back():
    german, english = spaces_of(2, languages=("deu_Latn", "eng_Latn")).values()
    thai, other_english = spaces_of(3, n=25, languages=("tha_Thai", "eng_Latn")).values()
    table = il.bitext({("deu_Latn", "eng_Latn"): (german, english), ("tha_Thai", "eng_Latn"): (thai, other_english)})
    assert table.n.tolist() == [40, 40, 25, 25]
    expected = il.retrieval({"deu_Latn": german, "eng_Latn": english}).set_index(["query", "candidate"])
    for column in ("top1", "low", "high", "f1"):
        assert table[column][0] == expected[column]["deu_Latn", "eng_Latn"]
        assert table[column][1] == expected[column]["eng_Latn", "deu_Latn"]


def test_a_sentence_in_two_gold_pairs_asks_twice():
    first, second = np.eye(3), np.array([[1.0, 0.1, 0.0], [1.0, 0.2, 0.0], [0.0, 1.0, 0.0]])
    pairs = {("deu_Latn", "eng_Latn"): (first, second)}
    table = il.bitext(pairs, gold={("deu_Latn", "eng_Latn"): [[0, 0], [0, 1], [1, 2]]})
    assert table.top1[0] == pytest.approx(2 / 3)
    assert table.f1[0] == pytest.approx(f1_score([0, 1, 2], [0, 0, 2], average="weighted", zero_division=0))


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        ([[0, 45]], "name rows 0 to 45, but there are 30 and 45"),
        ([[-1, 0]], "name rows -1 to 0"),
        ([[0.0, 1.0]], "must be row numbers"),
        (np.empty((0, 2), dtype=int), "at least one pair"),
    ],
)
def test_wrong_gold_is_an_error(gold, message):
    first, second, _ = hidden_pairs(0)
    languages = ("zho_Hans", "eng_Latn")
    with pytest.raises(InputError, match=message):
        il.bitext({languages: (first, second)}, gold={languages: gold})


def test_wrong_bitext_is_an_error():
    first, second, gold = hidden_pairs(0)
    with pytest.raises(InputError, match="have 30 and 45 sentences: give `gold`"):
        il.bitext({("zho_Hans", "eng_Latn"): (first, second)})
    with pytest.raises(InputError, match="no embeddings"):
        il.bitext({}, gold={("zho_Hans", "eng_Latn"): gold})
    with pytest.raises(InputError, match="same number of dimensions"):
        il.bitext({("zho_Hans", "eng_Latn"): (first, first[:, :3])})
    first[4] = np.nan
    with pytest.raises(ActivationError, match="sentence 5 in zho_Hans"):
        il.bitext({("zho_Hans", "eng_Latn"): (first, second)}, gold={("zho_Hans", "eng_Latn"): gold})


@pytest.mark.parametrize("scoring", SCORINGS)
def test_progress_ends_where_it_said_it_would(monkeypatch, bars, scoring):
    monkeypatch.setattr(search, "TILE", 16)
    first, second, gold = hidden_pairs(0)
    languages = ("zho_Hans", "eng_Latn")
    for pairs, rows in (({languages: (first, second)}, {languages: gold}), ({languages: (first, second[:30])}, None)):
        il.bitext(pairs, gold=rows, scoring=scoring)
        bar = bars.shown[-1]
        assert bar.seen == list(range(bar.total + 1))
        assert bar.total > 1


def test_a_search_can_be_interrupted(monkeypatch, bars):
    bars.stop_at = 2
    monkeypatch.setattr(search, "TILE", 16)
    first, second = hidden_pairs(0)[:2]
    with pytest.raises(KeyboardInterrupt):
        il.bitext({("zho_Hans", "eng_Latn"): (first, second[:30])})
    with pytest.raises(KeyboardInterrupt):
        il.retrieval(spaces_of(0))


def test_one_way_search_equals_both_ways():
    first, second = spaces_of(9, languages=("eng_Latn", "spa_Latn")).values()
    one, other = directions(first, "eng_Latn"), directions(second, "spa_Latn")
    there, back = search.nearest_both_ways(one, other)
    assert (nearest(one, other, np.arange(40)).chosen == there.chosen).all()
    assert (nearest(other, one, np.arange(40)).chosen == back.chosen).all()
