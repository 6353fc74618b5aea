"""The states of a model that a study compares, as data, and how a model is put into them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from interlingua.analysis import schema
from interlingua.analysis.schema import edit_label
from interlingua.files import sha256_of_json
from interlingua.interventions import Intervention, make_intervention, random_control, ranked_at_random
from interlingua.languages import short_code
from interlingua.models.neurons import Site
from interlingua.study.config import StudyConfig
from interlingua.study.sections import Kind

if TYPE_CHECKING:
    from interlingua.experts import Experts


@dataclass(frozen=True)
class Condition:
    """One state of the model: as it is, steered to a target, or with its random control.

    Attributes:
        name: `original`, `steered`, `random` (the first uniform draw of random neurons) or `control` (any other).
        target: The language steered to; None for the original.
        kind: The method with its options; None for the original.
        k: How many experts are edited.
        seed: Of random neurons; None for the others.
        match: How random neurons are matched to the experts; None for the others.
        draw: Which draw of random neurons this is, from 0.
        swept: Whether it is there for the sweep over k alone.
        site: Which units of MLP blocks are edited.
        finder: How the experts were found.
    """

    name: str
    target: str | None = None
    kind: Kind | None = None
    k: int = 0
    seed: int | None = None
    match: str | None = None
    draw: int = 0
    swept: bool = False
    site: Site = "outputs"
    finder: str = "auroc"

    @property
    def edits(self) -> bool:
        """Whether the model differs from the original: with k = 0 it does not."""
        return self.kind is not None and self.k > 0

    def identity(self) -> dict[str, Any] | None:
        """Return what decides the edit, besides the experts; None where there is no edit."""
        if self.kind is None or not self.edits:
            return None
        drawn = {"seed": self.seed, "match": self.match, "site": self.site, "finder": self.finder}
        return {"target": self.target, "kind": self.kind.model_dump(mode="json"), "k": self.k, **drawn}

    @property
    def label(self) -> str | None:
        """What the column `kind` calls the edit: its kind, and finder and site where they are not the paper's."""
        if self.kind is None:
            return None
        return edit_label(self.kind.label, self.finder, self.site)

    def columns(self) -> dict[str, Any]:
        """Return the columns that name this condition in a tidy table."""
        edit = {"target": self.target, "kind": self.label, "k": self.k}
        if self.name == schema.CONTROL:
            return {**edit, "match": self.match, "draw": self.draw}
        return {"condition": self.name, **edit}

    def title(self) -> str:
        """Return a few words that name this condition for people."""
        if self.kind is None or self.target is None:
            return self.name
        kind = "" if self.label == "set-to-mean" else f" {self.label}"
        draw = f" {self.match} {self.draw}" if self.name == schema.CONTROL else ""
        return f"{self.name} {short_code(self.target)}{kind} k={self.k}{draw}"


ORIGINAL = Condition(schema.ORIGINAL)


def conditions(config: StudyConfig) -> list[Condition]:
    """Return every condition of a study: the original, and for each target, kind and k the steered and the control."""
    found = [ORIGINAL]
    for target, kind, finder, site in product(config.targets, config.kinds, config.finders, config.neurons):
        edit = Condition(schema.STEERED, target, kind, site=site, finder=finder)
        for k in config.k_of(target):
            found.append(replace(edit, k=k))
            found.extend(_draws(config, replace(edit, k=k)))
        found.extend(replace(edit, k=k, swept=True) for k in config.sweep.k if k and k not in config.k_of(target))
    return found


def _draws(config: StudyConfig, edit: Condition) -> Iterator[Condition]:
    """Yield the conditions of random neurons; with k = 0 there are none to draw, and one says so."""
    control = config.control
    drawn = [(schema.RANDOM, schema.UNIFORM, 0)]
    for match in control.match if edit.k else ():
        drawn += [(schema.CONTROL, match, draw) for draw in range(match == schema.UNIFORM, control.draws)]
    for name, match, draw in drawn:
        seed = _seed(control.seed, str(edit.target), str(edit.label), edit.k, match, draw)
        yield replace(edit, name=name, seed=seed, match=match, draw=draw)


def _seed(*decided_by: str | int) -> int:
    """Return the seed of a draw, which no other draw of the study shares."""
    return int(sha256_of_json(decided_by)[:8], 16)


def make_edit(experts: Experts, condition: Condition) -> Intervention:
    """Make the intervention of a steered or random condition from the experts of its site."""
    kind = condition.kind
    if kind is None:
        raise ValueError("the original model has no edit")
    experts = experts.rank_by(condition.finder)
    if condition.match == schema.OWN_MEAN:
        experts = ranked_at_random(experts, condition.seed or 0)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # too few above chance: said once before
        edit = make_intervention(kind.kind, experts, condition.target, {**kind.options, "k": condition.k})
    if kind.strength != 1:
        edit = edit.with_strength(kind.strength)
    if condition.seed is None or condition.match == schema.OWN_MEAN:
        return edit
    return random_control(edit, experts.neurons, condition.seed, matched=condition.match == schema.LAYER)
