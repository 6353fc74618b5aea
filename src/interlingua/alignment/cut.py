"""A model without the blocks above a layer."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch

from interlingua.errors import InputError
from interlingua.interventions import Intervention
from interlingua.models import LanguageModel, NeuronIndex
from interlingua.models.mixtures import open_mixtures


def cut(model: LanguageModel, layer: int, *, final_norm: bool = False) -> LanguageModel:
    """Return a model that ends one block above a hidden state; it shares its weights with the whole model.

    What a model returns last has been through the final norm, which hidden states below have not. So one block more is
    kept than the hidden state needs, whose input it is: `embed(cut(model, layer), ..., layer=layer)` is
    `embed(model, ..., layer=layer)`. At the last layer the model is returned as it is.

    Args:
        model: The whole model.
        layer: The hidden state, numbered from 0, the input of the first block.
        final_norm: End at the hidden state itself, which then is the last and goes through the final norm.

    Raises:
        InputError: The model has no such layer, or nothing is left before the final norm.
    """
    blocks = model.hf.config.get_text_config().num_hidden_layers
    if not final_norm <= layer <= blocks:
        raise InputError(f"layer must lie between {int(final_norm)} and {blocks}; {layer} does not")
    kept = layer if final_norm else layer + 1
    if kept >= blocks:
        return model
    config = copy.deepcopy(model.hf.config)
    text = config.get_text_config()
    text.num_hidden_layers = kept
    if getattr(text, "layer_types", None):
        text.layer_types = text.layer_types[:kept]
    make: Any = type(model.hf)
    with torch.device("meta"):
        hf = make(config)
    parameters = model.hf.state_dict()
    hf.load_state_dict({name: parameters[name] for name in hf.state_dict()}, assign=True)
    for name, buffer in hf.named_buffers():
        if buffer.is_meta:  # not part of a checkpoint, such as rotary frequencies
            owner, _, attribute = name.rpartition(".")
            setattr(hf.get_submodule(owner), attribute, model.hf.get_buffer(name))
    hf.tie_weights()
    open_mixtures(hf)
    below = NeuronIndex(tuple(linear for linear in model.neurons.linears if linear.layer < kept))
    return replace(model, hf=hf.eval(), neurons=below)


def edit_of_cut(edit: Intervention | None, shorter: LanguageModel) -> Intervention | None:
    """Return the part of a whole model's edit that lies in a cut one; None where nothing does."""
    if edit is None:
        return None
    neurons, scale, shift = edit.by_neuron(shorter.neurons)
    kept = Intervention.of_neurons(
        shorter.neurons, neurons, scale=scale, shift=shift, kind=edit.kind, parameters=edit.parameters
    )
    return kept if len(kept) else None
