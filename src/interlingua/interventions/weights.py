"""Affine edits in the weights of one linear layer, of its outputs or of its inputs."""

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
    ("interlingua.models.mixtures", "ExpertLinear"),
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
    weight = getattr(linear, "fused", linear.weight)  # of an expert's layer, what its weight is a view of
    plain = type(weight) is torch.nn.Parameter and str(weight.dtype).removeprefix("torch.") in PLAIN_DTYPES
    return plain and weight.device.type != "meta"


class EditInWeights:
    """An edit that can be laid into a layer's weights and lifted from them, which then are bitwise as before.

    Args:
        linear: The layer.
        edit: The edit.
        inputs: Whether it is of the layer's inputs.
    """

    def __init__(self, linear: Any, edit: AffineEdit, inputs: bool = False) -> None:
        self._linear, self._edit, self._inputs = linear, edit, inputs
        self._kept: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None] | None = None

    def lay(self) -> None:
        """Write the edit into the weights."""
        bias = self._linear.bias
        before, bias_before = self._part().clone(), None if bias is None else bias.detach().clone()
        write_edit(self._linear, self._edit, self._inputs)
        self._kept = before, self._part().clone(), bias_before

    def lift(self) -> bool:
        """Put back what was there before, and tell whether what was written was still there."""
        import torch

        if self._kept is None:  # it was never laid
            return True
        before, written, bias_before = self._kept
        undisturbed = torch.equal(self._part(), written)
        with torch.no_grad():
            matrix, units = _by_unit(self._linear, self._inputs), _units(self._linear, self._edit)
            matrix[units] = before
            if bias_before is None:
                self._linear.bias = None
            else:
                self._linear.bias.copy_(bias_before)
        self._kept = None
        return undisturbed

    def _part(self) -> torch.Tensor:
        return _by_unit(self._linear, self._inputs)[_units(self._linear, self._edit)]


def write_edit(linear: Any, edit: AffineEdit, inputs: bool = False) -> None:
    """Write an edit into the weights of a layer, which gets a bias if it has none and the edit shifts.

    Of outputs, `W' = scale * W` row by row and `b' = scale * b + shift`; of inputs, `W' = W * scale` column by column
    and `b' = b + W shift`.

    Raises:
        ModelError: A value is too large for the weights' type; nothing is written then.
    """
    import torch

    with torch.no_grad():
        matrix, bias, units = _by_unit(linear, inputs), linear.bias, _units(linear, edit)
        scale, shift = (torch.from_numpy(array).to(matrix.device) for array in (edit.scale, edit.shift))
        if bias is None:
            outputs = matrix.shape[1] if inputs else len(matrix)
            zeros = torch.zeros(outputs, dtype=matrix.dtype, device=matrix.device)
            bias = torch.nn.Parameter(zeros, requires_grad=False)
        weights = matrix[units].float()
        # Where the scale is 0 the weights become 0 even if they were infinite: a unit that is set holds its value.
        scaled = torch.where(scale[:, None] == 0, 0.0, weights * scale[:, None]).to(matrix.dtype)
        if inputs:
            changed, shifted = slice(None), (bias.float() + shift @ weights).to(bias.dtype)
        else:
            changed = units
            shifted = torch.where(scale == 0, shift, torch.addcmul(shift, bias[units].float(), scale)).to(bias.dtype)
        for written, before in ((shifted, bias[changed]), (scaled, matrix[units])):
            if (before.isfinite() & ~written.isfinite()).any():
                raise ModelError(
                    f"a value of the intervention is too large for {matrix.dtype}; load the model in float32"
                )
        bias[changed], matrix[units] = shifted, scaled
        if linear.bias is None and edit.shift.any():
            linear.bias = bias


def _units(linear: Any, edit: AffineEdit) -> torch.Tensor:
    import torch

    return torch.from_numpy(edit.units).to(linear.weight.device)


def _by_unit(linear: Any, inputs: bool) -> torch.Tensor:
    """Return the weight as a view with one row for each output unit, or for each input unit."""
    weight = linear.weight.detach()
    return weight.T if (type(linear).__name__ == "Conv1D") != inputs else weight
