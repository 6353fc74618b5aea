"""Checkpoints that plain transformers loads, also of models with biases that their architecture lacks."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import torch

from interlingua.files import folder_written_whole, write_json
from interlingua.models.quiet import quiet_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

CODE = Template('''\
"""$base with biases on the MLP layers that a baked intervention edits. Written by interlingua."""

import torch
from transformers import $base, $config


class BakedConfig($config):
    model_type = "interlingua_$model_type"


class BakedForCausalLM($base):
    config_class = BakedConfig

    def __init__(self, config):
        super().__init__(config)
        for name in config.biased_linears:
            linear = self.get_submodule(name)
            linear.bias = torch.nn.Parameter(torch.zeros(linear.out_features, dtype=linear.weight.dtype))
''')


def save_checkpoint(hf: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a checkpoint with its tokenizer, whole or not at all.

    Where the model has biases that its architecture lacks (baking makes them), the checkpoint is one of
    1. the same architecture with `mlp_bias`, where it has that option (Llama), the other biases being 0;
    2. the architecture with a dozen lines of code of its own, in the folder, which transformers runs with
       `trust_remote_code=True` and refuses to load without: never a model that silently lacks its biases.
    """
    added = _parameters_beyond(hf, hf.config)
    with folder_written_whole(folder) as temporary, quiet_transformers():
        tokenizer.save_pretrained(temporary)
        if added and getattr(hf.config, "mlp_bias", None) is False:
            _save_with_mlp_bias(hf, temporary)
        else:
            hf.save_pretrained(temporary)
            if added:
                _add_code(hf, added, temporary)


def _parameters_beyond(hf: PreTrainedModel, config: PreTrainedConfig) -> list[str]:
    """Return the names of the model's parameters that its architecture lacks."""
    with torch.device("meta"):
        plain = type(hf)(config)
    known = dict(plain.named_parameters())
    return [name for name, _ in hf.named_parameters() if name not in known]


def _save_with_mlp_bias(hf: PreTrainedModel, folder: Path) -> None:
    config = type(hf.config).from_dict({**hf.config.to_dict(), "mlp_bias": True})
    with torch.device("meta"):
        biased = type(hf)(config)
    state = dict(hf.state_dict())
    for name, parameter in biased.named_parameters():
        if name not in state:
            state[name] = torch.zeros(parameter.shape, dtype=hf.dtype)
    biased.load_state_dict(state, assign=True)
    biased.tie_weights()
    biased.save_pretrained(folder)


def _add_code(hf: PreTrainedModel, added: list[str], folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    names = {
        "base": type(hf).__name__,
        "config": type(hf.config).__name__,
        "model_type": config["model_type"],
    }
    (folder / "modeling_baked.py").write_text(CODE.substitute(names), encoding="utf-8")
    config.update(
        model_type=f"interlingua_{config['model_type']}",
        architectures=["BakedForCausalLM"],
        auto_map={
            "AutoConfig": "modeling_baked.BakedConfig",
            "AutoModelForCausalLM": "modeling_baked.BakedForCausalLM",
        },
        biased_linears=[name.removesuffix(".bias") for name in added],
    )
    write_json(folder / "config.json", config)
