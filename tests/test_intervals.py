import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from interlingua.intervals import mean_interval, mean_of_pairs_interval, newcombe, paired, wilson


@given(st.integers(1, 2000), st.data())
def test_wilson_equals_scipy(n, data):
    hits = data.draw(st.integers(0, n))
    expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_known_is_the_whole_range():
    assert wilson(0.0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    # Newcombe 1998, Statistics in Medicine 17, table II, method 10.
    [((56, 70), (48, 80), (0.0524, 0.3339)), ((9, 10), (3, 10), (0.1705, 0.8090)), ((10, 10), (0, 20), (0.6791, 1.0))],
)
def test_newcombe_equals_the_published_examples(after, before, expected):
    found = newcombe(before[0] / before[1], before[1], after[0] / after[1], after[1])
    assert found == pytest.approx(expected, abs=5e-5)


def test_the_interval_of_a_mean_equals_scipy():
    values = np.random.default_rng(0).normal(size=9)
    expected = t.interval(0.95, 8, values.mean(), values.std(ddof=1) / 3)
    assert mean_interval(values) == pytest.approx(expected)
    with pytest.raises(ValueError, match="two values"):
        mean_interval(values[:1])


def test_the_interval_over_pairs_holds_the_truth_as_often_as_it_says():
    """Pairs with effects of both languages, true mean 0: the usual interval over pairs would be far too narrow."""
    random = np.random.default_rng(0)
    held = usual = 0
    for _ in range(400):
        languages = random.normal(size=12)
        values = languages[:, None] + languages + 0.3 * random.normal(size=(12, 12))
        low, high = mean_of_pairs_interval(values)
        held += low <= 0 <= high
        low, high = mean_interval(values[~np.eye(12, dtype=bool)])
        usual += low <= 0 <= high
    assert 0.92 <= held / 400 <= 0.98
    assert usual / 400 < 0.7


def test_the_interval_over_pairs_passes_over_pairs_without_a_value():
    values = np.arange(16.0).reshape(4, 4) ** 2
    values[1] = np.nan
    low, high = mean_of_pairs_interval(values)
    kept = ~np.eye(4, dtype=bool) & ~np.isnan(values)
    assert (low + high) / 2 == pytest.approx(values[kept].mean())
    means = []
    for left_out in range(4):
        rest = kept.copy()
        rest[left_out] = rest[:, left_out] = False
        means.append(values[rest].mean())
    error = np.sqrt(3 / 4 * sum((mean - np.mean(means)) ** 2 for mean in means))
    assert high - low == pytest.approx(2 * t.ppf(0.975, 3) * error)
    with pytest.raises(ValueError, match="at least three"):
        mean_of_pairs_interval(np.ones((2, 2)))


def test_the_paired_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        before = random.random(60) < 0.5
        after = np.where(random.random(60) < 0.3, random.random(60) < 0.7, before)
        low, high = paired(before, after)
        held += low <= 0.3 * (0.7 - 0.5) <= high
    assert 0.94 < held / 2000 < 0.98


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_the_paired_interval_has_a_width_within_what_is_possible(trials):
    before, after = np.array(trials).T
    low, high = paired(before, after)
    difference = after.mean() - before.mean()
    assert -1 <= low < high <= 1
    assert low - 0.5 / len(trials) <= difference <= high + 0.5 / len(trials)
    assert paired(after, before) == pytest.approx((-high, -low))
