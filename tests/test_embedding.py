"""Embeddings of any layer, against hidden states of single sentences and sentence-transformers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import interlingua as il
from conftest import CONFIGS, SENTENCES, count_hooks, make_model
from interlingua.errors import ActivationError, InputError, ModelError
from interlingua.models.pooling import pool as pooled
from test_interventions import some_edit

TEXTS = [sentence for sentences in SENTENCES.values() for sentence in sentences]


def hidden_states(model, text):
    """Return the hidden states that transformers itself gives for one sentence, and which tokens are special."""
    tokens = model.tokenizer(text, return_tensors="pt", return_special_tokens_mask=True)
    special = tokens.pop("special_tokens_mask")[0].bool().numpy()
    with torch.no_grad():
        states = model.hf(**tokens, output_hidden_states=True).hidden_states
    return [state[0].numpy() for state in states], special


@pytest.mark.parametrize("family", CONFIGS)
def test_all_layers_of_every_family_in_one_pass(family):
    model = make_model(family)
    hooks = count_hooks(model)
    result = il.embed_layers(model, TEXTS, token_budget=200)
    assert count_hooks(model) == hooks
    assert list(result.of_layer) == [0, 1, 2]
    assert result.tokens == sum(len(ids) for ids in model.tokenizer(TEXTS)["input_ids"])
    for row, text in enumerate(TEXTS):
        states, _ = hidden_states(model, text)
        for layer, embedded in result.of_layer.items():
            assert embedded.dtype == np.float32
            np.testing.assert_allclose(embedded[row], states[layer].mean(0), atol=5e-5)


@pytest.mark.parametrize("special_tokens", [True, False])
@pytest.mark.parametrize("pool", ["mean", "max", "last"])
def test_pools_and_special_tokens(any_model, pool, special_tokens):
    reduce = {"mean": lambda x: x.mean(0), "max": lambda x: x.max(0), "last": lambda x: x[-1]}[pool]
    result = il.embed_layers(any_model, TEXTS, pooling=pool, special_tokens=special_tokens)
    for row, text in enumerate(TEXTS):
        states, special = hidden_states(any_model, text)
        assert special.tolist() == [True] + [False] * (len(special) - 1)
        for layer, embedded in result.of_layer.items():
            counted = states[layer] if special_tokens else states[layer][~special]
            np.testing.assert_allclose(embedded[row], reduce(counted), atol=5e-5)


def test_tokens_are_weighted_in_the_same_pass(any_model):
    weights = np.random.default_rng(0).random(any_model.hf.get_input_embeddings().num_embeddings) + 0.1
    result = il.embed_layers(any_model, TEXTS, special_tokens=False, token_weights=weights)
    plain = il.embed_layers(any_model, TEXTS, special_tokens=False)
    assert not plain.weighted
    for row, text in enumerate(TEXTS):
        states, special = hidden_states(any_model, text)
        own = weights[np.array(any_model.tokenizer(text)["input_ids"])[~special]]
        for layer, embedded in result.weighted.items():
            expected = np.average(states[layer][~special], axis=0, weights=own)
            np.testing.assert_allclose(embedded[row], expected, atol=5e-5)
            np.testing.assert_array_equal(result.of_layer[layer], plain.of_layer[layer])


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 100), st.sampled_from([torch.float32, torch.bfloat16]))
def test_pooling_by_hand(sentences, tokens, seed, dtype):
    random = np.random.default_rng(seed)
    states = torch.from_numpy(random.normal(size=(sentences, tokens, 3))).to(dtype)
    hidden = states.float().numpy()
    counted = random.random((sentences, tokens)) < 0.5
    counted[np.arange(sentences), random.integers(0, tokens, sentences)] = True
    arguments = states, torch.from_numpy(counted)
    for pool, reduce in {"mean": np.mean, "max": np.max, "last": lambda x, axis: x[-1]}.items():
        expected = [reduce(row[mask], axis=0) for row, mask in zip(hidden, counted, strict=True)]
        np.testing.assert_allclose(pooled(*arguments, pool).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [-3, -2, -1, 0, 1, 2])
def test_one_layer_alone_is_the_same_bits_as_among_all(any_model, layer):
    everything = il.embed_layers(any_model, TEXTS).of_layer
    assert (il.embed(any_model, TEXTS, layer=layer) == everything[layer % 3]).all()
    some = il.embed_layers(any_model, TEXTS, layers=[layer, 1, layer]).of_layer
    assert list(some) == list(dict.fromkeys([layer % 3, 1]))


@pytest.mark.parametrize("token_budget", [1, 64, 100_000])
def test_batch_size_changes_embeddings_only_by_rounding(any_model, token_budget):
    ours, others = il.embed_layers(any_model, TEXTS), il.embed_layers(any_model, TEXTS, token_budget=token_budget)
    for layer in ours.of_layer:
        np.testing.assert_allclose(ours.of_layer[layer], others.of_layer[layer], atol=2e-5)


def test_the_same_call_gives_the_same_bits(any_model):
    assert (il.embed(any_model, TEXTS) == il.embed(any_model, TEXTS)).all()


def test_hidden_states_are_not_kept(llama):
    """While a block runs, no hidden states but its own input are alive."""
    import gc
    import weakref

    alive, largest = [], []

    def note(module, arguments):
        gc.collect()
        largest.append(sum(reference() is not None for reference in alive))
        alive.append(weakref.ref(arguments[0]))

    handles = [block.register_forward_pre_hook(note) for block in llama.hf.model.layers]
    il.embed_layers(llama, TEXTS[:2])
    for handle in handles:
        handle.remove()
    assert max(largest) <= 1


def test_truncation_is_counted(llama):
    sentences = ["short", "a longer sentence", "another one that is long"]
    assert il.embed_layers(llama, sentences, max_length=8).truncated == 2
    with pytest.warns(UserWarning, match="2 of 3 sentences were cut to 8 tokens"):
        cut = il.embed(llama, sentences, max_length=8)
    np.testing.assert_allclose(cut[1], il.embed(llama, ["a longe"])[0], atol=2e-5)
    with pytest.warns(UserWarning, match="cut to 256 tokens"):
        il.embed(llama, ["x" * 400])


def test_a_steered_model_is_embedded_as_it_is(llama):
    before = il.embed_layers(llama, TEXTS).of_layer
    with some_edit(llama, "mixed", shift=True).applied_to(llama, "hooks"):
        steered = il.embed_layers(llama, TEXTS).of_layer
    assert (steered[0] == before[0]).all()
    assert not np.allclose(steered[2], before[2])


def test_an_interrupt_leaves_no_hooks(llama):
    hooks = count_hooks(llama)

    def stop(module, arguments):
        raise KeyboardInterrupt

    with llama.hf.model.layers[1].register_forward_pre_hook(stop), pytest.raises(KeyboardInterrupt):
        il.embed_layers(llama, TEXTS)
    assert count_hooks(llama) == hooks


def test_progress_runs_from_nothing_to_all(llama, bars):
    result = il.embed_layers(llama, TEXTS, token_budget=64)
    (bar,) = bars.shown
    assert bar.total == result.tokens
    assert bar.seen[0] == 0 and bar.seen[-1] == result.tokens
    assert len(bar.seen) > 2


def test_no_sentences_have_no_embeddings(llama):
    assert len(il.embed(llama, [])) == 0


def test_bad_arguments_are_errors(llama):
    with pytest.raises(InputError, match="layer must lie between -3 and 2"):
        il.embed(llama, TEXTS, layer=3)
    with pytest.raises(InputError, match="no layer to embed with"):
        il.embed_layers(llama, TEXTS, layers=[])
    with pytest.raises(InputError, match="unknown pooling 'min'; use mean, max, last"):
        il.embed(llama, TEXTS, pooling="min")
    with pytest.raises(InputError, match="not one string"):
        il.embed(llama, "hello")
    with pytest.raises(InputError, match="no tokens but special ones: ''"):
        il.embed(llama, ["a", ""], special_tokens=False)


def test_blocks_that_do_not_run_are_an_error(llama, monkeypatch):
    spare = torch.nn.ModuleList([torch.nn.Identity(), torch.nn.Identity()])
    monkeypatch.setattr(il.LanguageModel, "blocks", list(spare))
    with pytest.raises(ModelError, match="block 0 of tiny-llama did not run"):
        il.embed_layers(llama, TEXTS)


def test_an_embedding_that_is_not_finite_is_an_error():
    model = make_model("llama")
    with torch.no_grad():
        model.hf.get_submodule("model.norm").weight[0] = float("nan")
    with pytest.raises(ActivationError, match="embedding of sentence 1 in layer 2 is NaN"):
        il.embed(model, TEXTS)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-3)])
def test_sentence_transformers_gives_the_same(dtype, near, checkpoint):
    """Cosine distances, since in bfloat16 each number is rounded to three digits on the way."""
    st_ = pytest.importorskip("sentence_transformers")
    models = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    name = str(dtype).removeprefix("torch.")
    model = il.load_model(checkpoint, dtype=name, device="cpu")
    transformer = models.Transformer(str(checkpoint), max_seq_length=256, model_kwargs={"dtype": dtype})
    pooling = models.Pooling(32, pooling_mode="mean")
    theirs = st_.SentenceTransformer(modules=[transformer, pooling], device="cpu").encode(TEXTS)
    ours = il.embed(model, TEXTS)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    assert (1 - (ours * theirs).sum(axis=1) / lengths).max() < near
    if dtype == torch.float32:
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * np.abs(ours).max())


@pytest.mark.real_model
def test_all_layers_of_the_default_model(real_model):
    texts = ["El gato duerme en la casa.", "Die Katze schläft."]
    result = il.embed_layers(real_model, texts).of_layer
    assert list(result) == list(range(19))
    for row, text in enumerate(texts):
        states, _ = hidden_states(real_model, text)
        for layer, embedded in result.items():
            np.testing.assert_allclose(
                embedded[row], states[layer].mean(0), rtol=1e-3, atol=1e-4 * np.abs(states[layer]).max()
            )


@pytest.mark.parametrize("name", ["max_position_embeddings", "seq_length", "max_seq_len"])
@pytest.mark.filterwarnings("ignore:1 of 1 sentences were cut")
def test_nothing_reads_more_tokens_than_the_model_was_made_for(name):
    model = make_model("bloom")
    del model.hf.config.max_position_embeddings
    setattr(model.hf.config, name, 16)
    lengths = []
    model.body.register_forward_pre_hook(
        lambda module, args, kwargs: lengths.append(kwargs["attention_mask"].shape[1]), with_kwargs=True
    )
    text = " ".join(TEXTS)
    il.embed(model, [text])
    il.record_responses(model, [text])
    il.perplexity(model, text, stride=4)
    assert max(lengths) == 16
    with pytest.raises(InputError, match="more than the 16 positions"):
        il.generate(model, 1, max_new_tokens=16)
