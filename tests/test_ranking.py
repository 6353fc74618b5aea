import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from interlingua.errors import ActivationError, InputError
from interlingua.experts import auroc_by_language, score_neurons
from interlingua.experts.holding import NUMPY_TYPES
from interlingua.experts.ranking import _Ranking
from interlingua.experts.ranking_on_device import rank_on_device

# Few distinct values make many ties; -0.0 and 0.0 are one number; extremes test the order of the bits.
TIED = st.sampled_from([-3.0e38, -1.5, -1.0, -1e-45, -0.0, 0.0, 1e-45, 0.5, 1.0, 3.0e38])
ANY = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def scored_sentences(draw):
    languages = draw(st.integers(2, 4))
    sentences = draw(st.integers(languages, 30))
    extra = draw(arrays(np.int64, sentences - languages, elements=st.integers(0, languages - 1)))
    labels = np.concatenate([np.arange(languages), extra])
    elements = draw(st.sampled_from([TIED, ANY]))
    values = draw(arrays(np.float32, (sentences, draw(st.integers(1, 5))), elements=elements))
    return values, labels, languages


@given(scored_sentences())
def test_auroc_equals_scikit_learns(case):
    values, labels, languages = case
    ours = auroc_by_language(values, labels, languages)
    for language in range(languages):
        for neuron in range(values.shape[1]):
            theirs = roc_auc_score(labels == language, values[:, neuron].astype(np.float64))
            assert abs(ours[language, neuron] - theirs) < 1e-12


@given(scored_sentences())
def test_average_precision_equals_scikit_learns(case):
    values, labels, languages = case
    ours = score_neurons(values, labels, languages).average_precision
    for language in range(languages):
        for neuron in range(values.shape[1]):
            theirs = average_precision_score(labels == language, values[:, neuron].astype(np.float64))
            assert abs(ours[language, neuron] - theirs) < 1e-12


def slope_of_matched_quantiles(positives, others):
    """Repeat both samples to one length, sort, and fit a line: the optimal coupling by brute force."""
    x, y = np.sort(np.repeat(others, len(positives))), np.sort(np.repeat(positives, len(others)))
    return np.polyfit(x, y, 1)[0] if x[0] != x[-1] else 1.0


@given(st.integers(0, 500), st.integers(2, 4), st.integers(0, 14), st.booleans(), st.sampled_from([0.0, 1000.0]))
def test_statistics_equal_numpys(seed, languages, more, ties, middle):
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(languages), random.integers(0, languages, more)])
    values = random.normal(size=(len(labels), 3)).astype(np.float32)
    values = np.float32(middle) + (np.round(values) if ties else values)
    statistics = score_neurons(values, labels, languages).statistics
    for c in range(languages):
        positives, others = values[labels == c].astype(np.float64), values[labels != c].astype(np.float64)
        for name, expected in {
            "mean": positives.mean(0), "median": np.median(positives, axis=0), "std": positives.std(0),
            "other_mean": others.mean(0), "other_median": np.median(others, axis=0), "other_std": others.std(0),
        }.items():  # fmt: skip
            np.testing.assert_allclose(statistics.arrays()[name][c], expected, atol=1e-6, rtol=1e-6)
        for m in range(3):
            slope = slope_of_matched_quantiles(positives[:, m] - middle, others[:, m] - middle)
            assert statistics.transport_slope[c, m] == pytest.approx(slope, rel=1e-4, abs=1e-6)


@given(scored_sentences())
def test_torch_ranks_and_describes_as_the_compiled_loops_do(case):
    values, labels, languages = case
    values = np.clip(values, -100, 100).round(2)
    counts = np.bincount(labels)
    doubled, precision, statistics = rank_on_device(torch.from_numpy(values), torch.from_numpy(labels), counts)
    ours = score_neurons(values, labels, languages)
    positives, negatives = counts[:, None], len(labels) - counts[:, None]
    auroc = (doubled.numpy() - positives * (positives + 1)) / (2 * positives * negatives)
    np.testing.assert_array_equal(auroc, ours.auroc)
    np.testing.assert_allclose(precision.numpy() / positives, ours.average_precision, atol=1e-12)
    for i, (name, expected) in enumerate(ours.statistics.arrays().items()):
        np.testing.assert_allclose(statistics[:, i].numpy(), expected, rtol=1e-4, atol=1e-3, err_msg=name)


def test_an_accelerator_takes_the_torch_path_a_chunk_at_a_time(monkeypatch):
    monkeypatch.setattr("interlingua.experts.ranking.NUMBERS_AT_A_TIME", 60 * 7)
    random = np.random.default_rng(0)
    values, labels = random.normal(size=(60, 25)).astype(np.float32), np.repeat(np.arange(3), 20)
    ranking = _Ranking(values, labels, 3)
    ranking.on_device(torch.device("cpu"))
    np.testing.assert_array_equal(ranking.scores().auroc, auroc_by_language(values, labels, 3))
    values[41, 17] = np.inf
    with pytest.raises(ActivationError, match="neuron 17 answers sentence 42 with inf"):
        _Ranking(values, labels, 3).on_device(torch.device("cpu"))


@given(scored_sentences(), st.data(), st.sampled_from([np.nan, -np.nan, np.inf, -np.inf]))
def test_a_response_that_is_not_finite_is_an_error_that_names_it(case, data, bad):
    values, labels, languages = case
    sentence, neuron = data.draw(st.integers(0, len(values) - 1)), data.draw(st.integers(0, values.shape[1] - 1))
    values = values.copy()
    values[sentence, neuron] = bad
    with pytest.raises(ActivationError, match=f"neuron {neuron} answers sentence {sentence + 1} with -?(nan|inf)"):
        auroc_by_language(values, labels, languages)


@given(st.integers(0, 500), st.integers(2, 6))
def test_languages_of_a_single_sentence(seed, languages):
    values = np.random.default_rng(seed).normal(size=(languages, 2)).astype(np.float32)
    scores = score_neurons(values, np.arange(languages), languages)
    for language in range(languages):
        below = (values < values[language]).sum(axis=0) / (languages - 1)
        np.testing.assert_allclose(scores.auroc[language], below)
    assert (scores.statistics.std == 0).all()
    np.testing.assert_array_equal(scores.statistics.mean, values)


@pytest.mark.parametrize("dtype", NUMPY_TYPES)
def test_many_neurons_across_chunks_equal_scikit_learns(monkeypatch, dtype, tmp_path):
    random = np.random.default_rng(0)
    values = random.normal(size=(90, 150)).astype(NUMPY_TYPES[dtype])
    labels = np.repeat(np.arange(3), 30)
    theirs = [[roc_auc_score(labels == c, values[:, m].astype(np.float64)) for m in range(150)] for c in range(3)]
    np.testing.assert_allclose(auroc_by_language(values, labels, 3), theirs, atol=1e-12, rtol=0)
    monkeypatch.setattr("interlingua.experts.ranking.SLAB_BYTES", 90 * 70 * values.itemsize)
    values.tofile(tmp_path / "values")
    on_disk = np.memmap(tmp_path / "values", dtype=values.dtype, mode="r", shape=values.shape)
    np.testing.assert_allclose(auroc_by_language(on_disk, labels, 3), theirs, atol=1e-12, rtol=0)


def test_a_neuron_that_answers_all_alike_is_at_chance():
    assert (auroc_by_language(np.ones((6, 2), np.float32), np.array([0, 0, 1, 1, 2, 2]), 3) == 0.5).all()


@pytest.mark.parametrize(("labels", "languages"), [([0, 0], 1), ([0, 0], 2)])
def test_one_language_is_an_error(labels, languages):
    with pytest.raises(InputError, match="at least two languages"):
        auroc_by_language(np.ones((2, 1), np.float32), np.array(labels), languages)
