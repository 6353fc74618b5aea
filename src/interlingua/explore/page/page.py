"""The page: the edit's controls at the left, and a tab for each thing that one does with it."""

from __future__ import annotations

import gradio as gr

from interlingua.explore.page.align_tab import align_tab
from interlingua.explore.page.controls import controls
from interlingua.explore.page.export_tab import export_tab
from interlingua.explore.page.neurons_tab import neurons_tab
from interlingua.explore.page.steer_tab import steer_tab
from interlingua.explore.session import Session


def make_page(session: Session) -> gr.Blocks:
    """Return the page of a session; `serve` shows it."""
    with gr.Blocks(title=f"interlingua: {session.model.name}", analytics_enabled=False, fill_width=True) as page:
        with gr.Sidebar(width=300):
            edit = controls(session)
        gr.Markdown(
            f"## {session.model.name}\n{len(session.model.neurons):,} MLP neurons, {session.model.dtype} on "
            f"{session.model.device}. Experts of {len(session.targets)} languages, from "
            f"{next(iter(session.experts.values())).sentences} sentences each of "
            f"`{next(iter(session.experts.values())).made_from['corpus']}`."
        )
        with gr.Tabs():
            with gr.Tab("Steer"):
                steer_tab(session, edit)
            with gr.Tab("Align"):
                align_tab(session, edit)
            with gr.Tab("Neurons") as neurons:
                neurons_tab(session, edit, neurons)
            with gr.Tab("Export") as export:
                export_tab(session, edit, export)
    return page
