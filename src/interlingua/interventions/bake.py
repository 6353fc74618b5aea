"""Write an intervention into a model's weights: `W' = scale * W`, `b' = scale * b + shift`."""

from __future__ import annotations

import copy
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from interlingua.errors import ModelError, SteeringError

if TYPE_CHECKING:
    import torch

    from interlingua.interventions.intervention import AffineEdit, Intervention
    from interlingua.models import LanguageModel

PLAIN_LAYERS = ("Linear", "Conv1D", "FalconLinear")  # layers whose output is x W + b and nothing else
PLAIN_DTYPES = ("float64", "float32", "float16", "bfloat16")


def bake(model: LanguageModel, intervention: Intervention) -> LanguageModel:
    """Return a copy of a model whose weights hold the intervention.

    An edited layer that has no bias gets one. The copy needs nothing of interlingua to run, at no cost per token, and
    its `save_pretrained` writes a checkpoint.

    Args:
        model: The model as it is now; it stays so. Inside `applied_to`, the copy has that edit too.
        intervention: Made for this model.

    Returns:
        A copy of the model, which shares nothing with it but its tokenizer and index.

    Raises:
        ArtifactError: The intervention was made for a model with other neurons.
        ModelError: An edited layer is quantised or offloaded, so that its weights cannot be edited.

    Example:
        With a `model` and a `probe` of six sentences in four languages:

        >>> from interlingua.experts import find_experts
        >>> from interlingua.interventions import set_to_mean
        >>> from interlingua.measures import embed
        >>> edit = set_to_mean(find_experts(model, probe), "Spanish", k=50)
        >>> with edit.applied_to(model):
        ...     steered = embed(model, ["Llueve."])
        >>> np.allclose(embed(bake(model, edit), ["Llueve."]), steered)
        True
    """
    intervention.require_fits(model)
    if getattr(model.hf.config, "pretraining_tp", 1) > 1 and getattr(model.hf.config, "slow_but_exact", False):
        raise ModelError(
            f"{model.name} has pretraining_tp > 1 and slow_but_exact, by which its layers run past their biases; set "
            "pretraining_tp to 1"
        )
    for name in intervention.edits:
        if not can_be_baked(model.hf.get_submodule(name)):
            raise ModelError(
                f"{name} is quantised or offloaded, so that nothing can be baked into its weights; load the model in "
                "full precision to bake, or use applied_to, which then steers by hooks"
            )
    baked = replace(model, hf=copy.deepcopy(model.hf))
    for name, edit in intervention.edits.items():
        _write(baked.hf.get_submodule(name), edit)
    return baked


def can_be_baked(linear: Any) -> bool:
    """Tell whether a layer's weights can be edited: a plain linear layer, not quantised, that is in memory."""
    import torch  # here, so that the kinds of interventions are known without it

    if type(linear).__name__ not in PLAIN_LAYERS:
        return False
    weight = linear.weight
    plain = type(weight) is torch.nn.Parameter and str(weight.dtype).removeprefix("torch.") in PLAIN_DTYPES
    return plain and weight.device.type != "meta"


@contextmanager
def baked_in_place(linear: Any, edit: AffineEdit) -> Generator[None]:
    """Keep an edit in a layer's weights while the context lasts; they are bitwise as before on leaving."""
    import torch

    units = torch.from_numpy(edit.units).to(linear.weight.device)
    rows = _rows(linear)
    weight, bias = rows[units].clone(), linear.bias
    bias_values = None if bias is None else bias.detach()[units].clone()
    written = weight
    try:
        _write(linear, edit)
        written = rows[units].clone()
        yield
    finally:
        undisturbed = torch.equal(rows[units], written)
        with torch.no_grad():
            rows[units] = weight
            linear.bias = bias
            if bias is not None:
                bias[units] = bias_values
    if not undisturbed:
        raise SteeringError(
            "something else changed the weights of a steered layer meanwhile; leave contexts in the reverse order of "
            "entering them, and load the model again"
        )


def _write(linear: Any, edit: AffineEdit) -> None:
    import torch

    with torch.no_grad():
        rows, bias = _rows(linear), linear.bias
        units, scale, shift = (
            torch.from_numpy(array).to(rows.device) for array in (edit.units, edit.scale, edit.shift)
        )
        if bias is None:
            bias = torch.nn.Parameter(torch.zeros(len(rows), dtype=rows.dtype, device=rows.device), requires_grad=False)
            linear.bias = bias
        # Where the scale is 0 the row becomes 0 even if it was infinite: a unit that is set holds its value.
        bias[units] = torch.where(scale == 0, shift, torch.addcmul(shift, bias[units].float(), scale)).to(bias.dtype)
        scaled = torch.where(scale[:, None] == 0, 0.0, rows[units].float() * scale[:, None])
        rows[units] = scaled.to(rows.dtype)


def _rows(linear: Any) -> torch.Tensor:
    """Return the weight as a view with one row for each output unit."""
    weight = linear.weight.detach()
    return weight.T if _is_conv1d(linear) else weight


def _is_conv1d(linear: Any) -> bool:
    return type(linear).__name__ == "Conv1D"
