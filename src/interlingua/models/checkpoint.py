"""Checkpoints that plain transformers loads, even of models with biases that their architecture lacks."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import torch

from interlingua.errors import ModelError
from interlingua.files import folder_written_whole, write_json
from interlingua.models.as_llama import as_llama, llama_config, with_parameters_of
from interlingua.models.card import card_of_checkpoint
from interlingua.models.neurons import runs_in
from interlingua.models.quiet import quiet_transformers
from interlingua.models.terms import terms_of
from interlingua.valid import read_json

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

PREFIX = "interlingua_"
BIAS_OPTIONS = ("mlp_bias", "bias", "use_bias")

VARIANT = "baked"
"""Weights that need the code beside them are in `model.baked.safetensors`: without the code none are found."""

CODE = Template('''\
"""$causal with biases on the MLP layers that a baked intervention edits. Written by interlingua."""

import torch
from transformers import $body, $causal, $config


class BakedConfig($config):
    model_type = "$model_type"


class Baked:
    """Has the biases, and keeps its weights in model.baked.safetensors, where a class without them finds none."""

    config_class = BakedConfig

    def __init__(self, config):
        super().__init__(config)
        own = {name for name, _ in self.named_modules()}
        for name in config.biased_linears:
            within = name if name in own else name.removeprefix(self.base_model_prefix + ".")
            linear = self.get_submodule(within)
            linear.bias = torch.nn.Parameter(torch.zeros(linear.out_features, dtype=linear.weight.dtype))

    @classmethod
    def from_pretrained(cls, *args, **options):
        return super().from_pretrained(*args, **{**options, "variant": options.get("variant") or "$variant"})

    def save_pretrained(self, *args, **options):
        return super().save_pretrained(*args, **{**options, "variant": options.get("variant") or "$variant"})


class BakedModel(Baked, $body):
    pass


class BakedForCausalLM(Baked, $causal):
    pass
''')


def save_checkpoint(hf: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, name: str) -> None:
    """Write a checkpoint with its tokenizer and card, and its base model's licence, whole or not at all.

    `name` is what the model was loaded as.

    Where the model has biases that its architecture lacks (baking makes them), the checkpoint is one of
    1. the same architecture with its option for biases, where it has one (Llama, Falcon), the other biases being 0;
    2. a Llama with biases, where one computes the same (Mistral, Qwen2; see `as_llama`);
    3. the architecture with a few lines of code in the folder, which transformers runs with
       `trust_remote_code=True`. Nothing loads it without them: Auto classes refuse, and other classes find no weights.

    Experts of a mixture that have no biases can get none: their layers are modules in interlingua only.
    """
    added = _parameters_beyond(hf, hf.config)
    if others := [name for name in added if not name.endswith(".bias") or ".lora_" in name]:
        raise ModelError(
            f"the model has parameters that its architecture lacks ({others[0]}); merge an adapter first (PEFT's "
            "merge_and_unload), and load the model again"
        )
    if in_experts := [name for name in added if _of_expert(name)]:
        raise ModelError(
            f"the experts of {type(hf).__name__} have no biases, so that no checkpoint can hold a shift "
            f"({in_experts[0]}); steer by applied_to, or bake an edit that only scales"
        )
    option = _bias_option(hf) if added else None
    if hf.generation_config is not None:
        try:
            hf.generation_config.validate(strict=True)
        except ValueError as error:
            raise ModelError(
                f"the model's generation config cannot be saved: {' '.join(str(error).split())[:300]}"
            ) from None
    with folder_written_whole(folder) as temporary, quiet_transformers():
        tokenizer.save_pretrained(temporary)
        if option is not None:
            with_parameters_of(type(hf), _config_with(hf, option), hf).save_pretrained(temporary)
        elif added and llama_config(hf.config) is not None:
            as_llama(hf).save_pretrained(temporary)
        else:
            hf.save_pretrained(temporary, variant=VARIANT if added else None)
            if added:
                _add_code(hf, added, temporary)
        _add_card(hf, name, temporary)


def baked_interventions(config: PreTrainedConfig) -> list[dict[str, Any]]:
    """Return what was baked into a model, first things first, as its config says."""
    return list(getattr(config, "baked_interventions", ()))


def _add_card(hf: PreTrainedModel, name: str, folder: Path) -> None:
    terms = terms_of(name, hf.config.model_type)
    for file in terms.files:
        shutil.copy(file, folder)
    if terms.notice and not (folder / "NOTICE").exists():
        (folder / "NOTICE").write_text(f"{terms.notice}\n", encoding="utf-8")
    config = read_json(folder / "config.json")
    text = card_of_checkpoint(terms, baked_interventions(hf.config), needs_code="auto_map" in config)
    (folder / "README.md").write_text(text, encoding="utf-8")


def _of_expert(parameter: str) -> bool:
    layer = parameter.rpartition(".")[0]
    return runs_in(layer) != layer


def takes_biases(hf: PreTrainedModel, modules: Iterable[str]) -> bool:
    """Tell whether linear layers, given by name, have biases, or get them in a checkpoint without code."""
    there = all(hf.get_submodule(name).bias is not None for name in modules)
    if there or llama_config(hf.config) is not None:
        return True
    biases = [f"{name}.bias" for name in modules]
    for option in BIAS_OPTIONS:
        if getattr(hf.config, option, None) is False:
            with torch.device("meta"):
                gained = dict(_transformers_class(hf)(_config_with(hf, option)).named_parameters())
            if all(name in gained for name in biases):
                return True
    return False


def _parameters_beyond(hf: PreTrainedModel, config: PreTrainedConfig) -> list[str]:
    """Return the names of the model's parameters that its architecture lacks."""
    with torch.device("meta"):
        plain = _transformers_class(hf)(config)
    known = dict(plain.named_parameters())
    return [name for name, _ in hf.named_parameters() if name not in known]


def _bias_option(hf: PreTrainedModel) -> str | None:
    """Return the config's option that gives the architecture all of the biases, if it has one."""
    for option in BIAS_OPTIONS:
        if getattr(hf.config, option, None) is False and not _parameters_beyond(hf, _config_with(hf, option)):
            return option
    return None


def _config_with(hf: PreTrainedModel, option: str) -> PreTrainedConfig:
    return type(hf.config).from_dict({**hf.config.to_dict(), option: True})


def _add_code(hf: PreTrainedModel, added: list[str], folder: Path) -> None:
    config = read_json(folder / "config.json")
    model_type = config["model_type"].removeprefix(PREFIX)
    names = {
        "body": _transformers_class(hf.base_model).__name__,
        "causal": _transformers_class(hf).__name__,
        "config": _transformers_class(hf.config).__name__,
        "model_type": PREFIX + model_type,
        "variant": VARIANT,
    }
    (folder / "modeling_baked.py").write_text(CODE.substitute(names), encoding="utf-8")
    config.update(
        model_type=PREFIX + model_type,
        architectures=["BakedForCausalLM"],
        auto_map={
            "AutoConfig": "modeling_baked.BakedConfig",
            "AutoModel": "modeling_baked.BakedModel",
            "AutoModelForCausalLM": "modeling_baked.BakedForCausalLM",
        },
        biased_linears=[name.removesuffix(".bias") for name in added],
    )
    write_json(folder / "config.json", config)


def _transformers_class(thing: Any) -> Any:
    """Return the class that transformers itself has, even for a model that was loaded with our code."""
    return next((c for c in type(thing).__mro__ if c.__module__.startswith("transformers.models.")), type(thing))
