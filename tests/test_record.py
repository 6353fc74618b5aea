import numpy as np
import pytest
import torch

from conftest import SENTENCES, count_hooks, make_model
from interlingua.errors import ActivationError, InputError, SteeringError
from interlingua.experts import record_responses
from interlingua.models.batching import batches, tokenise

TEXTS = [sentence for sentences in SENTENCES.values() for sentence in sentences]


def by_hand(model, sentence, pooling, special_tokens):
    """Return one sentence's responses from an unpadded forward pass and numpy."""
    tokens = model.tokenizer(sentence, return_tensors="pt")["input_ids"]
    outputs = {}
    handles = [
        model.hf.get_submodule(x.name).register_forward_hook(
            lambda module, inputs, output, name=x.name: outputs.update({name: output.reshape(-1, output.shape[-1])})
        )
        for x in model.neurons.linears
    ]
    with torch.no_grad():
        model.hf(tokens)
    for handle in handles:
        handle.remove()
    z = np.concatenate([outputs[x.name].numpy() for x in model.neurons.linears], axis=1)
    z = z if special_tokens else z[1:]
    return {"mean": z.mean(axis=0), "max": z.max(axis=0), "last": z[-1]}[pooling]


@pytest.mark.parametrize("special_tokens", [False, True])
@pytest.mark.parametrize("pooling", ["mean", "max", "last"])
def test_responses_of_a_batch_equal_those_of_single_sentences(any_model, pooling, special_tokens):
    together = record_responses(any_model, TEXTS, pooling=pooling, special_tokens=special_tokens).values
    for row, sentence in enumerate(TEXTS):
        np.testing.assert_allclose(together[row], by_hand(any_model, sentence, pooling, special_tokens), atol=2e-5)


@pytest.mark.parametrize("token_budget", [1, 40, 10_000])
def test_batch_size_changes_nothing_beyond_rounding(any_model, token_budget):
    usual = record_responses(any_model, TEXTS).values
    np.testing.assert_allclose(record_responses(any_model, TEXTS, token_budget=token_budget).values, usual, atol=2e-5)


def test_the_same_call_gives_the_same_bits(llama):
    assert (record_responses(llama, TEXTS).values == record_responses(llama, TEXTS).values).all()


def test_truncation_is_counted(llama):
    recorded = record_responses(llama, ["short", "x" * 50], max_length=10)
    assert recorded.truncated == 1
    assert recorded.tokens == len("short") + 1 + 10
    np.testing.assert_allclose(recorded.values[1], record_responses(llama, ["x" * 9]).values[0], atol=2e-5)


def test_no_hook_is_left_behind(llama):
    before = count_hooks(llama)
    record_responses(llama, TEXTS[:2])
    assert count_hooks(llama) == before


def test_an_activation_that_is_not_finite_is_an_error_that_names_it():
    model = make_model("llama")
    with torch.no_grad():
        model.hf.get_submodule("model.layers.1.mlp.up_proj").weight[5] = float("nan")
    with pytest.raises(ActivationError, match=r"neuron 5 of up_proj in layer 1 answers sentence \d+ with nan"):
        record_responses(model, TEXTS)
    assert count_hooks(model) == 0


def test_an_unknown_pooling_is_an_error(llama):
    with pytest.raises(InputError, match="unknown pooling 'median'; use mean, max, last"):
        record_responses(llama, TEXTS, pooling="median")


def test_a_sentence_of_nothing_but_special_tokens_is_an_error(llama):
    with pytest.raises(InputError, match="no tokens but special ones"):
        record_responses(llama, ["fine", ""])


def test_batches_hold_every_sentence_once_within_the_budget(llama):
    tokenised = tokenise(llama.tokenizer, TEXTS, max_length=64)
    seen = []
    for batch in batches(tokenised, torch.device("cpu"), token_budget=60):
        assert batch.input_ids.numel() <= 60 or len(batch.rows) == 1
        for row, ids, mask in zip(batch.rows, batch.input_ids.tolist(), batch.attention_mask.tolist(), strict=True):
            assert [token for token, real in zip(ids, mask, strict=True) if real] == tokenised.ids[row]
            assert mask == sorted(mask, reverse=True), "padding is on the right"
        seen.extend(batch.rows)
    assert sorted(seen) == list(range(len(TEXTS)))


def test_a_layer_that_does_not_run_is_an_error():
    model = make_model("llama")
    model.hf.get_submodule("model.layers.1.mlp").forward = lambda x: x
    with pytest.raises(SteeringError, match=r"model\.layers\.1\.mlp\.gate_proj and 2 other layers did not run"):
        record_responses(model, TEXTS[:2])


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_tokenizers_padding_side_changes_nothing(side):
    model = make_model("llama")
    before = record_responses(model, TEXTS).values
    model.tokenizer.padding_side = side
    assert (record_responses(model, TEXTS).values == before).all()
