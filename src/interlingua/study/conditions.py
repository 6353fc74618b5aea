"""The states of a model that a study compares, as data, and how a model is put into them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.analysis import schema
from interlingua.interventions import Intervention, make_intervention, random_control
from interlingua.languages import short_code
from interlingua.study.config import StudyConfig
from interlingua.study.sections import Kind

if TYPE_CHECKING:
    from interlingua.experts import Experts
    from interlingua.models import LanguageModel


@dataclass(frozen=True)
class Condition:
    """One state of the model: as it is, steered to a target, or with its random control.

    Attributes:
        name: `original`, `steered` or `random`.
        target: The language steered to; None for the original.
        kind: The method with its options; None for the original.
        k: How many experts are edited.
        seed: Of the random control; None for the others.
        swept: Whether it is there for the sweep over k alone.
    """

    name: str
    target: str | None = None
    kind: Kind | None = None
    k: int = 0
    seed: int | None = None
    swept: bool = False

    @property
    def edits(self) -> bool:
        """Whether the model differs from the original: with k = 0 it does not."""
        return self.kind is not None and self.k > 0

    def identity(self) -> dict[str, Any] | None:
        """Return what decides the edit, besides the experts; None where there is no edit."""
        if self.kind is None or not self.edits:
            return None
        return {"target": self.target, "kind": self.kind.model_dump(mode="json"), "k": self.k, "seed": self.seed}

    def columns(self) -> dict[str, Any]:
        """Return the columns that name this condition in a tidy table."""
        return {
            "condition": self.name,
            "target": self.target,
            "kind": self.kind.label if self.kind else None,
            "k": self.k,
        }

    def title(self) -> str:
        """Return a few words that name this condition for people."""
        if self.kind is None or self.target is None:
            return self.name
        kind = "" if self.kind.label == "set-to-mean" else f" {self.kind.label}"
        return f"{self.name} {short_code(self.target)}{kind} k={self.k}"


ORIGINAL = Condition(schema.ORIGINAL)


def conditions(config: StudyConfig) -> list[Condition]:
    """Return every condition of a study: the original, and for each target, kind and k the steered and the control."""
    found = [ORIGINAL]
    for target in config.targets:
        for kind in config.kinds:
            for k in config.k:
                found.append(Condition(schema.STEERED, target, kind, k))
                found.append(Condition(schema.RANDOM, target, kind, k, seed=config.seed))
            found.extend(
                Condition(schema.STEERED, target, kind, k, swept=True)
                for k in config.sweep.k
                if k and k not in config.k
            )
    return found


def make_edit(model: LanguageModel, experts: Experts, condition: Condition) -> Intervention:
    """Make the intervention of a steered or random condition."""
    kind = condition.kind
    if kind is None:
        raise ValueError("the original model has no edit")
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # too few above chance: said once before
        edit = make_intervention(kind.kind, experts, condition.target, {**kind.options, "k": condition.k})
    if kind.strength != 1:
        edit = edit.with_strength(kind.strength)
    return edit if condition.seed is None else random_control(edit, model.neurons, condition.seed)
