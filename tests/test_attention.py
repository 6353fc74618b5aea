"""Causal attention in blocks: as near to exact as torch's own, and only where attention is just causal."""

import pytest
import torch

from conftest import make_model
from interlingua.models.attention import NAME, SPECIAL, attention_in_blocks, causal_attention


def test_attention_in_bfloat16_is_as_near_to_float32_as_torch_s_own():
    """Of many windows' worth of keys, against torch's attention in float64."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 4, 700, 64), (2, 2, 700, 64), (2, 2, 700, 64)]
    query, key, value = (3 * torch.randn(shape, generator=generator).bfloat16() for shape in shapes)
    at = torch.arange(700)
    seen = (at <= at[:, None]) & (at > at[:, None] - 300)

    def of_torch(dtype):
        given = (tensor.to(dtype) for tensor in (query, key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(*given, attn_mask=seen, enable_gqa=True)
        return attended.transpose(1, 2).double()

    matmul = getattr(torch.backends.mkldnn, "matmul", None)  # since torch 2.9
    before = getattr(matmul, "fp32_precision", None)
    ours = causal_attention(torch.nn.Module(), query, key, value, None, sliding_window=300)[0]
    assert getattr(matmul, "fp32_precision", None) == before
    expected = of_torch(torch.float64)
    assert (ours.double() - expected).norm() <= 1.1 * (of_torch(torch.bfloat16) - expected).norm()


@pytest.mark.parametrize("said", [None, *SPECIAL])
def test_attention_that_is_not_just_causal_stays_as_it_is(said):
    model = make_model("llama")
    hf, config = model.hf, model.hf.config
    if said:
        setattr(config, said, 8)
    with attention_in_blocks(model):
        assert config._attn_implementation == ("sdpa" if said else NAME)
        with attention_in_blocks(model):
            assert config._attn_implementation == ("sdpa" if said else NAME)
        assert config._attn_implementation == ("sdpa" if said else NAME)
    assert config._attn_implementation == "sdpa"
    hf.compile()
    with attention_in_blocks(model):
        assert config._attn_implementation == "sdpa", "a graph that its user has made would be made again"
