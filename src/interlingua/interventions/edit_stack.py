"""The edits in a model's weights: a stack for each model, from which any can be taken."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from interlingua.errors import SteeringError
from interlingua.interventions.weights import EditInWeights

if TYPE_CHECKING:
    import torch


class EditStack:
    """The edits in the weights of one model, the latest last.

    One thread at a time edits a model: another waits until the first has taken its edits away. Edits may be taken in
    any order: later ones are lifted, and laid again.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owner: int | None = None
        self._depth = 0
        self._laid: list[Sequence[EditInWeights]] = []

    @contextmanager
    def turn(self) -> Generator[None]:
        """Wait until no other thread edits the model, and keep others waiting while the context lasts."""
        with self._changed:
            while not self._changed.wait_for(self._is_free, timeout=1):  # a thread that ends tells nobody
                pass
            self._owner, self._depth = threading.get_ident(), self._depth + 1
        try:
            yield
        finally:
            with self._changed:
                self._depth -= 1
                if not self._depth:
                    self._owner = None
                    self._changed.notify_all()

    def _is_free(self) -> bool:
        alive = {thread.ident for thread in threading.enumerate()}
        return self._owner in (None, threading.get_ident()) or self._owner not in alive

    @contextmanager
    def holding(self, edits: Sequence[EditInWeights]) -> Generator[None]:
        """Keep edits in the weights while the context lasts.

        Raises:
            SteeringError: On leaving, something else changed the weights meanwhile.
        """
        with self._changed:
            self._laid.append(edits)
            try:
                for edit in edits:
                    edit.lay()
            except BaseException:
                self._take(edits)
                raise
        try:
            yield
        finally:
            with self._changed:
                undisturbed = self._take(edits)
        if not undisturbed:
            raise SteeringError("something else changed the weights of a steered layer meanwhile; load the model again")

    def _take(self, edits: Sequence[EditInWeights]) -> bool:
        at = next(i for i, laid in enumerate(self._laid) if laid is edits)
        later = self._laid[at + 1 :]
        undisturbed = [edit.lift() for laid in reversed(self._laid[at:]) for edit in reversed(laid)]
        del self._laid[at]
        for laid in later:
            for edit in laid:
                edit.lay()
        return all(undisturbed)


_STACKS: WeakKeyDictionary[torch.nn.Module, EditStack] = WeakKeyDictionary()
_STACKS_LOCK = threading.Lock()


def stack_of(hf: torch.nn.Module) -> EditStack:
    """Return the stack of a model."""
    with _STACKS_LOCK:
        return _STACKS.setdefault(hf, EditStack())
