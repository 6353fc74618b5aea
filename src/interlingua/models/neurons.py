"""Neurons: the units of MLP blocks, at one of three sites.

`outputs` are the outputs of every linear layer, before any non-linearity (the paper); `inner` those of every layer but
the last; `hidden` the inputs of the last, after the non-linearity, gate times up where there is a gate (Tang et al.
2024 and most later work).

They are found by the ending of a module's name, not by its whole path, so that a language model nested in a larger
one works like one on its own (paper, section 3.2: "every neuron in the MLP layers").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from interlingua.errors import InputError, ModelError
from interlingua.files import sha256_of_json

if TYPE_CHECKING:
    from torch import nn

MLP_ENDINGS: Mapping[tuple[str, ...], str] = {
    ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"): "Llama, Mistral, Qwen, Gemma, Cohere (Aya), StableLM",
    ("mlp.gate_up_proj", "mlp.down_proj"): "Phi-3, whose gate and up are the halves of one layer",
    ("mlp.dense_h_to_4h", "mlp.dense_4h_to_h"): "Bloom, Falcon, GPT-NeoX",
    ("mlp.c_fc", "mlp.c_proj"): "GPT-2, PolyLM",
    ("mlp.fc1", "mlp.fc2"): "Phi",
    ("mlp.fc_in", "mlp.fc_out"): "GPT-J",
    ("fc1", "fc2"): "OPT, XGLM, whose layers hold them directly",
}
"""The endings of the names of an MLP block's linear layers, in the order data flows, and who has them."""

FUSED = {"gate_up_proj": ("gate", "up")}
"""Linear layers whose output is cut into equal parts, by the last part of their name."""

Site: TypeAlias = Literal["outputs", "inner", "hidden"]
SITES: tuple[Site, ...] = get_args(Site)

HIDDEN = "hidden"
"""What the kind of hidden units is called in tables."""

_OTHER_TOWERS = re.compile(r"vision|visual|audio|image|speech")


INPUTS = ".inputs"
"""Added to a module's path where its inputs are meant."""


@dataclass(frozen=True)
class NeuronLinear:
    """One linear layer, or one part of a fused one, whose outputs or inputs are neurons.

    Attributes:
        name: The module's path in the model, for example `model.layers.0.mlp.up_proj`.
        layer: The number of its block, from 0.
        kind: The last part of its name, for example `up_proj`; of a fused layer's half, `gate_up_proj.up`.
        units: How many neurons it has.
        start: Which of the layer's outputs is the first of them; above 0 in the second half of a fused layer.
        output: Whether it is the last of its MLP, whose outputs go to the residual stream.
        inputs: Whether the neurons are the layer's inputs.
    """

    name: str
    layer: int
    kind: str
    units: int
    start: int = 0
    output: bool = False
    inputs: bool = False

    @property
    def place(self) -> str:
        """What an edit of these neurons is kept under: the module's path, and whether its inputs are edited."""
        return f"{self.name}{INPUTS}" if self.inputs else self.name


@dataclass(frozen=True)
class NeuronIndex:
    """All neurons of a model, numbered from 0 by layer, then module, then unit.

    Example:
        >>> index = NeuronIndex((NeuronLinear("h.0.mlp.up_proj", 0, "up_proj", 4),
        ...                      NeuronLinear("h.0.mlp.down_proj", 0, "down_proj", 2)))
        >>> len(index)
        6
        >>> index.locate([1, 5])
           neuron  layer     module  unit
        0       1      0    up_proj     1
        1       5      0  down_proj     1
    """

    linears: tuple[NeuronLinear, ...]

    def __len__(self) -> int:
        return int(self.offsets[-1])

    @cached_property
    def offsets(self) -> np.ndarray:
        """The number of each linear's first neuron, and the number of all neurons: int64 [linears + 1]."""
        return np.cumsum([0, *(linear.units for linear in self.linears)])

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of names and sizes: equal for models whose neurons mean the same positions."""
        return sha256_of_json([[linear.place, linear.start, linear.units] for linear in self.linears])

    def locate(self, neurons: Iterable[int] | np.ndarray) -> pd.DataFrame:
        """Return a table of where neurons are: neuron, layer, module (the linear's kind), unit."""
        ids = np.asarray(list(neurons) if not isinstance(neurons, np.ndarray) else neurons, dtype=np.int64)
        which = np.searchsorted(self.offsets, ids, side="right") - 1
        layers = np.array([linear.layer for linear in self.linears])
        kinds = np.array([linear.kind for linear in self.linears], dtype=object)
        return pd.DataFrame(
            {
                "neuron": ids,
                "layer": layers[which],
                "module": kinds[which],
                "unit": ids - self.offsets[which],
            }
        )

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules that hold the neurons, each once: fewer than linears where some are fused."""
        return tuple(dict.fromkeys(linear.name for linear in self.linears))

    def joined(self, other: NeuronIndex) -> NeuronIndex:
        """Return the neurons of both, so that two sites are recorded in one pass."""
        return NeuronIndex((*self.linears, *other.linears))

    def by_linear(self, neurons: np.ndarray) -> Iterable[tuple[NeuronLinear, np.ndarray, np.ndarray]]:
        """Yield each linear that holds some of `neurons`, with their units and their positions in `neurons`."""
        which = np.searchsorted(self.offsets, neurons, side="right") - 1
        for i in np.unique(which):
            positions = np.flatnonzero(which == i)
            yield self.linears[i], neurons[positions] - self.offsets[i], positions


def find_neurons(model: nn.Module, endings: Sequence[str] | None = None, *, neurons: Site = "outputs") -> NeuronIndex:
    """Find the neurons of a model's MLP blocks.

    Args:
        model: Any causal LM of transformers; parameters may be on the meta device.
        endings: The endings of the names of an MLP block's linear layers, in the order data flows, for a model that
            `MLP_ENDINGS` does not know, for example `["ffn.w1", "ffn.w2"]`.
        neurons: `outputs`, of every linear layer; `inner`, of all but the last of a block, which goes back to the
            residual stream; or `hidden`, the inputs of that last one.

    Raises:
        InputError: There is no such site.
        ModelError: No known MLP linear is found, or the blocks are mixtures of experts, whose experts are parameters
            rather than modules; the message lists the linears that there are.

    Example:
        In a `model` of two blocks with 64 inner and 32 outer dimensions:

        >>> [(linear.name, linear.units) for linear in find_neurons(model.hf).linears[:3]]
        [('model.layers.0.mlp.gate_proj', 64), ('model.layers.0.mlp.up_proj', 64), ('model.layers.0.mlp.down_proj', 32)]
    """
    if neurons not in SITES:
        raise InputError(f"unknown neurons '{neurons}'; use {', '.join(SITES)}")
    linears = {name: units for name, module in model.named_modules() if (units := _units(module)) is not None}
    if not endings and _experts_of_mixtures(model):
        raise ModelError(_nothing_found(model, linears, endings))
    in_text = {name: units for name, units in linears.items() if not _OTHER_TOWERS.search(name)}
    for group in [tuple(endings)] if endings else MLP_ENDINGS:
        found = {name: ending for name in in_text for ending in group if _ends_with(name, ending)}
        if set(found.values()) == set(group):
            if neurons == "hidden":
                lasts = [name for name, ending in found.items() if ending == group[-1]]
                hidden = [_hidden(name, model.get_submodule(name)) for name in lasts]
                return NeuronIndex(tuple(sorted(hidden, key=lambda linear: linear.layer)))
            wanted = group[:-1] if neurons == "inner" else group
            index = [
                (linear.layer, wanted.index(ending), linear.start, linear)
                for name, ending in found.items()
                if ending in wanted
                for linear in _linears(name, in_text[name], output=ending == group[-1])
            ]
            return NeuronIndex(tuple(linear for *_, linear in sorted(index, key=lambda entry: entry[:3])))
    raise ModelError(_nothing_found(model, linears, endings))


def _units(module: nn.Module) -> int | None:
    """Return the number of outputs of a linear layer, quantised ones included, or None for another module."""
    if type(module).__name__ == "Conv1D":
        return int(module.nf)  # ty: ignore
    return getattr(module, "out_features", None) if "Linear" in type(module).__name__ else None


def _ends_with(name: str, ending: str) -> bool:
    return name == ending or name.endswith(f".{ending}")


def _linears(name: str, outputs: int, *, output: bool) -> list[NeuronLinear]:
    """Return the parts of one linear layer that hold neurons: the whole layer, or each part of a fused one."""
    layer, kind = _layer(name), name.rsplit(".", 1)[-1]
    parts = FUSED.get(kind)
    if parts is None:
        return [NeuronLinear(name, layer, kind, outputs, output=output)]
    units = outputs // len(parts)
    return [NeuronLinear(name, layer, f"{kind}.{part}", units, i * units, output) for i, part in enumerate(parts)]


def _hidden(name: str, module: nn.Module) -> NeuronLinear:
    """Return the inputs of a block's last linear layer."""
    units = module.nx if type(module).__name__ == "Conv1D" else module.in_features
    return NeuronLinear(name, _layer(name), HIDDEN, int(units), inputs=True)  # ty: ignore


def _layer(name: str) -> int:
    numbers = re.findall(r"(?:^|\.)(\d+)(?=\.)", name)
    return int(numbers[0]) if numbers else 0


def _experts_of_mixtures(model: nn.Module) -> list[str]:
    """Return where a model's mixtures of experts are, the numbers of its layers as N; some layers may be dense."""
    return sorted({re.sub(r"\d+", "N", name) for name, _ in model.named_modules() if re.search(r"\bexperts$", name)})


def _nothing_found(model: nn.Module, linears: Mapping[str, int], endings: Sequence[str] | None) -> str:
    shapes = sorted({re.sub(r"\d+", "N", name) for name in linears})
    experts = _experts_of_mixtures(model)
    if endings:
        reason = f"none of its linear layers is named {', '.join(endings)}"
    elif experts:
        reason = (
            f"its MLP blocks are mixtures of experts ({', '.join(experts)}), which are parameters, not modules, and "
            "not supported"
        )
    else:
        reason = "none of its linear layers has a known name"
    return (
        f"no MLP neurons found in {type(model).__name__}: {reason}. Its linear layers: {', '.join(shapes) or 'none'}. "
        f"Known endings: {'; '.join(', '.join(group) for group in MLP_ENDINGS)}. Name others with mlp_endings."
    )
