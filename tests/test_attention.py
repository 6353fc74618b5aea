"""Causal attention by products: as near to exact as torch's own, and only where attention is just causal."""

import threading

import pytest
import torch
from transformers.models.llama.modeling_llama import eager_attention_forward

from conftest import make_model
from interlingua.models.attention import BLOCK, NAME, SPECIAL, causal_attention, causal_by_products


@pytest.mark.parametrize(("tokens", "window"), [(700, 300), (60, 20), (60, None)])
def test_attention_in_bfloat16_is_as_near_to_exact_as_its_peer(tokens, window):
    """A long window as near as torch's attention, and sentences as near as transformers' eager one, to float64."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 4, tokens, 64), (2, 2, tokens, 64), (2, 2, tokens, 48)]  # as DeepSeek's, values are smaller
    query, key, value = (3 * torch.randn(shape, generator=generator).bfloat16() for shape in shapes)
    at = torch.arange(tokens)
    seen = (at <= at[:, None]) & (at > at[:, None] - (window or tokens))

    def of_torch(dtype):
        given = (tensor.to(dtype) for tensor in (query, key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(*given, attn_mask=seen, enable_gqa=True)
        return attended.transpose(1, 2).double()

    def eager():
        module = torch.nn.Module().eval()
        module.num_key_value_groups = 2
        mask = torch.zeros(tokens, tokens, dtype=query.dtype).masked_fill(~seen, torch.finfo(query.dtype).min)
        return eager_attention_forward(module, query, key, value, mask[None, None], scaling=64**-0.5)[0].double()

    matmul = getattr(torch.backends.mkldnn, "matmul", None)  # since torch 2.9
    before = getattr(matmul, "fp32_precision", None)
    ours = causal_attention(torch.nn.Module(), query, key, value, None, sliding_window=window)[0]
    assert getattr(matmul, "fp32_precision", None) == before
    peer = of_torch(torch.bfloat16) if tokens > BLOCK else eager()
    expected = of_torch(torch.float64)
    assert (ours.double() - expected).norm() <= 1.1 * (peer - expected).norm()


@pytest.mark.parametrize("said", [None, *SPECIAL])
def test_attention_that_is_not_just_causal_stays_as_it_is(said):
    model = make_model("llama")
    hf, config = model.hf, model.hf.config
    if said:
        setattr(config, said, 8)
    with causal_by_products(model):
        assert config._attn_implementation == ("sdpa" if said else NAME)
        with causal_by_products(model):
            assert config._attn_implementation == ("sdpa" if said else NAME)
        assert config._attn_implementation == ("sdpa" if said else NAME)
    assert config._attn_implementation == "sdpa"
    hf.compile()
    with causal_by_products(model):
        assert config._attn_implementation == "sdpa", "a graph that its user has made would be made again"


def test_other_threads_keep_their_masks_and_the_last_to_leave_puts_torch_s_attention_back(any_model):
    """Threads enter and leave in any order, and one that is not in the context reads a batch padded on the left."""
    hf, implementation = any_model.hf, any_model.hf.config._attn_implementation
    ids = torch.arange(20).view(2, 10) % 200
    mask = torch.ones_like(ids)
    mask[0, :4] = 0

    def states():
        with torch.inference_mode():
            return any_model.body(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[mask.bool()]

    expected, leave, left = states(), threading.Event(), threading.Event()

    def other():
        with causal_by_products(any_model):
            entered.set()
            leave.wait()
        left.set()

    entered = threading.Event()
    threading.Thread(target=other, daemon=True).start()
    entered.wait()
    during = hf.config._attn_implementation
    torch.testing.assert_close(states(), expected)
    with causal_by_products(any_model):
        leave.set()
        left.wait()
        assert hf.config._attn_implementation == during
    assert hf.config._attn_implementation == implementation
    torch.testing.assert_close(states(), expected)
