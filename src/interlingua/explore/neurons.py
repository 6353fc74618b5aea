"""The experts of a language one by one: where they are, what they answer to sentences, and who shares them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from interlingua.experts import record_responses
from interlingua.explore.edit import Choice, chosen_neurons, ranked
from interlingua.models import NeuronIndex, NeuronLinear

if TYPE_CHECKING:
    from interlingua.explore.session import Session

SHOWN = 30
SENTENCES = 40
"""Of each language whose responses are shown."""


@dataclass(frozen=True)
class Answers:
    """What one neuron answers to the probe.

    Attributes:
        neuron: Its number in the index.
        title: Where it is.
        responses: By language its response to each sentence, mean over the tokens: float32 [sentences].
    """

    neuron: int
    title: str
    responses: dict[str, np.ndarray]


def top_table(session: Session, choice: Choice, shown: int = SHOWN) -> pd.DataFrame:
    """Return the neurons at the top of the choice's ranking, those added by hand first.

    Columns: neuron, layer, module, unit, auroc, mean, other_mean, shared (languages that have the neuron among their
    own top k, by FLORES-200 code), edited.
    """
    experts = ranked(session, choice)
    top = experts.table(choice.target, min(shown, len(experts.neurons)))
    added = np.array(sorted(choice.added - set(top.neuron)), dtype=np.int64)
    by_hand = experts.to_pandas([choice.target]).iloc[added] if len(added) else top.iloc[:0]
    table = pd.concat([by_hand[top.columns], top], ignore_index=True)
    others = [code for row, code in enumerate(experts.languages) if row != experts.row(choice.target)]
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # fewer above chance: the table shows it
        members = {code: set(experts.top(code, choice.k).tolist()) for code in others}
    edited = chosen_neurons(session, choice)
    return table[["neuron", "layer", "module", "unit", "auroc", "mean", "other_mean"]].assign(
        shared=pd.Series([[code for code, top_k in members.items() if neuron in top_k] for neuron in table.neuron]),
        edited=table.neuron.isin(edited),
    )


def toggled(session: Session, choice: Choice, neuron: int) -> Choice:
    """Return the choice with a neuron added to the edit, or removed where it is in it."""
    of_top = neuron in chosen_neurons(session, replace(choice, added=frozenset()))
    if of_top or neuron in choice.removed:
        return replace(choice, removed=choice.removed ^ {neuron})
    return replace(choice, added=choice.added ^ {neuron})


def answers(session: Session, choice: Choice, neuron: int) -> Answers:
    """Return what a neuron answers to sentences of every language of the probe.

    All neurons of the table are recorded together, so that the next one costs nothing.
    """
    wanted = sorted({neuron, *top_table(session, choice).neuron.tolist()})
    index = session.experts_at(choice.site).neurons
    key = ("answers", choice.site, tuple(wanted))
    recorded = session.memory.get_or_make(key, lambda: _record(session, index, wanted))
    column, rows = wanted.index(neuron), min(SENTENCES, len(session.probe))
    where = index.locate([neuron]).iloc[0]
    return Answers(
        neuron,
        f"layer {where.layer}, {where.module}, unit {where.unit}",
        {
            code: recorded[i * rows : (i + 1) * rows, column].astype(np.float32)
            for i, code in enumerate(session.probe.languages)
        },
    )


def _record(session: Session, index: NeuronIndex, wanted: list[int]) -> np.ndarray:
    """Return the responses of some neurons, and of no others: float32 [languages x sentences, neurons]."""
    sentences = [sentence for code in session.probe.languages for sentence in session.probe[code][:SENTENCES]]
    with session.running() as model:
        narrow = replace(model, neurons=_only(index, wanted))
        return np.asarray(record_responses(narrow, sentences, hold="memory").values)


def _only(index: NeuronIndex, wanted: list[int]) -> NeuronIndex:
    """Return an index of some neurons alone, in the order of their numbers."""
    linears: list[NeuronLinear] = []
    for linear, units, _ in index.by_linear(np.array(wanted)):
        linears += [replace(linear, start=linear.start + int(unit), units=1) for unit in units]
    return NeuronIndex(tuple(linears))
