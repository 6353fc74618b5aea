"""The edit's controls, which all tabs share, and how what goes wrong is shown."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import gradio as gr

from interlingua.analysis.schema import OWN_MEAN, UNIFORM
from interlingua.errors import InterlinguaError
from interlingua.explore.edit import CONTROLS, KINDS, Choice, finders_of
from interlingua.explore.session import Session
from interlingua.languages import language_name
from interlingua.models.neurons import Site

MOST_K = 20_000
SITES = {
    "outputs": "outputs of linear layers",
    "inner": "outputs of all linear layers but a block's last",
    "hidden": "hidden units",
}
GET = {UNIFORM: "the edit's values", OWN_MEAN: "their own values"}
"""What random neurons get."""
Hand = tuple[frozenset[int], frozenset[int]]
"""Neurons added to the edit and removed from it."""
NO_HAND: Hand = (frozenset(), frozenset())


@dataclass(frozen=True)
class Controls:
    """The components that make a `Choice`.

    Attributes:
        inputs: In the order that `choice_of` takes them.
        hand: The state with the neurons that were chosen by hand.
        k: How many neurons.
        strength: How much of the edit.
        control: What random neurons get.
        changes: The events that another edit was chosen.
    """

    inputs: list[gr.components.Component]
    hand: gr.State
    k: gr.Slider
    strength: gr.Slider
    control: gr.Radio
    changes: list[Callable[..., Any]]


def choice_of(
    target: str, site: str, finder: str, kind: str, k: float, strength: float, hand: Hand, control: str
) -> Choice:
    """Return the choice that the controls show."""
    added, removed = hand
    return Choice(target, cast(Site, site), finder, kind, int(k or 0), float(strength), added, removed, control)


def controls(session: Session) -> Controls:
    """Put the edit's controls where they are called."""
    site = session.sites[0]
    most = min(MOST_K, *(len(experts.neurons) for experts in session.experts.values()))
    gr.Markdown("### The edit")
    target = gr.Dropdown(
        [(language_name(code), code) for code in session.targets], value=session.targets[0], label="Steer to"
    )
    k = gr.Slider(0, most, session.k, step=min(10, most), label="Neurons (k)", elem_id="k")
    strength = gr.Slider(0, 1, 1, step=0.05, label="Strength", info="0 changes nothing", elem_id="strength")
    kind = gr.Dropdown(list(KINDS), value=KINDS[0], label="What becomes of them")
    finder = gr.Dropdown(finders_of(session.experts[site]), value="auroc", label="How they are found")
    sites = [(SITES[name], name) for name in session.sites]
    where = gr.Radio(sites, value=site, label="Where they are", visible=len(sites) > 1)
    gr.Markdown("### The control")
    drawn = [(f"{GET[name]} ({name})", name) for name in CONTROLS]
    control = gr.Radio(drawn, value=CONTROLS[0], label="Random neurons get", elem_id="control")
    hand = gr.State(NO_HAND)
    gr.on([target.change, where.change, finder.change], lambda: NO_HAND, None, hand, show_progress="hidden")
    inputs: list[Any] = [target, where, finder, kind, k, strength, hand, control]
    return Controls(inputs, hand, k, strength, control, [component.change for component in inputs])


def said(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a handler, or a generator of updates, show the library's errors as text on the page."""

    @functools.wraps(function)
    def handler(*values: Any) -> Any:
        try:
            return function(*values)
        except InterlinguaError as error:
            raise _shown(error) from None

    return handler


def said_while_growing(function: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Do what `said` does for a handler that yields updates."""

    @functools.wraps(function)
    def handler(*values: Any) -> Iterator[Any]:
        try:
            yield from function(*values)
        except InterlinguaError as error:
            raise _shown(error) from None

    return handler


def _shown(error: InterlinguaError) -> gr.Error:
    """Return an error for the page, where it would be read as HTML."""
    return gr.Error(html.escape(str(error)[:500]), title="This cannot be done", print_exception=False)
