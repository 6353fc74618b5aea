"""What tells a model from every other one: hashes of all its weights, its configuration and its tokenizer."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
import xxhash

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

CHUNK = 1 << 26
"""Bytes that are brought to the CPU at a time."""

NOT_DECIDING = ("_name_or_path", "_commit_hash", "transformers_version", "architectures", "auto_map")
"""Of a config: what says where a model is from and who wrote it, and does not change what it computes."""


def weights_hash(hf: torch.nn.Module) -> str:
    """Return the XXH3 hash of every number of every parameter and kept buffer, with names, shapes and types.

    It is computed anew each time, since weights can be changed in place, at some gigabytes a second.
    """
    digest = xxhash.xxh3_128()
    seen: dict[tuple[int, tuple[int, ...]], str] = {}
    for name, tensor in hf.state_dict().items():
        if not isinstance(tensor, torch.Tensor):  # what some quantisations keep beside their weights
            digest.update(f"{name} {tensor!r}".encode())
            continue
        tensor = _in_memory(hf, name, tensor)
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        if tensor.device.type == "meta":
            continue
        place = (tensor.data_ptr(), tuple(tensor.stride()))
        if place in seen:  # tied, as the embeddings and the vocabulary head
            digest.update(f"as {seen[place]}".encode())
            continue
        seen[place] = name
        for part in tensor.detach().contiguous().view(-1).view(torch.uint8).split(CHUNK):
            digest.update(part.cpu().numpy())
    for name, module in hf.named_modules():  # which of a LoRA layer's adapters run, and how strongly
        if hasattr(module, "active_adapters") and hasattr(module, "scaling"):
            state = [name, list(module.active_adapters), module.disable_adapters, module.merged_adapters]
            digest.update(json.dumps([*state, module.scaling], default=str).encode())
    return digest.hexdigest()


def config_hash(config: PreTrainedConfig) -> str:
    """Return the hash of what a config says of how a model computes."""
    said = {name: value for name, value in config.to_dict().items() if name not in NOT_DECIDING}
    return xxhash.xxh3_128_hexdigest(json.dumps(said, sort_keys=True, default=str).encode())


def tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the hash of how a tokenizer makes tokens of text, and pads."""
    said = [
        _vocabulary_hash(tokenizer, len(tokenizer)),
        type(tokenizer).__name__,
        {name: str(token) for name, token in tokenizer.special_tokens_map.items()},
        tokenizer.padding_side,
    ]
    return xxhash.xxh3_128_hexdigest(json.dumps(said, sort_keys=True).encode())


@lru_cache(maxsize=8)
def _vocabulary_hash(tokenizer: PreTrainedTokenizerBase, size: int) -> str:
    """Hash a tokenizer's vocabulary and rules, once for each size: it takes half a second for a large one."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return xxhash.xxh3_128_hexdigest(json.dumps(sorted(tokenizer.get_vocab().items())).encode())
    # Truncation and padding are left from the latest call.
    rules = re.sub(r'"truncation":.*?,"added_tokens":', '"added_tokens":', backend.to_str(), count=1, flags=re.DOTALL)
    return xxhash.xxh3_128_hexdigest(rules.encode())


def _in_memory(hf: torch.nn.Module, name: str, tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor, from where accelerate keeps it if it is offloaded."""
    if tensor.device.type != "meta":
        return tensor
    owner, _, attribute = name.rpartition(".")
    weights: Any = getattr(getattr(hf.get_submodule(owner), "_hf_hook", None), "weights_map", None)
    return weights[attribute] if weights is not None else tensor
