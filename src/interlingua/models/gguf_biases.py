"""The biases of a Llama in a GGUF file, which transformers leaves out without a word."""

from __future__ import annotations

import re
from typing import Any

import torch

from interlingua.errors import ModelError

PLACES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
NAME = re.compile(r"blk\.\d+\.(\w+)\.bias")


def add_left_out(reader: Any, config: Any, state: dict[str, torch.Tensor]) -> None:
    """Add to a state and a config the biases of a file that transformers has not read.

    Args:
        reader: Of the file: a `GGUFReader`.
        config: Of the model that was read; it gets the options for biases.
        state: What was read, by the names of transformers; it gets the biases.

    Raises:
        ModelError: There are others than a Llama's.
    """
    biases = {tensor.name: tensor for tensor in reader.tensors if tensor.name.endswith(".bias")}
    if len(biases) <= sum(name.endswith(".bias") for name in state):
        return
    if config.model_type != "llama" or not all(_place(name) for name in biases):
        raise ModelError(f"it has biases that are not read, such as {next(iter(biases))}")
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for name, tensor in biases.items():
        _, layer, part, _ = name.split(".")
        bias = torch.from_numpy(tensor.data.copy()).float().flatten()
        state[f"model.layers.{layer}.{PLACES[part]}.bias"] = halves(bias, heads[part]) if part in heads else bias
    config.mlp_bias = any(".mlp." in name and name.endswith(".bias") for name in state)
    config.attention_bias = any(".self_attn." in name and name.endswith(".bias") for name in state)


def interleaved(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    """Return queries or keys with the two halves that are rotated together side by side, as llama.cpp rotates them."""
    per_head = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return per_head.swapaxes(1, 2).reshape(tensor.shape)


def halves(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    """Return what `interleaved` was given."""
    per_head = tensor.reshape(heads, tensor.shape[0] // heads // 2, 2, *tensor.shape[1:])
    return per_head.swapaxes(1, 2).reshape(tensor.shape)


def _place(name: str) -> str | None:
    found = NAME.fullmatch(name)
    return PLACES.get(found[1]) if found else None
