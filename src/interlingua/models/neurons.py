"""Neurons: the units of MLP blocks, at one of three sites.

`outputs` are the outputs of every linear layer, before any non-linearity (the paper); `inner` those of every layer but
the last; `hidden` the inputs of the last, after the non-linearity, gate times up where there is a gate (Tang et al.
2024 and most later work).

They are found by the ending of a module's name, not by its whole path, so that a language model nested in a larger
one works like one by itself (paper, section 3.2: "every neuron in the MLP layers"). In a mixture of experts each
expert is an MLP with its own neurons, an *expert MLP*.
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
    ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"): "Llama, Mistral, Qwen, Gemma, Cohere (Aya), StableLM; Mixtral, "
    "Qwen-MoE, DeepSeek and gpt-oss, whose experts have them",
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
_EXPERT = re.compile(r"(?P<mixture>(?:.+\.)?experts)\.(?P<number>\d+)\.\w+$")
"""A linear layer of an expert MLP."""

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

    @property
    def expert(self) -> int | None:
        """The number of its expert, in a mixture of experts; None of a layer that every token goes through."""
        match = _EXPERT.match(self.name)
        return int(match["number"]) if match else None

    @property
    def expert_mlp(self) -> str | None:
        """The path of the expert MLP that it is part of, which runs only on the tokens that are routed to it."""
        return None if self.expert is None else self.name.rpartition(".")[0]


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
        """Return a table of where neurons are: neuron, layer, module (the linear's kind), unit.

        Of a model with mixtures of experts, the column expert says of which one; it is missing where it is of none.
        """
        ids = np.asarray(list(neurons) if not isinstance(neurons, np.ndarray) else neurons, dtype=np.int64)
        which = np.searchsorted(self.offsets, ids, side="right") - 1
        layers = np.array([linear.layer for linear in self.linears])
        kinds = np.array([linear.kind for linear in self.linears], dtype=object)
        where = {"neuron": ids, "layer": layers[which]}
        if self.expert_mlps:
            experts = pd.array([linear.expert for linear in self.linears], dtype="Int64")
            where["expert"] = experts[which]
        return pd.DataFrame({**where, "module": kinds[which], "unit": ids - self.offsets[which]})

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """The names of the modules that hold the neurons, each once: fewer than linears where some are fused."""
        return tuple(dict.fromkeys(linear.name for linear in self.linears))

    @cached_property
    def expert_mlps(self) -> dict[str, np.ndarray]:
        """The neurons of each expert MLP, by its path; none in a model without mixtures of experts."""
        parts: dict[str, list[np.ndarray]] = {}
        for linear, first in zip(self.linears, self.offsets.tolist(), strict=False):
            if linear.expert_mlp is not None:
                parts.setdefault(linear.expert_mlp, []).append(np.arange(first, first + linear.units))
        return {name: np.concatenate(neurons) for name, neurons in parts.items()}

    def joined(self, other: NeuronIndex) -> NeuronIndex:
        """Return the neurons of both, so that two sites are recorded in one pass."""
        return NeuronIndex((*self.linears, *other.linears))

    def by_linear(self, neurons: np.ndarray) -> Iterable[tuple[NeuronLinear, np.ndarray, np.ndarray]]:
        """Yield each linear that holds some of `neurons`, with their units and their positions in `neurons`."""
        which = np.searchsorted(self.offsets, neurons, side="right") - 1
        for i in np.unique(which):
            positions = np.flatnonzero(which == i)
            yield self.linears[i], neurons[positions] - self.offsets[i], positions


def module_name(where: pd.Series) -> str:
    """Return the module in a row of `NeuronIndex.locate` with its expert, if any, for example `experts.3.up_proj`."""
    expert = where.get("expert", pd.NA)
    return where.module if pd.isna(expert) else f"experts.{expert}.{where.module}"


def runs_in(name: str) -> str:
    """Return the path of the module that runs whenever a layer can: its mixture, of a layer of an expert MLP.

    An expert that no token is routed to does not run.
    """
    match = _EXPERT.match(name)
    return match["mixture"] if match else name


def find_neurons(model: nn.Module, endings: Sequence[str] | None = None, *, neurons: Site = "outputs") -> NeuronIndex:
    """Find the neurons of a model's MLP blocks.

    Mixtures of experts are opened for it (`models.mixtures`), so that each expert's linear layers are modules.

    Args:
        model: Any causal LM of transformers; parameters may be on the meta device.
        endings: The endings of the names of an MLP block's linear layers, in the order data flows, for a model that
            `MLP_ENDINGS` does not know, for example `["ffn.w1", "ffn.w2"]`.
        neurons: `outputs`, of every linear layer; `inner`, of all but the last of a block, which goes back to the
            residual stream; or `hidden`, the inputs of that last one.

    Raises:
        InputError: There is no such site.
        ModelError: No known MLP linear is found, or a mixture of experts cannot be opened, or is not among what is
            found; the message lists the linears that there are.

    Example:
        In a `model` of two blocks with 64 inner and 32 outer dimensions:

        >>> [(linear.name, linear.units) for linear in find_neurons(model.hf).linears[:3]]
        [('model.layers.0.mlp.gate_proj', 64), ('model.layers.0.mlp.up_proj', 64), ('model.layers.0.mlp.down_proj', 32)]
    """
    if neurons not in SITES:
        raise InputError(f"unknown neurons '{neurons}'; use {', '.join(SITES)}")
    from interlingua.models.mixtures import open_mixtures  # here, since it imports torch

    open_mixtures(model)
    linears = {name: units for name, module in model.named_modules() if (units := _units(module)) is not None}
    if not endings and _closed_mixtures(model):
        raise ModelError(_nothing_found(model, linears, endings))
    in_text = {name: units for name, units in linears.items() if not _OTHER_TOWERS.search(name)}
    for group in [tuple(endings)] if endings else MLP_ENDINGS:
        found = {name: ending for name in in_text for ending in group if _ends_with(name, ending)}
        if set(found.values()) == set(group):
            if not endings and _left_out(in_text, found):
                break
            if neurons == "hidden":
                lasts = [name for name, ending in found.items() if ending == group[-1]]
                hidden = [_hidden(name, model.get_submodule(name)) for name in lasts]
                return NeuronIndex(tuple(sorted(hidden, key=lambda linear: linear.layer)))
            wanted = group[:-1] if neurons == "inner" else group
            index = [
                (
                    linear.layer,
                    -1 if linear.expert is None else linear.expert,
                    wanted.index(ending),
                    linear.start,
                    linear,
                )
                for name, ending in found.items()
                if ending in wanted
                for linear in _linears(name, in_text[name], output=ending == group[-1])
            ]
            return NeuronIndex(tuple(linear for *_, linear in sorted(index, key=lambda entry: entry[:4])))
    raise ModelError(_nothing_found(model, linears, endings))


def _units(module: nn.Module) -> int | None:
    """Return the number of outputs of a linear layer, quantised ones included, or None for another module."""
    if type(module).__name__ == "Conv1D":
        return int(module.nf)  # ty: ignore
    return getattr(module, "out_features", None) if "Linear" in type(module).__name__ else None


def _ends_with(name: str, ending: str) -> bool:
    return any(known == ending or known.endswith(f".{ending}") for known in (name, _in_dense_mlp(name)))


def _in_dense_mlp(name: str) -> str:
    """Return what a layer of an expert, or of a shared expert, would be named in a dense MLP."""
    within = re.compile(r"(?P<block>\.\d+)?\.(experts\.\d+|shared_experts?|shared_mlp)(?=\.\w+$)")
    return within.sub(lambda match: f"{match['block']}.mlp" if match["block"] else "", name)


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


def _left_out(linears: Iterable[str], found: Iterable[str]) -> list[str]:
    """Return layers of a mixture of experts named like those found: its experts, or shared ones, of another kind."""
    known = set(found)
    kinds = {name.rpartition(".")[-1] for name in known}
    mixed = any(_EXPERT.match(name) for name in linears)
    others = [name for name in linears if name not in known and "attn" not in name] if mixed else []
    return [name for name in others if name.rpartition(".")[-1] in kinds]


def _closed_mixtures(model: nn.Module) -> list[str]:
    """Return which mixtures of experts could not be opened, the numbers of their layers as N."""
    from interlingua.models.mixtures import is_open

    mixtures = [
        name for name, module in model.named_modules() if re.search(r"\bexperts$", name) and not is_open(module)
    ]
    return sorted({re.sub(r"\d+", "N", name) for name in mixtures})


def _nothing_found(model: nn.Module, linears: Mapping[str, int], endings: Sequence[str] | None) -> str:
    shapes = sorted({re.sub(r"\d+", "N", name) for name in linears})
    closed = _closed_mixtures(model)
    if endings:
        reason = f"none of its linear layers is named {', '.join(endings)}"
    elif closed:
        reason = (
            f"its mixtures of experts ({', '.join(closed)}) are quantised, or of a kind that does not run by "
            "transformers' interface for experts, and not supported"
        )
    elif any(_EXPERT.match(name) for name in linears):
        reason = "its mixtures of experts, or some of their layers, have no known name"
    else:
        reason = "none of its linear layers has a known name"
    return (
        f"no MLP neurons found in {type(model).__name__}: {reason}. Its linear layers: {', '.join(shapes) or 'none'}. "
        f"Known endings: {'; '.join(', '.join(group) for group in MLP_ENDINGS)}. Name others with mlp_endings."
    )
