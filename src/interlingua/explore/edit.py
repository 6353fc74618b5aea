"""The edit that the page speaks of: what was chosen, and the intervention and the control that this makes."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlingua.analysis.schema import OWN_MEAN, UNIFORM
from interlingua.errors import InputError
from interlingua.experts.finders import FINDERS, NEEDS_ACTIVITY
from interlingua.interventions import INTERVENTIONS, make_intervention, random_control, ranked_at_random

if TYPE_CHECKING:
    from interlingua.experts import Experts
    from interlingua.explore.session import Session
    from interlingua.interventions import Intervention
    from interlingua.models.neurons import Site

BY_HAND = "hand"
"""What ranks neurons of which some were added or removed by hand."""


def _needs_target_and_k_alone(kind: str) -> bool:
    parameters = inspect.signature(INTERVENTIONS[kind]).parameters
    needed = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
    return {"target", "k"} <= set(parameters) and needed <= {"experts", "target", "k"}


KINDS = tuple(kind for kind in INTERVENTIONS if _needs_target_and_k_alone(kind))
"""The kinds of interventions that a target and k suffice for."""

CONTROLS = (UNIFORM, OWN_MEAN)
"""What random neurons get, by the names of a study's `match`: the edit's values, or their own."""


@dataclass(frozen=True)
class Choice:
    """An edit as it is chosen.

    Attributes:
        target: The language to steer to.
        site: Which units are neurons.
        finder: What ranks them.
        kind: What becomes of the top k.
        k: How many.
        strength: From 0, which changes nothing, to 1.
        added: Neurons that are edited besides, by their numbers in the index.
        removed: Neurons of the top k that are left alone.
        control: What random neurons get, of `CONTROLS`.
    """

    target: str
    site: Site = "outputs"
    finder: str = "auroc"
    kind: str = "set-to-mean"
    k: int = 2000
    strength: float = 1.0
    added: frozenset[int] = frozenset()
    removed: frozenset[int] = frozenset()
    control: str = UNIFORM


def finders_of(experts: Experts) -> list[str]:
    """Return the finders that experts can be ranked by."""
    return [name for name in FINDERS if name not in NEEDS_ACTIVITY or experts.activity is not None]


def ranked(session: Session, choice: Choice) -> Experts:
    """Return the experts of the chosen site, ranked by the chosen finder.

    Raises:
        InputError: No experts of the site were found, or the finder is unknown or needs what was not recorded.
    """
    experts = session.experts_at(choice.site)
    return session.memory.get_or_make(("ranked", choice.site, choice.finder), lambda: experts.rank_by(choice.finder))


def chosen_neurons(session: Session, choice: Choice) -> np.ndarray:
    """Return the numbers of the neurons that the choice edits, those that were added last: int64 [n].

    Raises:
        InputError: k is out of range, or a neuron that was added does not exist.
    """
    experts = ranked(session, choice)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # fewer above chance: the table shows it
        top = experts.top(choice.target, choice.k)
    added = np.array(sorted(choice.added - set(top.tolist())), dtype=np.int64)
    if len(added) and not 0 <= added.min() <= added.max() < len(experts.neurons):
        raise InputError(f"a neuron's number lies between 0 and {len(experts.neurons) - 1:,}")
    return np.concatenate([top[~np.isin(top, list(choice.removed))], added])


def edit_of(session: Session, choice: Choice) -> Intervention:
    """Make the intervention of a choice.

    Raises:
        InterlinguaError: The choice is not possible; the message says why.
    """
    experts, k = ranked(session, choice), choice.k
    if choice.added or choice.removed:
        experts, k = ranked_by_hand(experts, chosen_neurons(session, choice)), len(chosen_neurons(session, choice))
    return _made(choice, experts, k)


def _made(choice: Choice, experts: Experts, k: int) -> Intervention:
    """Make the choice's kind of intervention, at its strength, of the top k of some experts."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # fewer above chance: the table shows it
        edit = make_intervention(choice.kind, experts, choice.target, {"k": k})
    return edit if choice.strength == 1 else edit.with_strength(choice.strength)


def ranked_by_hand(experts: Experts, neurons: np.ndarray) -> Experts:
    """Return the same experts, with some neurons before all others for every language.

    Args:
        experts: The experts.
        neurons: Numbers of neurons: int64 [n].
    """
    ranking = np.zeros_like(experts.auroc)
    ranking[:, neurons] = 1.0
    return experts.with_ranking(BY_HAND, ranking)


def control_of(session: Session, choice: Choice, seed: int = 0) -> Intervention:
    """Make the random control of a choice, on as many neurons drawn from the whole network.

    They get the edit's values (`uniform`), or what the same kind of edit makes of their own responses (`own-mean`).

    Raises:
        InterlinguaError: The choice is not possible; the message says why.
    """
    if choice.control not in CONTROLS:
        raise InputError(f"unknown control '{choice.control}'; use {', '.join(CONTROLS)}")
    experts = session.experts_at(choice.site)
    if choice.control == OWN_MEAN:
        return _made(choice, ranked_at_random(experts, seed), len(chosen_neurons(session, choice)))
    return random_control(edit_of(session, choice), experts.neurons, seed)
