"""Write an intervention into a model's weights: `W' = scale * W`, `b' = scale * b + shift`."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from interlingua.errors import ModelError

if TYPE_CHECKING:
    from interlingua.interventions.intervention import AffineEdit, Intervention
    from interlingua.models import LanguageModel


def bake(model: LanguageModel, intervention: Intervention) -> LanguageModel:
    """Return a copy of a model whose weights hold the intervention.

    An edited layer that has no bias gets one. The copy needs nothing of interlingua to run, at no cost per token, and
    its `save_pretrained` writes a checkpoint.

    Args:
        model: The model; it stays as it is.
        intervention: Made for this model.

    Raises:
        ArtifactError: The intervention was made for a model with other neurons.
        ModelError: An edited layer is quantised, so that its weights cannot be edited.
    """
    intervention.require_fits(model)
    baked = replace(model, hf=copy.deepcopy(model.hf))
    for name, edit in intervention.edits.items():
        _bake_linear(name, baked.hf.get_submodule(name), edit)
    return baked


@torch.no_grad()
def _bake_linear(name: str, linear: torch.nn.Module, edit: AffineEdit) -> None:
    weight, bias = getattr(linear, "weight", None), getattr(linear, "bias", None)
    if not isinstance(weight, torch.Tensor) or not weight.is_floating_point():
        raise ModelError(f"{name} is quantised, so that nothing can be baked into its weights; use applied_to instead")
    units = torch.from_numpy(edit.units).to(weight.device)
    scale = torch.from_numpy(edit.scale).to(weight.device)
    shift = torch.from_numpy(edit.shift).to(weight.device)
    if bias is None:
        outputs = weight.shape[1] if type(linear).__name__ == "Conv1D" else weight.shape[0]
        bias = torch.nn.Parameter(torch.zeros(outputs, dtype=weight.dtype, device=weight.device))
        linear.bias = bias
    bias[units] = torch.addcmul(shift, bias[units].float(), scale).to(bias.dtype)
    if type(linear).__name__ == "Conv1D":
        weight[:, units] = (weight[:, units].float() * scale).to(weight.dtype)
    else:
        weight[units] = (weight[units].float() * scale[:, None]).to(weight.dtype)
