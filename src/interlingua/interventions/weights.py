"""Affine edits in the weights of one linear layer: `W' = scale * W`, `b' = scale * b + shift`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interlingua.errors import ModelError
from interlingua.interventions.affine_edit import AffineEdit

if TYPE_CHECKING:
    import torch

PLAIN_LAYERS = {
    ("torch.nn.modules.linear", "Linear"),
    ("transformers.pytorch_utils", "Conv1D"),
    ("transformers.models.falcon.modeling_falcon", "FalconLinear"),
}
"""The very classes whose output is x W + b and nothing else. Others have the same names: a LoRA layer is a `Linear`."""

PLAIN_DTYPES = ("float64", "float32", "float16", "bfloat16")


def can_be_baked(linear: Any) -> bool:
    """Tell whether a layer's weights can be edited: a plain linear layer in memory, neither wrapped nor quantised."""
    import torch  # here, so that the kinds of interventions are known without it

    kind = type(linear)
    replaced = "forward" in vars(linear) or torch.nn.utils.parametrize.is_parametrized(linear)
    if (kind.__module__, kind.__qualname__) not in PLAIN_LAYERS or replaced:
        return False
    weight = linear.weight
    plain = type(weight) is torch.nn.Parameter and str(weight.dtype).removeprefix("torch.") in PLAIN_DTYPES
    return plain and weight.device.type != "meta"


class EditInWeights:
    """An edit that can be laid into a layer's weights and lifted from them, which then are bitwise as before.

    Args:
        linear: The layer.
        edit: The edit.
    """

    def __init__(self, linear: Any, edit: AffineEdit) -> None:
        self._linear, self._edit = linear, edit
        self._kept: tuple[torch.Tensor, torch.Tensor, torch.nn.Parameter | None, torch.Tensor] | None = None

    def lay(self) -> None:
        """Write the edit into the weights."""
        units, rows, bias = self._units(), _rows(self._linear), self._linear.bias
        before = rows[units].clone()
        bias_before = before[:0] if bias is None else bias.detach()[units].clone()
        write_edit(self._linear, self._edit)
        self._kept = before, rows[units].clone(), bias, bias_before

    def lift(self) -> bool:
        """Put back what was there before, and tell whether what was written was still there."""
        import torch

        if self._kept is None:  # it was never laid
            return True
        (before, written, bias, bias_before), units, rows = self._kept, self._units(), _rows(self._linear)
        undisturbed = torch.equal(rows[units], written)
        with torch.no_grad():
            rows[units] = before
            self._linear.bias = bias
            if bias is not None:
                bias[units] = bias_before
        self._kept = None
        return undisturbed

    def _units(self) -> torch.Tensor:
        import torch

        return torch.from_numpy(self._edit.units).to(self._linear.weight.device)


def write_edit(linear: Any, edit: AffineEdit) -> None:
    """Write an edit into the weights of a layer, which gets a bias if it has none.

    Raises:
        ModelError: A value is too large for the weights' type; nothing is written then.
    """
    import torch

    with torch.no_grad():
        rows, bias = _rows(linear), linear.bias
        units, scale, shift = (
            torch.from_numpy(array).to(rows.device) for array in (edit.units, edit.scale, edit.shift)
        )
        if bias is None:
            bias = torch.nn.Parameter(torch.zeros(len(rows), dtype=rows.dtype, device=rows.device), requires_grad=False)
        # Where the scale is 0 the row becomes 0 even if it was infinite: a unit that is set holds its value.
        shifted = torch.where(scale == 0, shift, torch.addcmul(shift, bias[units].float(), scale)).to(bias.dtype)
        scaled = torch.where(scale[:, None] == 0, 0.0, rows[units].float() * scale[:, None]).to(rows.dtype)
        for written, before in ((shifted, bias[units]), (scaled, rows[units])):
            if (before.isfinite() & ~written.isfinite() & scale.isfinite().view(-1, *[1] * (before.ndim - 1))).any():
                raise ModelError(
                    f"a value of the intervention is too large for {rows.dtype}; load the model in float32"
                )
        bias[units], rows[units] = shifted, scaled
        linear.bias = bias


def _rows(linear: Any) -> torch.Tensor:
    """Return the weight as a view with one row for each output unit."""
    weight = linear.weight.detach()
    return weight.T if type(linear).__name__ == "Conv1D" else weight
