"""The page's charts, by plotly: a map of each space, and what a neuron answers to each language."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from interlingua.explore.neighbours import Neighbours, Sentence
from interlingua.explore.neurons import Answers
from interlingua.languages import language_name
from interlingua.report.looks import in_order, looks

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BINS = 30
UNKNOWN = "language unknown"
TARGET, OTHERS = "#0072b2", "#7f7f7f"
LINE = "#c8ccd2"
WHITE = {"paper_bgcolor": "white", "plot_bgcolor": "white", "font": {"color": "#1c1f23"}}


def maps(sentences: Sequence[Sentence], spaces: Mapping[str, Neighbours], titles: Mapping[str, str]) -> Figure:
    """Draw the sentences in each space, by colour and shape of their language, the text under the pointer."""
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    figure = make_subplots(2, 2, subplot_titles=[titles[name] for name in spaces], vertical_spacing=0.1)
    known = looks(sentence.language for sentence in sentences if sentence.language)
    for i, neighbours in enumerate(spaces.values()):
        for code in [*in_order(known), ""]:
            rows = [row for row, sentence in enumerate(sentences) if sentence.language == code]
            if not rows:
                continue
            figure.add_trace(
                Scatter(
                    x=neighbours.points[rows, 0],
                    y=neighbours.points[rows, 1],
                    mode="markers+text",
                    text=[str(sentences[row].meaning + 1) for row in rows],
                    textposition="top center",
                    textfont={"size": 10},
                    name=language_name(code) if code else UNKNOWN,
                    legendgroup=code,
                    showlegend=i == 0,
                    marker={
                        "size": 10,
                        "color": known[code].colour if code else OTHERS,
                        "symbol": known[code].symbol if code else "x",
                    },
                    customdata=[_wrapped(sentences[row].text) for row in rows],
                    hovertemplate="%{customdata}<extra></extra>",
                ),
                row=i // 2 + 1,
                col=i % 2 + 1,
            )
    for update in (figure.update_xaxes, figure.update_yaxes):
        update(showticklabels=False, showgrid=False, zeroline=False, showline=True, linecolor=LINE, mirror=True)
    figure.update_layout(height=720, margin={"l": 10, "r": 10, "t": 70, "b": 10}, **WHITE)
    return figure


def _wrapped(text: str, width: int = 60, longest: int = 240) -> str:
    short = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "<br>".join(html.escape(short[i : i + width], quote=False) for i in range(0, len(short), width))


def responses(answers: Answers, target: str) -> Figure:
    """Draw a histogram of a neuron's responses to each language, one above the other on one axis."""
    from plotly.graph_objects import Bar
    from plotly.subplots import make_subplots

    codes = in_order(answers.responses)
    codes = [target, *(code for code in codes if code != target)]
    everything = np.concatenate(list(answers.responses.values()))
    edges = np.histogram_bin_edges(everything, BINS)
    counts = {code: np.histogram(answers.responses[code], edges)[0] for code in codes}
    most = max(count.max() for count in counts.values())
    figure = make_subplots(len(codes), 1, shared_xaxes=True, vertical_spacing=0.2 / max(len(codes), 2))
    for row, code in enumerate(codes, start=1):
        figure.add_trace(
            Bar(
                x=(edges[:-1] + edges[1:]) / 2,
                y=counts[code],
                width=np.diff(edges),
                marker={"color": TARGET if code == target else OTHERS},
                hovertemplate=f"{language_name(code)}: %{{y}} sentences near %{{x:.2f}}<extra></extra>",
            ),
            row=row,
            col=1,
        )
        figure.update_yaxes(range=[0, most * 1.05], title={"text": language_name(code)}, nticks=3, row=row, col=1)
    figure.update_xaxes(title={"text": "mean response to a sentence"}, row=len(codes), col=1)
    figure.update_layout(
        title={"text": f"Neuron {answers.neuron}: {answers.title}", "font": {"size": 15}},
        height=90 * len(codes) + 150, showlegend=False, bargap=0, margin={"l": 10, "r": 10, "t": 90, "b": 10}, **WHITE,
    )  # fmt: skip
    return figure
