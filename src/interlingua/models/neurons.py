"""Neurons: every output unit of every linear layer of every MLP block, before any non-linearity.

They are found by the ending of a module's name, not by its whole path, so that a language model nested in a larger
one works like one on its own (paper, section 3.2: "every neuron in the MLP layers").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.errors import ModelError
from interlingua.files import sha256_of_json

if TYPE_CHECKING:
    from torch import nn

MLP_ENDINGS: Mapping[tuple[str, ...], str] = {
    ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"): "Llama, Mistral, Qwen, Gemma, Cohere, StableLM",
    ("mlp.gate_up_proj", "mlp.down_proj"): "Phi-3, whose gate and up are one layer",
    ("mlp.dense_h_to_4h", "mlp.dense_4h_to_h"): "Bloom, Falcon, GPT-NeoX",
    ("mlp.c_fc", "mlp.c_proj"): "GPT-2, PolyLM",
    ("mlp.fc1", "mlp.fc2"): "Phi",
    ("mlp.fc_in", "mlp.fc_out"): "GPT-J",
    ("fc1", "fc2"): "OPT, XGLM, whose layers hold them directly",
}
"""The endings of the names of an MLP block's linear layers, in the order data flows, and who has them."""

_OTHER_TOWERS = re.compile(r"vision|visual|audio|image|speech")


@dataclass(frozen=True)
class NeuronLinear:
    """One linear layer whose outputs are neurons.

    Attributes:
        name: The module's path in the model, for example `model.layers.0.mlp.up_proj`.
        layer: The number of its block, from 0.
        kind: The last part of its name, for example `up_proj`.
        units: How many outputs it has.
    """

    name: str
    layer: int
    kind: str
    units: int


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
        return sha256_of_json([[linear.name, linear.units] for linear in self.linears])

    def locate(self, neurons: Iterable[int] | np.ndarray) -> pd.DataFrame:
        """Return a table of where neurons are: neuron, layer, module (the linear's kind), unit."""
        ids = np.asarray(list(neurons) if not isinstance(neurons, np.ndarray) else neurons, dtype=np.int64)
        which = np.searchsorted(self.offsets, ids, side="right") - 1
        kinds = [self.linears[i].kind for i in which]
        return pd.DataFrame(
            {
                "neuron": ids,
                "layer": [self.linears[i].layer for i in which],
                "module": kinds,
                "unit": ids - self.offsets[which],
            }
        )

    def by_linear(self, neurons: np.ndarray) -> Iterable[tuple[NeuronLinear, np.ndarray, np.ndarray]]:
        """Yield each linear that holds some of `neurons`, with their units and their positions in `neurons`."""
        which = np.searchsorted(self.offsets, neurons, side="right") - 1
        for i in np.unique(which):
            positions = np.flatnonzero(which == i)
            yield self.linears[i], neurons[positions] - self.offsets[i], positions


def find_neurons(model: nn.Module) -> NeuronIndex:
    """Find the linear layers of a model's MLP blocks.

    Args:
        model: Any causal LM of transformers; parameters may be on the meta device.

    Raises:
        ModelError: No known MLP linear is found, or the blocks are mixtures of experts, whose experts are parameters
            rather than modules; the message lists the linears that there are.
    """
    linears = {name: units for name, module in model.named_modules() if (units := _units(module)) is not None}
    in_text = {name: units for name, units in linears.items() if not _OTHER_TOWERS.search(name)}
    for endings in MLP_ENDINGS:
        found = [_linear(name, units) for name, units in in_text.items() if _ends_with(name, endings)]
        kinds = {linear.kind for linear in found}
        if kinds == {ending.rsplit(".", 1)[-1] for ending in endings}:
            order = {ending.rsplit(".", 1)[-1]: i for i, ending in enumerate(endings)}
            found.sort(key=lambda linear: (linear.layer, order[linear.kind]))
            return NeuronIndex(tuple(found))
    raise ModelError(_nothing_found(model, linears))


def _units(module: nn.Module) -> int | None:
    """Return the number of outputs of a linear layer, quantised ones included, or None for another module."""
    if type(module).__name__ == "Conv1D":
        return int(module.nf)  # ty: ignore
    return getattr(module, "out_features", None) if "Linear" in type(module).__name__ else None


def _ends_with(name: str, endings: tuple[str, ...]) -> bool:
    return any(name == ending or name.endswith(f".{ending}") for ending in endings)


def _linear(name: str, units: int) -> NeuronLinear:
    numbers = re.findall(r"(?:^|\.)(\d+)(?=\.)", name)
    return NeuronLinear(name, int(numbers[0]) if numbers else 0, name.rsplit(".", 1)[-1], units)


def _nothing_found(model: nn.Module, linears: Mapping[str, int]) -> str:
    shapes = sorted({re.sub(r"\d+", "N", name) for name in linears})
    experts = sorted({re.sub(r"\d+", "N", name) for name, _ in model.named_modules() if re.search(r"\bexperts$", name)})
    reason = (
        f"its MLP blocks are mixtures of experts ({', '.join(experts)}), whose experts are parameters, not modules, "
        "and these are not supported"
        if experts
        else "none of its linear layers has a known name"
    )
    return (
        f"no MLP neurons found in {type(model).__name__}: {reason}. Its linear layers: "
        f"{', '.join(shapes) or 'none'}. Known endings: {'; '.join(', '.join(group) for group in MLP_ENDINGS)}."
    )
