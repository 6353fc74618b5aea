"""Run a model with an intervention: hooks on the edited layers, removed on leaving whatever happens."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from interlingua.errors import SteeringError

if TYPE_CHECKING:
    from interlingua.interventions.intervention import AffineEdit, Intervention
    from interlingua.models import LanguageModel


@contextmanager
def applied(intervention: Intervention, model: LanguageModel) -> Generator[None]:
    """Edit the outputs of the model's layers while the context lasts; see `Intervention.applied_to`."""
    intervention.require_fits(model)
    fired: set[str] = set()
    runs = 0

    def count_run(module: torch.nn.Module, inputs: object) -> None:
        nonlocal runs
        runs += 1

    handles = []
    try:
        handles.append(model.body.register_forward_pre_hook(count_run))
        for name, edit in intervention.edits.items():
            handles.append(model.hf.get_submodule(name).register_forward_hook(_edit_hook(name, edit, fired)))
        yield
    finally:
        for handle in handles:
            handle.remove()
    silent = [name for name in intervention.edits if name not in fired]
    if runs and silent:
        raise SteeringError(
            f"the model ran, but {silent[0]} and {len(silent) - 1} other edited layers did not run through their "
            "modules, so the intervention had no effect there (with Bloom, set pretraining_tp to 1)"
        )


def _edit_hook(name: str, edit: AffineEdit, fired: set[str]):
    constant = edit.scale == 0
    placed: dict[tuple[torch.device, torch.dtype], tuple[torch.Tensor, ...]] = {}

    def tensors(device: torch.device, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
        if (device, dtype) not in placed:
            placed[device, dtype] = (
                torch.from_numpy(edit.units[constant]).to(device),
                torch.from_numpy(edit.shift[constant]).to(device, dtype),
                torch.from_numpy(edit.units[~constant]).to(device),
                torch.from_numpy(edit.scale[~constant]).to(device),
                torch.from_numpy(edit.shift[~constant]).to(device),
            )
        return placed[device, dtype]

    def hook(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        fired.add(name)
        set_units, values, units, scale, shift = tensors(output.device, output.dtype)
        # Setting is not 0 * z + shift: that would be NaN where z is infinite.
        if len(set_units):
            output[..., set_units] = values
        if len(units):
            output[..., units] = torch.addcmul(shift, output[..., units].float(), scale).to(output.dtype)
        return output

    return hook
