"""The tab Align: who finds whom among sentences, before and after, and the map of each space."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pandas as pd

from interlingua.explore.neighbours import Neighbours, Sentence, find_neighbours, read_sentences, share_found
from interlingua.explore.page.charts import maps
from interlingua.explore.page.controls import Controls, choice_of, said
from interlingua.explore.page.steer_tab import TITLES
from interlingua.explore.session import Session
from interlingua.languages import short_code

MEANINGS, LANGUAGES = 3, 6
"""Of the example."""
HEADINGS = {**TITLES, "aligned": "Behind the aligner"}
LONGEST = 200


def align_tab(session: Session, edit: Controls) -> None:
    """Fill the tab."""
    gr.Markdown(
        "A sentence a line. Sentences that translate each other stand together; a blank line parts them from the next. "
        "A line may name its language, as in `es: Llueve.`; others are identified."
    )
    sentences = gr.Textbox(example(session), label="Sentences", lines=10, max_lines=30, elem_id="sentences")
    find = gr.Button("Who finds whom?", variant="primary", elem_id="find")
    found = gr.Dataframe(label="Sentences whose nearest neighbour is a translation", interactive=False, elem_id="found")
    chart = gr.Plot(show_label=False, elem_id="map")
    gr.Markdown(
        "Embeddings are the mean of the last hidden state, as in the paper. The aligner is a linear map behind the "
        "unedited model, fitted on the probe when it is first needed. The table names each sentence's nearest "
        "neighbour among all the others, and their cosine similarity; ✓ marks a translation."
    )
    nearest = gr.Dataframe(
        label="Nearest neighbours",
        interactive=False,
        wrap=True,
        column_widths=["340px", *["116px"] * 4],
        elem_id="nearest",
    )

    def look(text: str, *chosen: Any) -> tuple[pd.DataFrame, Any, pd.DataFrame]:
        lines = read_sentences(text or "")
        spaces = find_neighbours(session, choice_of(*chosen), lines)
        return _shares(lines, spaces), maps(lines, spaces, HEADINGS), _table(lines, spaces)

    gr.on([find.click], said(look), [sentences, *edit.inputs], [found, chart, nearest], concurrency_limit=4)


def example(session: Session) -> str:
    """Return sentences of the session's corpus, with their languages, as a visitor would type them."""
    languages = session.examples.languages[:LANGUAGES]
    paragraphs = [
        "\n".join(f"{short_code(code)}: {session.examples[code][i]}" for code in languages)
        for i in range(min(MEANINGS, len(session.examples)))
    ]
    return "\n\n".join(paragraphs)


def _shares(lines: list[Sentence], spaces: dict[str, Neighbours]) -> pd.DataFrame:
    found = {HEADINGS[name]: share_found(lines, neighbours) for name, neighbours in spaces.items()}
    return pd.DataFrame([{name: f"{hits} of {n}" for name, (hits, n) in found.items()}])


def _table(lines: list[Sentence], spaces: dict[str, Neighbours]) -> pd.DataFrame:
    rows = []
    for i, line in enumerate(lines):
        row = {"Sentence": f"{_label(line)}: {_short(line.text)}"}
        for name, neighbours in spaces.items():
            other = lines[neighbours.nearest[i]]
            mark = "✓ " if other.meaning == line.meaning else ""
            row[HEADINGS[name]] = f"{mark}{_label(other)}, {neighbours.cosine[i]:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


def _label(sentence: Sentence) -> str:
    """Return the number of what a sentence means, and its language."""
    return f"{sentence.meaning + 1} {short_code(sentence.language) if sentence.language else '?'}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
