"""A model's blocks compiled by torch: one graph serves all of them, since their weights are its inputs.

Regional compilation: a block is compiled once, for any number of sentences and tokens, and kept on disk by torch. Edits
in weights change no graph: while blocks run compiled, every linear layer of an MLP has a bias, of zeros where it had
none. Hooks inside of a block would go unseen by a graph that was made without them (torch guards against hooks not), so
that a model with such hooks runs as it is. Numbers differ by rounding from those of blocks that are not compiled.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
import sysconfig
import threading
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch.fx.experimental import _config as shapes

from interlingua.errors import InputError, ModelError
from interlingua.models.language_model import COMPILE

if TYPE_CHECKING:
    from interlingua.models.language_model import LanguageModel

logger = logging.getLogger(__name__)

WORTH = 3e13
"""Tokens times parameters of the blocks from which `auto` compiles: 300,000 tokens of gemma3-270m.

They take 10 to 40 s less. Compiling takes 15 s on two cores the first time on a machine, and 5 s from then on
(`benchmarks/README.md`)."""
SOUND, SOUND_IN_HALF = 1e-4, 0.3
"""By how much of their length hidden states may differ in the trial: rounding to half precision makes it 0.05."""
GRAPHS = 64
"""Of all blocks, which share it: with padding and without, one sentence or several, each family; torch allows 8."""
COMPILED = (
    "torch.nn.modules.",
    "transformers.models.",
    "transformers.activations",
    "transformers.pytorch_utils",
    f"{__name__}.",
)
"""Where the classes of a block are from that is compiled. Others wrap or quantise layers, or are a model's own code."""


@dataclass
class _State:
    """What is known of the compiled blocks of a model.

    Attributes:
        works: Whether the trial went well; None before it.
        passes: How many times a measure ran them.
        running: Whether they run compiled now.
        turn: Which thread runs them.
    """

    works: bool | None = None
    passes: int = 0
    running: bool = False
    turn: Any = field(default_factory=threading.RLock)


_STATES: WeakKeyDictionary[torch.nn.Module, _State] = WeakKeyDictionary()


def _state(model: LanguageModel) -> _State:
    return _STATES.setdefault(model.hf, _State())


def compiled_passes(model: LanguageModel) -> int:
    """Return how many times `compiled_blocks` has let a model's blocks run compiled."""
    return _state(model).passes


def embedding_identity(model: LanguageModel) -> dict[str, str | None]:
    """Return what decides the numbers of embeddings: a model's identity, and whether it is compiled.

    Under `auto` the sentences decide which calls are compiled. It is `off` where none can be.

    Raises:
        InputError: `compile` is `on`, and the blocks cannot be compiled.
    """
    return {**model.identity(), "compile": model.compile if _can_compile(model) else "off"}


def _can_compile(model: LanguageModel) -> bool:
    reason = reason_against(model)
    if reason and model.compile == "on":
        raise InputError(f"{model.name} cannot be compiled: {reason}; use compile off, or auto")
    return not reason


def reason_against(model: LanguageModel) -> str:
    """Return why a model's blocks are not compiled, or nothing where they can be.

    Nothing is compiled to find that out. `auto` compiles on a CPU only, where it has been measured.
    """
    if model.compile not in COMPILE:
        raise InputError(f"unknown compile '{model.compile}'; use {', '.join(COMPILE)}")
    if model.compile == "off":
        return "compile is off"
    if model.device.type != "cpu" and model.compile == "auto":
        return f"it runs on {model.device}"
    if lacking := lacks(model.device.type):
        return lacking
    try:
        modules = [module for block in model.blocks for module in block.modules()]
    except ModelError as error:
        return str(error)
    if not _state(model).running and is_compiled(model.hf):
        return "it is compiled already"
    if any(hasattr(module, "_hf_hook") for module in modules):
        return "it is spread over devices"
    foreign = [module for module in modules if not f"{type(module).__module__}.".startswith(COMPILED)]
    return f"its blocks hold a {type(foreign[0]).__name__}" if foreign else ""


@cache
def lacks(device: str) -> str:
    """Return what a kind of device lacks for compiling, or nothing."""
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if sys.platform == "win32" or shutil.which(compiler) is None:
        return f"there is no C++ compiler (`{compiler}`)"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "there are no headers of Python (`python3-dev`)"
    if device == "cuda" and importlib.util.find_spec("triton") is None:
        return "there is no triton"
    return "" if device in ("cpu", "cuda") else f"it runs on {device}"


@contextmanager
def compiled_blocks(model: LanguageModel, tokens: int) -> Generator[bool]:
    """Let a model's blocks run compiled while the context lasts, where that is asked for, possible and worth it.

    The context is given whether they do.

    What decides is the model and `tokens`, never time, so that the same work gives the same numbers again: with `auto`
    the product of tokens and of the parameters of the blocks must reach `WORTH`. One thread at a time has the context.

    Args:
        model: The model as it is now; hooks inside of its blocks let it run as it is.
        tokens: How many it will read.

    Raises:
        InputError: `compile` is `on`, and the blocks cannot be compiled.
        ModelError: `compile` is `on`, and compiling failed.
    """
    state = _state(model)
    if not _is_wanted(model, tokens):
        yield state.running
        return
    with state.turn:
        if state.running or not _is_ready(model, state):
            yield state.running
            return
        with _running(model, state):
            state.passes += 1
            yield True


def _is_wanted(model: LanguageModel, tokens: int) -> bool:
    if model.compile == "off" or (model.compile == "auto" and _state(model).works is False):
        return False
    if model.compile == "auto" and model.device.type == "cpu":
        parameters = sum(weight.numel() for block in model.blocks for weight in block.parameters())
        if tokens * parameters < WORTH:
            return False
    return _can_compile(model)


def _is_ready(model: LanguageModel, state: _State) -> bool:
    """Tell whether no hook is in the way and compiled blocks give what they should, which the first call tries."""
    if _has_hooks(model.blocks):
        read_a_token(model)  # after which hooks that only wait for a first run are gone
    if _has_hooks(model.blocks):
        return False
    if not state.works:
        try:
            _try(model, state)
        except Exception as error:  # whatever torch, a compiler or a disk raises
            state.works = False
            reason = f"the blocks of {model.name} could not be compiled: {' '.join(str(error).split())[:300]}"
            if model.compile == "on":
                raise ModelError(f"{reason}; use compile off") from error
            logger.info("%s; they run as they are", reason)
            return False
        state.works = True
    return True


def _try(model: LanguageModel, state: _State) -> None:
    """Compile the blocks, and compare their numbers on two sentences with what they should be."""
    ids = torch.arange(143, device=model.device).view(11, 13) % model.hf.config.get_text_config().vocab_size
    mask = torch.ones_like(ids)
    mask[1:, 9:] = 0
    given = {"input_ids": ids, "attention_mask": mask, "use_cache": False}
    with torch.inference_mode():
        expected = model.body(**given).last_hidden_state[mask.bool()].float()
        logger.info("Compiling the blocks of %s", model.name)
        with _running(model, state, in_trial=True):
            found = model.body(**given).last_hidden_state[mask.bool()].float()
    away = float((found - expected).norm() / expected.norm())
    if not away <= (SOUND if model.hf.dtype.itemsize > 2 else SOUND_IN_HALF):
        raise ModelError(f"compiled blocks gave hidden states that are {away:.1e} of their length away")


@contextmanager
def _running(model: LanguageModel, state: _State, *, in_trial: bool = False) -> Generator[None]:
    """Replace the forward of each block by a compiled one, and give the linear layers of MLPs biases."""
    # In this process: a pool of processes that compile is not much faster, and one more thing that can hang.
    options: dict[str, Any] = {"compile_threads": 1}
    # What cannot be compiled later on, of another shape than in the trial, runs as it is with `auto`.
    settings = {"cache_size_limit": GRAPHS, "suppress_errors": model.compile == "auto" and not in_trial}
    with ExitStack() as stack:
        state.running = True
        stack.callback(setattr, state, "running", False)
        stack.enter_context(torch._dynamo.config.patch(settings))
        # Else as many tokens as a head has dimensions, the first time, would be taken for the same number ever after.
        stack.enter_context(shapes.patch("use_duck_shape", False))  # ty: ignore[missing-attribute]
        for linear in _of_mlps(model):
            if linear.bias is None:
                stack.callback(setattr, linear, "bias", None)
                with torch.inference_mode(False):
                    zeros = torch.zeros(_outputs(linear), dtype=linear.weight.dtype, device=linear.weight.device)
                    linear.bias = torch.nn.Parameter(zeros, requires_grad=False)  # as that of an edit
            if type(linear) is torch.nn.Linear:
                linear.__class__ = _ProductThenBias
                stack.callback(setattr, linear, "__class__", torch.nn.Linear)
        for block in model.blocks:
            block.__dict__["forward"] = torch.compile(block.forward, dynamic=True, options=options)
            stack.callback(block.__dict__.pop, "forward")
        yield


class _ProductThenBias(torch.nn.Linear):
    """A layer whose bias is added in float32 after the product: torch makes that a part of what follows.

    In one call with the product, a bias is copied to every token first.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        bias = self.bias.to(torch.promote_types(input.dtype, torch.float32))
        return (F.linear(input, self.weight) + bias).to(input.dtype)


def _of_mlps(model: LanguageModel) -> list[Any]:
    """Return the linear layers beside those that hold neurons, themselves included."""
    mlps = {name.rpartition(".")[0] for name in model.neurons.modules}
    layers = [layer for mlp in sorted(mlps) for layer in model.hf.get_submodule(mlp).children()]
    return [layer for layer in layers if hasattr(layer, "weight") and hasattr(layer, "bias")]


def _outputs(linear: Any) -> int:
    return linear.weight.shape[1 if type(linear).__name__ == "Conv1D" else 0]


def _has_hooks(blocks: Iterable[torch.nn.Module]) -> bool:
    """Tell whether a module inside of a block has hooks; those on the block itself run outside of its forward."""
    inside = (module for block in blocks for module in block.modules() if module is not block)
    return any(module._forward_hooks or module._forward_pre_hooks for module in inside)


def is_compiled(hf: torch.nn.Module) -> bool:
    """Tell whether a user has compiled a model or a part of it, by `compile()` or in the place of a forward."""
    return any(
        module._compiled_call_impl is not None or hasattr(vars(module).get("forward"), "_torchdynamo_orig_callable")
        for module in hf.modules()
    )


def read_a_token(model: LanguageModel) -> None:
    """Run a model on one token, not compiled, so that hooks that wait for a first run see it."""
    token = torch.zeros(1, 1, dtype=torch.long, device=model.device)
    with uncompiled(model), torch.no_grad():
        model.body(input_ids=token, attention_mask=torch.ones_like(token), use_cache=False)


class _Uncompiled:
    """How many contexts want a user's compiled code to run as it is; they may be left in any order."""

    def __init__(self) -> None:
        self._lock, self._depth, self._stance = threading.Lock(), 0, ExitStack()

    def enter(self) -> None:
        with self._lock:
            if not self._depth:
                self._stance.enter_context(torch.compiler.set_stance("force_eager"))
            self._depth += 1

    def leave(self) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._stance.close()


_UNCOMPILED = _Uncompiled()


@contextmanager
def uncompiled(model: LanguageModel) -> Generator[None]:
    """Let a model that its user has compiled run as it is while the context lasts, so that hooks are seen.

    A graph that was made without a hook goes on without it. Blocks that `compiled_blocks` has compiled go on.
    """
    if _state(model).running or not is_compiled(model.hf):
        yield
        return
    _UNCOMPILED.enter()
    try:
        yield
    finally:
        _UNCOMPILED.leave()
