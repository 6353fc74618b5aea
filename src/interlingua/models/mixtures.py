"""Mixtures of experts, whose expert MLPs are made of linear layers like any other MLP.

transformers keeps the expert MLPs of a layer in parameters of three dimensions, such as `gate_up_proj` [experts, 2 * I,
H]. Opened, the module that holds them has a child for each expert, of three linear layers that are views of these
parameters. They are found, recorded and edited as others are; what is written into them is written into the
parameters, and a checkpoint is as it would be.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

IMPLEMENTATION = "interlingua"
"""What transformers knows `run_mixture` by."""


class ExpertLinear(nn.Module):
    """A linear layer of one expert: a view of some rows of one slice of its mixture's parameters.

    Where the mixture has no biases, `bias` is None as in `nn.Linear`, until the layer is given one.

    Args:
        mixture: The module that holds the parameters.
        parameter: The name of the one that this layer is part of; of its biases `<parameter>_bias`.
        number: The expert's.
        rows: Which of the outputs are this layer's.
    """

    def __init__(self, mixture: Any, parameter: str, number: int, rows: slice) -> None:
        super().__init__()
        self.__dict__["mixture"] = mixture  # not a child of its own child
        self.parameter, self.number, self.rows = parameter, number, rows
        if not mixture.has_bias:
            self.register_parameter("bias", None)
        self.out_features, self.in_features = self.weight.shape

    @property
    def fused(self) -> torch.Tensor:
        """The parameter that `weight` is a view of, wherever it is now."""
        return getattr(self.mixture, self.parameter)

    @property
    def weight(self) -> torch.Tensor:
        """The layer's weight: [out_features, in_features]."""
        matrix = self.fused[self.number]
        return (matrix.T if self.mixture.is_transposed else matrix)[self.rows]

    def __getattr__(self, name: str) -> Any:
        if name == "bias" and self.mixture.has_bias:
            return getattr(self.mixture, f"{self.parameter}_bias")[self.number, self.rows]
        return super().__getattr__(name)

    def forward(self, hidden_states: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Run the layer; `tokens`, for hooks, says which tokens of the batch are given: int64 [n], ascending."""
        return nn.functional.linear(hidden_states, self.weight, self.bias)


def open_mixtures(model: nn.Module) -> None:
    """Open every mixture of a model that runs by transformers' interface for experts; an open one stays as it is.

    From then on the model computes one expert after the other, so that its numbers can differ by rounding.
    """
    for mixture in [module for module in model.modules() if _can_be_opened(module)]:
        _open(mixture)


def is_open(mixture: nn.Module) -> bool:
    """Tell whether a mixture has been opened."""
    return any(isinstance(module, ExpertLinear) for module in mixture.modules())


def _can_be_opened(module: Any) -> bool:
    """Tell whether a module is a closed mixture whose experts are gated MLPs in plain numbers."""
    weight = module._parameters.get("gate_up_proj")
    by_interface = hasattr(module, "is_transposed") and hasattr(module, "has_bias")
    plain = weight is not None and weight.dim() == 3 and weight.is_floating_point() and weight.itemsize > 1
    return by_interface and plain and not getattr(module, "has_post_expert_norm", False) and not is_open(module)


def _open(mixture: Any) -> None:
    from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

    ALL_EXPERTS_FUNCTIONS.register(IMPLEMENTATION, run_mixture)
    fused = mixture.gate_up_proj.shape[2 if mixture.is_transposed else 1]
    halves = (
        (slice(fused // 2), slice(fused // 2, None)) if _halved(mixture) else (slice(0, None, 2), slice(1, None, 2))
    )
    for number in range(len(mixture.gate_up_proj)):
        linears = {
            name: ExpertLinear(mixture, "gate_up_proj", number, rows)
            for name, rows in zip(("gate_proj", "up_proj"), halves, strict=True)
        }
        linears["down_proj"] = ExpertLinear(mixture, "down_proj", number, slice(None))
        mixture.add_module(str(number), nn.ModuleDict(linears))
    # A copy, so that the model's config stays the one that it was loaded with.
    mixture.config = copy.copy(mixture.config)
    mixture.config._experts_implementation_internal = IMPLEMENTATION


def _halved(mixture: Any) -> bool:
    """Tell whether the gate is the first half of the fused layer, or every other row of it, as in gpt-oss."""
    return getattr(mixture, "is_concatenated", not (mixture.is_transposed and mixture.has_bias))


def run_mixture(
    mixture: Any, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
) -> torch.Tensor:
    """Run the experts of a mixture one by one, each on the tokens that are routed to it.

    Args:
        mixture: An open mixture.
        hidden_states: [tokens, H].
        top_k_index: The experts of each token: int64 [tokens, top k].
        top_k_weights: What each one's output is multiplied by: [tokens, top k].

    Returns:
        [tokens, H].
    """
    total = torch.zeros_like(hidden_states)
    for number in top_k_index.unique().tolist():
        if number >= mixture.num_experts:  # stands for experts on other devices
            continue
        expert = mixture.get_submodule(str(number))
        tokens, choice = (top_k_index == number).nonzero(as_tuple=True)
        given = hidden_states[tokens]
        gate, up = expert["gate_proj"](given, tokens), expert["up_proj"](given, tokens)
        fused = torch.cat([gate, up], dim=-1) if _halved(mixture) else torch.stack([gate, up], dim=-1).flatten(-2)
        answer = expert["down_proj"](mixture._apply_gate(fused), tokens)
        total.index_add_(0, tokens, (answer * top_k_weights[tokens, choice, None]).to(total.dtype))
    return total
