"""Perplexity against the plain sliding window, which computes all logits of every window with the model's own code."""

import importlib
import math

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

import interlingua as il
from conftest import CONFIGS, count_hooks, make_model, make_tokenizer
from interlingua.errors import ActivationError, InputError, ModelError
from interlingua.measures import token_losses
from interlingua.models import LanguageModel, find_neurons
from test_interventions import some_edit

module = importlib.import_module("interlingua.measures.perplexity")  # the name in the package is the function
TEXT = "the cat sleeps, y el gato también; 猫が眠る。 we eat bread and it rains all night long, of course " * 2


def sliding_window(model, text, window, stride):
    """Negative log-likelihoods by the recipe of transformers' documentation, token by token instead of as means."""
    ids = model.tokenizer(text, return_tensors="pt")["input_ids"]
    losses, previous = [], 1
    for begin in range(0, ids.shape[1], stride):
        end = min(begin + window, ids.shape[1])
        with torch.no_grad():
            logits = model.hf(ids[:, begin:end]).logits[0].double()
        scores = torch.log_softmax(logits[:-1], -1).gather(1, ids[0, begin + 1 : end, None])[:, 0]
        losses.append(-scores[previous - begin - 1 :])
        previous = end
        if end == ids.shape[1]:
            break
    return torch.cat(losses).numpy()


@pytest.mark.parametrize("family", CONFIGS)
def test_every_family_gives_the_scores_of_the_plain_sliding_window(family):
    model = make_model(family)
    losses = token_losses(model, TEXT, max_length=64, stride=24)
    np.testing.assert_allclose(losses, sliding_window(model, TEXT, 64, 24), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("window", "stride"), [(8, 1), (64, 63), (50, 7), (256, 16), (200, 100)])
def test_windows_and_strides(llama, window, stride):
    expected = sliding_window(llama, TEXT, window, stride)
    result = il.perplexity(llama, TEXT, max_length=window, stride=stride)
    assert result.tokens == len(expected) == len(llama.tokenizer(TEXT)["input_ids"]) - 1
    assert result.log_perplexity == pytest.approx(expected.mean(), rel=1e-6)
    assert result.standard_error == pytest.approx(module.batch_means_error(expected), rel=1e-4)
    assert (result.window, result.stride) == (window, stride)


def test_a_text_in_one_window_has_the_models_own_loss(any_model):
    ids = any_model.tokenizer("el gato duerme", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        loss = any_model.hf(ids, labels=ids).loss
    assert il.perplexity(any_model, "el gato duerme", max_length=99, stride=9).log_perplexity == pytest.approx(
        float(loss), rel=1e-5
    )


@given(st.integers(2, 300), st.integers(2, 80), st.data())
def test_each_token_is_scored_once_with_the_context_it_should_have(tokens, window, data):
    stride = data.draw(st.integers(1, window - 1))
    scored = []
    for w in module.windows(tokens, window, stride):
        assert w.end - w.begin <= window
        assert w.begin < w.scored < w.end
        if w.begin:
            assert w.scored - w.begin >= window - stride
        scored += range(w.scored, w.end)
    assert scored == list(range(1, tokens))


@pytest.mark.parametrize(
    ("config", "setting", "value", "neutral"),
    [
        (transformers.Gemma2Config, "final_logit_softcapping", 0.7, None),
        (transformers.CohereConfig, "logit_scale", 0.3, 1.0),
        (transformers.Cohere2Config, "logit_scale", 4.0, 1.0),
        (transformers.GraniteConfig, "logits_scaling", 5.0, 1.0),
    ],
)
def test_what_a_family_does_after_its_head_counts(config, setting, value, neutral):
    losses = []
    for number in (value, neutral):
        settings = config(
            vocab_size=259, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=4, head_dim=8, bos_token_id=0, eos_token_id=1, pad_token_id=2, **{setting: number},
        )  # fmt: skip
        torch.manual_seed(0)
        hf = AutoModelForCausalLM.from_config(settings, dtype=torch.float32).eval()
        torch.nn.init.normal_(hf.get_output_embeddings().weight)
        model = LanguageModel(hf, make_tokenizer(), find_neurons(hf), "tiny")
        losses.append(token_losses(model, TEXT, max_length=64, stride=32))
        np.testing.assert_allclose(losses[-1], sliding_window(model, TEXT, 64, 32), rtol=1e-4, atol=1e-5)
    assert np.abs(losses[0] - losses[1]).mean() > 0.01


def test_a_head_that_does_something_unknown_is_an_error(llama, monkeypatch):
    forward = type(llama.hf).forward

    def odd(self, *args, **kwargs):
        output = forward(self, *args, **kwargs)
        output.logits = output.logits * 1.5
        return output

    monkeypatch.setattr(type(llama.hf), "forward", odd)
    with pytest.raises(ModelError, match="LlamaForCausalLM changes its logits after the head"):
        il.perplexity(llama, TEXT, max_length=64, stride=32)


def test_logits_in_parts_and_batches_of_windows_change_nothing(any_model, monkeypatch):
    whole = token_losses(any_model, TEXT, max_length=32, stride=8, token_budget=1)
    monkeypatch.setattr(module, "HEAD_BYTES", 4 * 259 * 5)
    monkeypatch.setattr(module, "SOFTMAX_BYTES", 4 * 259 * 2)
    parts = token_losses(any_model, TEXT, max_length=32, stride=8, token_budget=128)
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("head", ["plain", "wider", "with a bias", "in another type"])
def test_the_head_is_the_model_s_own_whatever_it_is(head):
    """Only a plain one writes over the buffer; the others are called."""
    model = make_model("llama")
    hidden = torch.randn(3, model.hidden_size)
    linear = model.hf.get_output_embeddings()
    words, dtype = (
        linear.weight.shape[0] + (head == "wider"),
        torch.float64 if head == "in another type" else torch.float32,
    )
    other = torch.nn.Linear(model.hidden_size, words, bias=head == "with a bias", dtype=dtype)
    model.hf.set_output_embeddings(other)
    buffer = module._logits_buffer(model)
    with torch.inference_mode():
        found, expected = module._raw_logits(model, hidden.to(dtype), buffer), other(hidden.to(dtype))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert (found.data_ptr() == buffer.data_ptr()) == (head == "plain")


def test_no_tensor_of_logits_is_larger_than_allowed(llama, monkeypatch):
    monkeypatch.setattr(module, "HEAD_BYTES", 4 * 259 * 7)
    sizes = []
    handle = llama.hf.get_output_embeddings().register_forward_hook(lambda m, i, o: sizes.append(o.shape[0]))
    with handle:
        il.perplexity(llama, TEXT, max_length=64, stride=32)
    assert max(size for size in sizes[1:] if size > 1) == 7  # the first is the check of eight tokens


@pytest.mark.parametrize("family", [*CONFIGS, "deepseek_v3"])  # whose values have dimensions of their own
@pytest.mark.parametrize("block", [32, 256])
def test_causal_by_products_is_the_attention_of_every_family(family, block, monkeypatch):
    """Windows of many blocks and of one, and in gemma3 and mistral more tokens than their attention slides over."""
    monkeypatch.setattr("interlingua.models.attention.BLOCK", block)
    model = make_model(family)
    sliding = getattr(model.hf.config, "sliding_window", None) is not None
    implementation = model.hf.config._attn_implementation
    if sliding:
        for block in model.hf.model.layers:
            if getattr(block.self_attn, "sliding_window", None):
                block.self_attn.sliding_window = 24
        model.hf.config.sliding_window = 24
    losses = token_losses(model, TEXT, max_length=180, stride=60)
    assert model.hf.config._attn_implementation == implementation
    np.testing.assert_allclose(losses, sliding_window(model, TEXT, 180, 60), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("how", ["hooks", "weights"])
def test_a_steered_model_is_measured_as_it_is(llama, how, tmp_path):
    edit = some_edit(llama, "mixed", shift=True)
    plain = il.perplexity(llama, TEXT, max_length=64, stride=32)
    with edit.applied_to(llama, how):
        steered = il.perplexity(llama, TEXT, max_length=64, stride=32)
        expected = sliding_window(llama, TEXT, 64, 32).mean()
    assert steered.log_perplexity == pytest.approx(expected, rel=1e-5)
    assert steered.log_perplexity != pytest.approx(plain.log_perplexity, rel=1e-3)
    il.bake(llama, edit).save_pretrained(tmp_path / "baked")
    baked = il.load_model(tmp_path / "baked", dtype="float32", device="cpu")
    assert il.perplexity(baked, TEXT, max_length=64, stride=32).log_perplexity == pytest.approx(expected, rel=1e-5)


def test_bfloat16_is_near(any_model):
    family = any_model.name.removeprefix("tiny-")
    model = make_model(family, torch.bfloat16)
    result = il.perplexity(model, TEXT, max_length=64, stride=32)
    assert result.log_perplexity == pytest.approx(
        il.perplexity(any_model, TEXT, max_length=64, stride=32).log_perplexity, rel=0.05
    )


def test_batch_means_see_the_dependence_that_a_plain_error_misses():
    random = np.random.default_rng(0)
    blocks = np.repeat(random.normal(size=400), 25)
    plain = blocks.std(ddof=1) / math.sqrt(len(blocks))
    assert module.batch_means_error(blocks) == pytest.approx(1 / 20, rel=0.2)
    assert plain < 0.012
    independent = random.normal(size=10_000)
    assert module.batch_means_error(independent) == pytest.approx(0.01, rel=0.2)
    assert math.isnan(module.batch_means_error(np.array([1.0])))


def test_an_interrupt_leaves_the_model_as_it_was(llama, bars):
    before = count_hooks(llama)

    bars.stop_at = 1
    with pytest.raises(KeyboardInterrupt):
        il.perplexity(llama, TEXT, max_length=32, stride=8)
    assert count_hooks(llama) == before
    assert llama.hf.config._attn_implementation == "sdpa"


def test_progress_runs_from_nothing_to_all(llama, bars):
    il.perplexity(llama, TEXT, max_length=64, stride=32)
    (bar,) = bars.shown
    assert bar.total == bar.seen[-1] == len(llama.tokenizer(TEXT)["input_ids"]) - 1
    assert bar.seen == sorted(set(bar.seen))


def test_bad_arguments_are_errors(llama):
    with pytest.raises(InputError, match="stride must lie between 1 and 63, below the window of 64"):
        il.perplexity(llama, TEXT, max_length=64, stride=64)
    with pytest.raises(InputError, match="1 and 255, below the window of 256; 512 does not"):
        il.perplexity(llama, TEXT)
    with pytest.raises(InputError, match="at least two tokens; this one has 1"):
        il.perplexity(llama, "", stride=1)
    with pytest.raises(ModelError, match="give max_length"):
        bloom = make_model("bloom")
        del bloom.hf.config.max_position_embeddings
        il.perplexity(bloom, TEXT)


def test_the_window_is_never_longer_than_the_model(llama):
    assert il.perplexity(llama, TEXT, max_length=1000, stride=16).window == 256
    bloom = make_model("bloom")
    del bloom.hf.config.max_position_embeddings
    bloom.hf.config.seq_length = 128
    assert il.perplexity(bloom, TEXT, stride=16).window == 128


def test_a_score_that_is_not_finite_is_an_error():
    model = make_model("llama")
    with torch.no_grad():
        model.hf.get_submodule("model.norm").weight[0] = float("nan")
    with pytest.raises(ActivationError, match="score of token 2 is NaN"):
        il.perplexity(model, TEXT, stride=8)


def test_a_model_without_a_head_is_an_error(llama, monkeypatch):
    monkeypatch.setattr(transformers.LlamaForCausalLM, "get_output_embeddings", lambda self: None)
    with pytest.raises(ModelError, match="no vocabulary head"):
        il.perplexity(llama, TEXT, stride=8)


@pytest.mark.real_model
def test_the_default_model_in_windows(real_model):
    text = " ".join(il.open_corpus("starter").parallel("devtest")["spa_Latn"][:6])
    expected = sliding_window(real_model, text, 96, 48)
    assert il.perplexity(real_model, text, max_length=96, stride=48).log_perplexity == pytest.approx(
        expected.mean(), rel=1e-5
    )
