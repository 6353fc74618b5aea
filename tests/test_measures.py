import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, cosine

import interlingua as il
from conftest import SENTENCES, make_model
from interlingua.errors import ActivationError, InputError

TEXTS = [sentence for sentences in SENTENCES.values() for sentence in sentences]


def random_spaces(seed, languages=4, n=12, d=5):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n, d))
    codes = ["eng_Latn", "spa_Latn", "fra_Latn", "jpn_Jpan"][:languages]
    return {code: shared + random.normal(size=(n, d)) + random.normal(size=d) for code in codes}


@pytest.mark.parametrize("pool", ["mean", "last"])
@pytest.mark.parametrize("layer", [-1, 2, 1, 0, -2])
def test_embeddings_equal_those_of_single_sentences(any_model, layer, pool):
    embedded = il.embed(any_model, TEXTS, layer=layer, pool=pool)
    assert embedded.shape == (len(TEXTS), 32)
    assert embedded.dtype == np.float32
    for row, text in enumerate(TEXTS):
        with torch.no_grad():
            tokens = any_model.tokenizer(text, return_tensors="pt")
            hidden = any_model.hf(**tokens, output_hidden_states=True).hidden_states[layer][0].numpy()
        np.testing.assert_allclose(embedded[row], hidden.mean(0) if pool == "mean" else hidden[-1], atol=2e-5)


@pytest.mark.parametrize("token_budget", [1, 64, 100_000])
def test_batch_size_changes_embeddings_only_by_rounding(any_model, token_budget):
    np.testing.assert_allclose(
        il.embed(any_model, TEXTS, token_budget=token_budget), il.embed(any_model, TEXTS), atol=2e-5
    )


def test_the_same_call_gives_the_same_bits(any_model):
    assert (il.embed(any_model, TEXTS) == il.embed(any_model, TEXTS)).all()


def test_bad_embedding_arguments_are_errors(llama):
    with pytest.raises(InputError, match="layer must lie between -3 and 2"):
        il.embed(llama, TEXTS, layer=3)
    with pytest.raises(InputError, match="unknown pool 'max'; use mean, last"):
        il.embed(llama, TEXTS, pool="max")


def test_an_embedding_that_is_not_finite_is_an_error():
    model = make_model("llama")
    with torch.no_grad():
        model.hf.get_submodule("model.norm").weight[0] = float("nan")
    with pytest.raises(ActivationError, match="embedding of sentence 1 is NaN"):
        il.embed(model, TEXTS)


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


def test_cut_sentences_are_a_warning(llama):
    with pytest.warns(UserWarning, match="1 of 2 sentences were cut to 8 tokens"):
        il.embed(llama, ["short", "a longer sentence"], max_length=8)
    with pytest.warns(UserWarning, match="cut to 256 tokens"):
        il.embed(llama, ["x" * 400])
    with pytest.raises(InputError, match="not one string"):
        il.embed(llama, "hello")


def test_tidy_columns():
    spaces = random_spaces(0)
    assert list(il.retrieval(spaces).columns) == ["query", "candidate", "n", "top1", "low", "high", "f1"]
    assert list(il.geometry(spaces).columns) == ["measure", "language", "other", "value"]
    assert isinstance(il.retrieval(spaces), pd.DataFrame)


def test_texts_are_the_same_whatever_n_and_the_batches(any_model, monkeypatch):
    texts = il.generate(any_model, n=5, seed=1, max_new_tokens=12)
    assert il.generate(any_model, n=3, seed=1, max_new_tokens=12) == texts[:3]
    monkeypatch.setattr("interlingua.measures.generation.BATCH_SIZE", 2)
    assert il.generate(any_model, n=5, seed=1, max_new_tokens=12) == texts
    assert il.generate(any_model, n=5, seed=2, max_new_tokens=12) != texts
    assert len(set(texts)) > 1


def test_sampling_follows_the_models_probabilities(llama):
    """The first byte of 3,000 texts against the softmax of the logits, by a chi-squared test."""
    from scipy.stats import chisquare

    with torch.no_grad():
        logits = llama.hf(torch.tensor([[0]])).logits[0, -1].double()
    top = logits.topk(50).indices
    probabilities = torch.softmax(logits[top], 0)
    seeds = il.generate(llama, n=3000, seed=3, max_new_tokens=1, top_p=1.0)
    words = [llama.tokenizer.decode([token], skip_special_tokens=True) for token in top.tolist()]
    # Bytes that are no text on their own all decode to U+FFFD, and special tokens to nothing: count them together.
    observed, expected = {}, {}
    for word, probability in zip(words, probabilities.tolist(), strict=True):
        expected[word] = expected.get(word, 0) + probability * len(seeds)
    for text in seeds:
        observed[text] = observed.get(text, 0) + 1
    assert set(observed) <= set(expected)
    assert chisquare([observed.get(word, 0) for word in expected], list(expected.values())).pvalue > 1e-4


def test_generation_needs_a_text_and_a_token(llama):
    with pytest.raises(InputError, match="at least one text, one token"):
        il.generate(llama, n=0)
