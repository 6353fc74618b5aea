"""The tab Steer: what the model writes, as it is, steered, and with random neurons, side by side."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import gradio as gr

from interlingua.analysis.schema import ORIGINAL, OWN_MEAN, RANDOM, STEERED, UNIFORM
from interlingua.explore.page.controls import Controls, choice_of, said_while_growing
from interlingua.explore.session import Session
from interlingua.explore.steering import CONDITIONS, MOST_TOKENS, Text, stream
from interlingua.languages import language_name

TITLES = {ORIGINAL: "Original", STEERED: "Steered", RANDOM: "Random neurons"}
NOTES = {
    ORIGINAL: "The model as it is",
    STEERED: "With the edit",
    UNIFORM: "The control: the edit's values, on as many random neurons",
    OWN_MEAN: "The control: the same kind of edit of as many random neurons, by their own responses",
}


def steer_tab(session: Session, edit: Controls) -> None:
    """Fill the tab."""
    with gr.Row(equal_height=True):
        prompt = gr.Textbox(
            label="Prompt", placeholder="Empty: the model writes from its start token alone", lines=2, max_lines=6,
            scale=4, elem_id="prompt",
        )  # fmt: skip
        tokens = gr.Number(48, label="Tokens", precision=0, minimum=1, maximum=MOST_TOKENS, scale=1, elem_id="tokens")
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, scale=1, elem_id="seed")
    with gr.Row():
        write = gr.Button("Write", variant="primary", scale=5, elem_id="write")
        stop = gr.Button("Stop", scale=1)
    boxes, notes = [], []
    with gr.Row():
        for name in CONDITIONS:
            with gr.Column(min_width=220):
                boxes.append(
                    gr.Textbox(label=TITLES[name], lines=12, max_lines=12, elem_id=f"text-{name}", elem_classes="text")
                )
                notes.append(gr.HTML(_note(name, Text()), elem_id=f"note-{name}", elem_classes="about"))
    for box in boxes:
        box.interactive = False

    def grow(prompt: str, tokens: float | None, seed: float | None, *chosen: Any) -> Iterator[list[str]]:
        choice = choice_of(*chosen)
        for texts in stream(session, choice, prompt or "", seed=int(seed or 0), max_new_tokens=int(tokens or 0)):
            notes = [_note(name, texts[name], choice.control, language_name(choice.target)) for name in CONDITIONS]
            yield [texts[name].text for name in CONDITIONS] + notes

    writing = gr.on(
        [write.click, prompt.submit, edit.k.release, edit.strength.release, edit.control.input],
        said_while_growing(grow),
        [prompt, tokens, seed, *edit.inputs],
        [*boxes, *notes],
        concurrency_limit=4,
        trigger_mode="always_last",
        show_progress="hidden",
    )
    stop.click(None, None, None, cancels=[writing])


def _note(name: str, text: Text, control: str = UNIFORM, target: str = "") -> str:
    """Return what is known of a text, as HTML."""
    parts = [f"<span>{NOTES[control if name == RANDOM else name]}</span>"]
    if text.language:
        sure = f", {text.posterior:.2f}" if text.posterior else ""
        parts.append(f"<b>{html.escape(text.language)}</b>{sure}")
    if text.log_perplexity is not None:
        parts.append(f"log perplexity of {html.escape(target)} text <b>{text.log_perplexity:.2f}</b>")
    return "<br>".join(parts)
