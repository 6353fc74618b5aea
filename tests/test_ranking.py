import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from interlingua.errors import InputError
from interlingua.experts import auroc_by_language

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


def test_many_neurons_across_chunks_equal_scikit_learns(monkeypatch):
    monkeypatch.setattr("interlingua.experts.ranking.CHUNK_NEURONS", 3)
    random = np.random.default_rng(0)
    values = random.integers(-5, 6, (90, 40)).astype(np.float32)
    labels = np.repeat(np.arange(3), 30)
    ours = auroc_by_language(values, labels, 3)
    theirs = [[roc_auc_score(labels == c, values[:, m]) for m in range(40)] for c in range(3)]
    np.testing.assert_allclose(ours, theirs, atol=1e-12, rtol=0)


def test_a_neuron_that_answers_all_alike_is_at_chance():
    assert (auroc_by_language(np.ones((6, 2), np.float32), np.array([0, 0, 1, 1, 2, 2]), 3) == 0.5).all()


@pytest.mark.parametrize(("labels", "languages"), [([0, 0], 1), ([0, 0], 2)])
def test_one_language_is_an_error(labels, languages):
    with pytest.raises(InputError, match="at least two languages"):
        auroc_by_language(np.ones((2, 1), np.float32), np.array(labels), languages)
