"""Run a model with an intervention, for the length of a context.

Where an edited layer is a plain one, the edit is kept in its weights, at no cost per token. Where it is not (quantised,
offloaded, with a LoRA adapter), a hook edits its output. Either way the model is bitwise as before on leaving, whatever
happens: contexts may be left in any order, and a second thread waits until the first has left. Where contexts are
nested on one layer, edits in weights come before those by hooks. A model that its user has compiled runs as it is while
hooks edit it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import torch

from interlingua.errors import InputError, ModelError, SteeringError
from interlingua.interventions.affine_edit import AffineEdit
from interlingua.interventions.edit_stack import stack_of
from interlingua.interventions.weights import EditInWeights, can_be_baked
from interlingua.models.compiling import is_compiled, read_a_token, uncompiled
from interlingua.models.neurons import INPUTS, runs_in

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from interlingua.models import LanguageModel

MODEL = ""
How: TypeAlias = Literal["auto", "weights", "hooks"]


@contextmanager
def applied(edits: Mapping[str, AffineEdit], model: LanguageModel, how: How) -> Generator[None]:
    """Edit linear layers, given by name, while the context lasts; see `Intervention.applied_to`."""
    if how not in get_args(How):
        raise InputError(f"unknown way '{how}' to apply an intervention; use {', '.join(get_args(How))}")
    layers = {name: model.hf.get_submodule(name.removesuffix(INPUTS)) for name in edits}
    hooked = [name for name, layer in layers.items() if how == "hooks" or not can_be_baked(layer)]
    if how == "weights" and hooked:
        raise ModelError(
            f"{hooked[0]} is quantised, offloaded or wrapped (by LoRA), so that its weights cannot be edited; use hooks"
        )
    ran: set[str] = set()
    laid = stack_of(model.hf)
    compiled = is_compiled(model.hf)
    with ExitStack() as stack:
        stack.enter_context(laid.turn())
        if hooked:
            stack.enter_context(uncompiled(model))
        _note_first_run(MODEL, model.body, ran, stack)
        for name, layer in layers.items():
            edit = edits[name]
            _note_first_run(name, model.hf.get_submodule(runs_in(name.removesuffix(INPUTS))), ran, stack)
            if name in hooked:
                stack.callback(_hooked(layer, edit, name.endswith(INPUTS)).remove)
        in_weights = [
            EditInWeights(layer, edits[name], name.endswith(INPUTS))
            for name, layer in layers.items()
            if name not in hooked
        ]
        stack.enter_context(laid.holding(in_weights))
        if compiled:
            read_a_token(model)  # now, since a graph made before does not note that it ran
        yield
    silent = [name for name in layers if name not in ran]
    if MODEL in ran and silent:
        raise SteeringError(
            f"the model ran, but {silent[0]} and {len(silent) - 1} other edited layers did not run through their "
            "modules, so the intervention had no effect there (with Bloom, set pretraining_tp to 1)"
        )


def _note_first_run(name: str, module: torch.nn.Module, ran: set[str], stack: ExitStack) -> None:
    """Note in `ran` that a module ran, by a hook that removes itself then and so costs nothing afterwards."""

    def note(module: torch.nn.Module, inputs: object) -> None:
        ran.add(name)
        handle.remove()

    handle = module.register_forward_pre_hook(note)
    stack.callback(handle.remove)


def _hooked(layer: torch.nn.Module, edit: AffineEdit, inputs: bool) -> RemovableHandle:
    """Let a hook edit what a layer gives, or what it gets."""
    edit_tensor = _tensor_edit(edit)
    if inputs:
        return layer.register_forward_pre_hook(lambda _, given: (edit_tensor(given[0].clone()), *given[1:]))
    return layer.register_forward_hook(lambda _, given, output: edit_tensor(output))


def _tensor_edit(edit: AffineEdit) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what edits some units of a tensor in place."""
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

    def edit_tensor(output: torch.Tensor) -> torch.Tensor:
        set_units, values, units, scale, shift = tensors(output.device, output.dtype)
        # Setting is not 0 * z + shift: that would be NaN where z is infinite.
        if len(set_units):
            output[..., set_units] = values
        if len(units):
            output[..., units] = torch.addcmul(shift, output[..., units].float(), scale).to(output.dtype)
        return output

    return edit_tensor
