"""The tab Neurons: the top experts of a language, what one answers to each language, and which are in the edit."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pandas as pd

from interlingua.explore.edit import Choice
from interlingua.explore.neurons import answers, toggled, top_table
from interlingua.explore.page.charts import responses
from interlingua.explore.page.controls import Controls, choice_of, said
from interlingua.explore.session import Session
from interlingua.languages import short_code

HEADINGS = ["In the edit", "Neuron", "Layer", "Module", "Unit", "AUROC", "Mean", "Mean of others", "Shared with"]


def neurons_tab(session: Session, edit: Controls, tab: gr.Tab) -> None:
    """Fill the tab."""
    gr.Markdown(
        "The highest ranked neurons. A click on a row shows what the neuron answers to the probe's sentences; a click "
        "in the first column takes it out of the edit or puts it in. *Shared with* names languages that have the "
        "neuron among their own top k."
    )
    table = gr.Dataframe(interactive=False, label="Experts", elem_id="experts", max_height=420)
    with gr.Row():
        number = gr.Number(label="Neuron", precision=0, minimum=0, elem_id="neuron")
        with gr.Column():
            show = gr.Button("Show its answers", size="sm", elem_id="show")
            toggle = gr.Button("Put it into the edit, or take it out", size="sm", elem_id="toggle")
    status = gr.Markdown(elem_id="hand")
    chart = gr.Plot(show_label=False, elem_id="answers")

    def listed(*chosen: Any) -> tuple[pd.DataFrame, str]:
        choice = choice_of(*chosen)
        return _table(session, choice), _status(choice)

    def look(neuron: float | None, *chosen: Any) -> Any:
        choice = choice_of(*chosen)
        return responses(answers(session, choice, _number(neuron)), choice.target)

    def change(neuron: float | None, *chosen: Any) -> tuple[Any, pd.DataFrame, str]:
        choice = toggled(session, choice_of(*chosen), _number(neuron))
        return (choice.added, choice.removed), _table(session, choice), _status(choice)

    @said
    def click(event: gr.SelectData, *chosen: Any) -> tuple[Any, ...]:
        row, column = event.index
        choice = choice_of(*chosen)
        neuron = int(top_table(session, choice).neuron[row])
        choice = toggled(session, choice, neuron) if column == 0 else choice
        shown = responses(answers(session, choice, neuron), choice.target)
        return (choice.added, choice.removed), _table(session, choice), _status(choice), neuron, shown

    redrawn = [table, status]
    gr.on([tab.select, *edit.changes], said(listed), edit.inputs, redrawn, show_progress="hidden")
    gr.on([show.click, number.submit], said(look), [number, *edit.inputs], chart, concurrency_limit=4)
    toggle.click(said(change), [number, *edit.inputs], [edit.hand, *redrawn], show_progress="hidden")
    table.select(click, edit.inputs, [edit.hand, *redrawn, number, chart], concurrency_limit=4)


def _number(neuron: float | None) -> int:
    return -1 if neuron is None else int(neuron)


def _table(session: Session, choice: Choice) -> pd.DataFrame:
    found = top_table(session, choice)
    found = found.assign(
        edited=found.edited.map({True: "✓", False: ""}),
        shared=[", ".join(map(short_code, codes)) for codes in found.shared],
        **{name: found[name].map("{:.3f}".format) for name in ("auroc", "mean", "other_mean")},
    )
    columns = ["edited", "neuron", "layer", "module", "unit", "auroc", "mean", "other_mean", "shared"]
    return found[columns].set_axis(HEADINGS, axis="columns")


def _status(choice: Choice) -> str:
    added, removed = len(choice.added), len(choice.removed)
    by_hand = f"; by hand {added} added, {removed} removed" if added or removed else ""
    return f"The edit has the top {choice.k:,} neurons{by_hand}."
