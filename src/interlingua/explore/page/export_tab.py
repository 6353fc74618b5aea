"""The tab Export: the edit as a folder, a baked checkpoint, and the lines that make it again."""

from __future__ import annotations

from typing import Any

import gradio as gr

from interlingua.explore.exporting import commands, name_of, python_lines, save_baked, save_edit
from interlingua.explore.page.controls import Controls, choice_of, said
from interlingua.explore.session import Session


def export_tab(session: Session, edit: Controls, tab: gr.Tab) -> None:
    """Fill the tab."""
    with gr.Row():
        name = gr.Textbox(label="Name of the folder", info=f"In {session.folder.resolve()}", elem_id="name")
        with gr.Column():
            save = gr.Button("Save the intervention", variant="primary", elem_id="save")
            bake = gr.Button("Save a checkpoint with the edit baked in", elem_id="bake")
    saved = gr.Textbox(label="Saved", interactive=False, elem_id="saved")
    shell = gr.Code(label="Command line", language="shell", interactive=False, wrap_lines=True, elem_id="shell")
    python = gr.Code(label="Python", language="python", interactive=False, wrap_lines=True, elem_id="python")

    def lines(*chosen: Any) -> tuple[str, str, str]:
        choice = choice_of(*chosen)
        return name_of(choice), commands(session, choice), python_lines(session, choice)

    gr.on([tab.select, *edit.changes], said(lines), edit.inputs, [name, shell, python], show_progress="hidden")
    for button, write in ((save, save_edit), (bake, save_baked)):
        handler = said(lambda name, *chosen, write=write: str(write(session, choice_of(*chosen), name).resolve()))
        button.click(handler, [name, *edit.inputs], saved)
