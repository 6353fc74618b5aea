"""A model without the blocks above a layer."""

from __future__ import annotations

import copy
from typing import Any

import torch

from interlingua.errors import InputError
from interlingua.models import LanguageModel, find_neurons


def cut(model: LanguageModel, layer: int) -> LanguageModel:
    """Return a model that ends one block above a hidden state; it shares its weights with the whole model.

    What a model returns last has been through the final norm, which hidden states below have not. So one block more is
    kept than the hidden state needs, whose input it is: `embed(cut(model, layer), ..., layer=layer)` is
    `embed(model, ..., layer=layer)`. At the last layer the model is returned as it is.

    Args:
        model: The whole model.
        layer: The hidden state, numbered from 0, the input of the first block.

    Raises:
        InputError: The model has no such layer.
    """
    blocks = model.hf.config.get_text_config().num_hidden_layers
    if not 0 <= layer <= blocks:
        raise InputError(f"layer must lie between 0 and {blocks}; {layer} does not")
    if layer + 1 >= blocks:
        return model
    config = copy.deepcopy(model.hf.config)
    text = config.get_text_config()
    text.num_hidden_layers = layer + 1
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[: layer + 1]
    make: Any = type(model.hf)
    with torch.device("meta"):
        hf = make(config)
    parameters = model.hf.state_dict()
    hf.load_state_dict({name: parameters[name] for name in hf.state_dict()}, assign=True)
    for name, buffer in hf.named_buffers():
        if buffer.is_meta:  # not part of a checkpoint, such as rotary frequencies
            owner, _, own = name.rpartition(".")
            setattr(hf.get_submodule(owner), own, model.hf.get_buffer(name))
    hf.tie_weights()
    return LanguageModel(hf.eval(), model.tokenizer, find_neurons(hf), model.name, model.revision)
