import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import interlingua as il
from interlingua.analysis.correlation import pearson
from interlingua.errors import InputError

CODES = ["eng_Latn", "spa_Latn", "fra_Latn", "deu_Latn", "ita_Latn", "por_Latn", "jpn_Jpan"]
EDIT = {"condition": "steered", "target": "spa_Latn", "kind": "set-to-mean", "k": 100}
ORIGINAL = {"condition": "original", "target": None, "kind": None, "k": 0}


def tables(seed=0):
    """Return accuracies and distances of two conditions as a study writes them."""
    random = np.random.default_rng(seed)
    accuracy, distance = [], []
    for condition in (ORIGINAL, EDIT):
        values = {pair: random.random() for pair in itertools.combinations(CODES, 2)}
        for (a, b), value in values.items():
            distance.append({**condition, "measure": "distance", "language": a, "other": b, "value": value})
            distance.append({**condition, "measure": "distance_of_means", "language": a, "other": b, "value": value**3})
            for query, candidate in ((a, b), (b, a)):
                top1 = 1 - value + 0.2 * random.random()
                accuracy.append({**condition, "query": query, "candidate": candidate, "n": 100, "top1": top1})
        accuracy.extend({**condition, "query": a, "candidate": a, "n": 100, "top1": 1.0} for a in CODES)
    return pd.DataFrame(accuracy), pd.DataFrame(distance)


def of_candidate(table, condition, code, value):
    rows = table[table.condition == condition]
    if value == "top1":
        return rows[(rows["query"] == "spa_Latn") & (rows.candidate == code)].top1.item()
    rows = rows[rows.measure == "distance"]
    return rows[rows.apply(lambda row: {row.language, row.other} == {"spa_Latn", code}, axis=1)].value.item()


def test_the_four_correlations_equal_scipy():
    accuracy, distance = tables()
    table = il.correlation(accuracy, distance, resamples=200).set_index("correlation")
    others = [code for code in CODES if code != "spa_Latn"]
    acc_pre = np.array([of_candidate(accuracy, "original", code, "top1") for code in others])
    acc_post = np.array([of_candidate(accuracy, "steered", code, "top1") for code in others])
    d_pre = np.array([of_candidate(distance, "original", code, "value") for code in others])
    d_post = np.array([of_candidate(distance, "steered", code, "value") for code in others])
    expected = {
        "acc_post ~ d_post": (acc_post, d_post),
        "acc_pre ~ d_pre": (acc_pre, d_pre),
        "d_post ~ d_pre": (d_post, d_pre),
        "gain ~ d_pre - d_post": (acc_post - acc_pre, d_pre - d_post),
    }
    assert list(table.index) == list(expected)
    for name, (x, y) in expected.items():
        r, p = stats.pearsonr(x, y)
        assert table.r[name] == pytest.approx(r)
        assert table.p[name] == pytest.approx(p)
        assert table.low[name] <= r <= table.high[name]
    assert (table.candidates == 6).all()
    assert table.defined.all()
    assert (table.target == "spa_Latn").all()


def test_the_interval_equals_scipys_percentile_bootstrap():
    random = np.random.default_rng(1)
    x = random.normal(size=18)
    y = -x + random.normal(size=18)
    found = pearson(x, y, resamples=20_000, seed=0)
    expected = stats.bootstrap(
        (x, y), lambda x, y: stats.pearsonr(x, y).statistic, paired=True, vectorized=False, n_resamples=3000,
        method="percentile", rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)
    assert found.resamples == 20_000


def test_the_same_seed_gives_the_same_interval():
    accuracy, distance = tables()
    table = il.correlation(accuracy, distance, seed=3, resamples=300)
    pd.testing.assert_frame_equal(table, il.correlation(accuracy, distance, seed=3, resamples=300), check_exact=True)
    assert (table.low != il.correlation(accuracy, distance, seed=4, resamples=300).low).any()


def test_unseen_candidates_are_left_out():
    accuracy, distance = tables()
    seen = ["eng_Latn", "spa_Latn", "fra_Latn", "deu_Latn", "por_Latn"]
    table = il.correlation(accuracy, distance, seen=seen, resamples=100)
    assert (table.candidates == 4).all()
    kept = np.array([of_candidate(accuracy, "steered", c, "top1") for c in seen if c != "spa_Latn"])
    apart = np.array([of_candidate(distance, "steered", c, "value") for c in seen if c != "spa_Latn"])
    assert table.r[0] == pytest.approx(stats.pearsonr(kept, apart).statistic)


def test_the_second_reading_of_distance():
    accuracy, distance = tables()
    first = il.correlation(accuracy, distance, resamples=100)
    second = il.correlation(accuracy, distance, distance="distance_of_means", resamples=100)
    assert (first.r != second.r).all()


def test_a_constant_side_is_said_and_is_no_number():
    accuracy, distance = tables()
    accuracy.loc[accuracy.condition == "original", "top1"] = 0.0
    distance.loc[distance.condition == "original", "value"] = 0.7 + 1e-9 * np.arange(42)  # the paper's footnote 5
    table = il.correlation(accuracy, distance, resamples=100).set_index("correlation")
    assert table.defined.to_dict() == {
        "acc_post ~ d_post": True,
        "acc_pre ~ d_pre": False,
        "d_post ~ d_pre": False,
        "gain ~ d_pre - d_post": True,
    }
    assert table.reason["acc_pre ~ d_pre"] == "acc_pre is constant"
    assert table.reason["d_post ~ d_pre"] == "d_pre is constant"
    assert table.loc["acc_pre ~ d_pre", ["r", "low", "high", "p"]].isna().all()
    assert table.loc["acc_post ~ d_post", ["r", "low", "high", "p"]].notna().all()


def test_too_few_candidates_are_said():
    accuracy, distance = tables()
    table = il.correlation(accuracy, distance, seen=["eng_Latn", "fra_Latn"])
    assert not table.defined.any()
    assert set(table.reason) == {"2 candidates; at least three are needed"}


values = st.lists(st.floats(-1, 1, width=16), min_size=0, max_size=8)


@given(values, values)
def test_a_correlation_is_a_number_or_a_reason(x, y):
    n = min(len(x), len(y))
    found = pearson(np.array(x[:n]), np.array(y[:n]), resamples=50)
    numbers = (found.r, found.low, found.high, found.p)
    if found.reason:
        assert numbers == (None,) * 4
    else:
        assert np.isfinite(numbers).all()
        assert -1 <= found.low <= found.high <= 1


def test_tables_that_do_not_fit_are_errors():
    accuracy, distance = tables()
    with pytest.raises(InputError, match="need the same candidates"):
        il.correlation(accuracy[accuracy.condition != "original"], distance)
    with pytest.raises(InputError, match="need the same candidates"):
        il.correlation(accuracy[accuracy.candidate != "ita_Latn"], distance)
    with pytest.raises(InputError, match="no measure 'euclidean'"):
        il.correlation(accuracy, distance, distance="euclidean")
    with pytest.raises(InputError, match="one layer at a time"):
        il.correlation(pd.concat([accuracy.assign(layer=-1), accuracy.assign(layer=3)]), distance)
    with pytest.raises(InputError, match="at least one resample"):
        il.correlation(accuracy, distance, resamples=0)
