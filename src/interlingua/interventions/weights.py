"""Affine edits in the weights of one linear layer: `W' = scale * W`, `b' = scale * b + shift`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from interlingua.errors import SteeringError
from interlingua.interventions.affine_edit import AffineEdit

if TYPE_CHECKING:
    import torch

PLAIN_LAYERS = ("Linear", "Conv1D", "FalconLinear")  # layers whose output is x W + b and nothing else
PLAIN_DTYPES = ("float64", "float32", "float16", "bfloat16")


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
        write_edit(linear, edit)
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


def write_edit(linear: Any, edit: AffineEdit) -> None:
    """Write an edit into the weights of a layer, which gets a bias if it has none."""
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
