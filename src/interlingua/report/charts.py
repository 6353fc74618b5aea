"""The interactive charts of the page, drawn by plotly in the reader's browser: the map of the space, the heat maps."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from interlingua.analysis.evidence import changes
from interlingua.analysis.schema import EDIT, KEYS, ORIGINAL, STEERED, groups
from interlingua.errors import MissingExtraError
from interlingua.languages import language_name, short_code
from interlingua.report.figures.style import UNSEEN, steered_to
from interlingua.report.looks import in_order, looks
from interlingua.study import Run

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

INK = "#1c1f23"
LONGEST_HOVER = 160
"""Letters of a sentence that are shown under the pointer."""


def plotly_script() -> str:
    """Return the whole of plotly.js, to be written into the page.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MissingExtraError("the report's interactive charts", "plots") from None
    return get_plotlyjs()


def charts(run: Run, unseen: frozenset[str]) -> dict[str, str]:
    """Return the page's interactive charts as plotly's JSON, by the name of the element that each is drawn in.

    Args:
        run: The study.
        unseen: Languages that are written in red.
    """
    made = {"map": _map(run, unseen), "heat": _heat(run, unseen)}
    return {name: figure.to_json() for name, figure in made.items() if figure is not None}


def _map(run: Run, unseen: frozenset[str]) -> Figure | None:
    """Draw the sentences before and after an intervention, with buttons for either, and a list of interventions."""
    if "projection" not in run.tables or run.tables["projection"].empty:
        return None
    from plotly import graph_objects

    settings = list(groups(run.tables["projection"], EDIT))
    figure, shown = graph_objects.Figure(), []
    for number, (_, table) in enumerate(settings):
        for space, traces in _clouds(table):
            figure.add_traces(traces)
            shown.extend((number, space) for _ in traces)
    labels = [_labels(table, unseen) for _, table in settings]

    def view(number: int, spaces: tuple[str, ...]) -> list[dict[str, Any]]:
        visible = [setting == number and space in spaces for setting, space in shown]
        notes = [note for space in spaces for note in labels[number][space]]
        return [{"visible": visible}, {"annotations": notes}]

    both = (ORIGINAL, STEERED)
    buttons = [
        {"label": f"{prefix}{title}", "method": "update", "args": view(number, spaces)}
        for number, (key, _) in enumerate(settings)
        for prefix in (f"{html.escape(steered_to(*key))}: " if len(settings) > 1 else "",)
        for title, spaces in (("before and after", both), ("before", both[:1]), ("after", both[1:]))
    ]
    first = view(0, both)
    for trace, visible in zip(figure.data, first[0]["visible"], strict=True):
        trace.visible = visible
    figure.update_layout(
        height=640,
        annotations=first[1]["annotations"],
        updatemenus=[_menu(buttons, as_list=len(settings) > 1)],
        legend={"itemsizing": "constant", "font": {"size": 11}, "tracegroupgap": 0},
        xaxis={"visible": False},
        yaxis={"visible": False, "scaleanchor": "x"},
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        plot_bgcolor="white",
    )
    return figure


def _clouds(table: pd.DataFrame) -> Iterator[tuple[str, list[Any]]]:
    """Yield the spaces of one map, each with a cloud of points a language."""
    from plotly import graph_objects

    shown = looks(table.language)
    for (space,), points in groups(table, ["space"]):
        clouds = {code: cloud for (code,), cloud in groups(points, ["language"])}
        traces = []
        for code, look in shown.items():
            if (cloud := clouds.get(code)) is None:
                continue
            steered = space == STEERED
            traces.append(
                graph_objects.Scatter(
                    x=cloud.x.round(3).tolist(),
                    y=cloud.y.round(3).tolist(),
                    mode="markers",
                    name=language_name(code),
                    legendgroup=code,
                    showlegend=steered,
                    marker={
                        "size": 7,
                        "symbol": look.symbol if steered else f"{look.symbol}-open",
                        "color": look.colour,
                    },
                    text=_hover(cloud),
                    hovertemplate=f"<b>{language_name(code)}</b>, {'after' if steered else 'before'}<br>"
                    "%{text}<extra></extra>",
                )
            )
        yield space, traces


def _hover(points: pd.DataFrame) -> list[str]:
    """Return what is shown under the pointer, escaped: plotly takes some HTML, but knows no `&quot;`."""
    if "text" not in points:
        return [f"sentence {row + 1}" for row in points.sentence]
    return [_wrapped(text) for text in points.text]


def _wrapped(text: str, width: int = 60) -> str:
    short = text if len(text) <= LONGEST_HOVER else f"{text[: LONGEST_HOVER - 1]}…"
    lines = [short[start : start + width] for start in range(0, len(short), width)]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def _labels(table: pd.DataFrame, unseen: frozenset[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the languages' names at the middle of their points, `*` marking the steered space (figure 6)."""
    found: dict[str, list[dict[str, Any]]] = {ORIGINAL: [], STEERED: []}
    for (space, code), cloud in groups(table, ["space", "language"]):
        found[space].append(
            {
                "x": round(float(cloud.x.median()), 3),
                "y": round(float(cloud.y.median()), 3),
                "text": f"<b>{short_code(code)}{'*' if space == STEERED else ''}</b>",
                "showarrow": False,
                "yshift": 11,
                "font": {"size": 12, "color": UNSEEN if code in unseen else INK},
            }
        )
    return found


def _heat(run: Run, unseen: frozenset[str]) -> Figure | None:
    """Draw top-1 accuracy for every pair of languages, with a list of conditions and changes."""
    if "retrieval" not in run.tables or run.tables["retrieval"].empty:
        return None
    from plotly import graph_objects

    views = list(_matrices(run.tables["retrieval"]))
    codes = list(views[0][1].index)
    names = [_coloured(code, unseen) for code in codes]
    plain = [language_name(code) for code in codes]
    most = {
        kind: max((np.nanmax(np.abs(wide)) for _, wide, change in views if change == kind), default=0.0) or 1.0
        for kind in (False, True)
    }
    figure = graph_objects.Figure()
    for number, (title, wide, change) in enumerate(views):
        figure.add_trace(
            graph_objects.Heatmap(
                z=wide.round(4).to_numpy().tolist(),
                x=names,
                y=names,
                customdata=[[[query, candidate] for candidate in plain] for query in plain],
                visible=number == 0,
                colorscale="RdBu" if change else "Viridis",
                zmin=-most[True] if change else 0,
                zmax=most[change],
                colorbar={"title": {"text": "change" if change else "top-1"}, "thickness": 14},
                hovertemplate="query %{customdata[0]}<br>candidate %{customdata[1]}<br>"
                + f"{'change' if change else 'top-1'} %{{z:{'+' if change else ''}.3f}}<extra></extra>",
                name=title,
            )
        )
    buttons = [
        {"label": title, "method": "update", "args": [{"visible": [i == number for i in range(len(views))]}]}
        for number, (title, *_) in enumerate(views)
    ]
    figure.update_layout(
        height=660,
        updatemenus=[_menu(buttons, as_list=True)],
        xaxis={"title": {"text": "candidate"}, "tickangle": -60, "constrain": "domain"},
        yaxis={"title": {"text": "query"}, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain"},
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        plot_bgcolor="white",
    )
    return figure


def _matrices(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, bool]]:
    """Yield what a heat map shows, accuracies [query, candidate], and whether they are changes.

    A language with itself is left out: it is always right, and would hide the differences between the others.
    """
    codes = in_order(table["query"])
    between = table[table["query"] != table.candidate]

    def wide(rows: pd.DataFrame, values: str = "top1") -> pd.DataFrame:
        return rows.pivot(index="query", columns="candidate", values=values).reindex(index=codes, columns=codes)

    original = between[between.condition == ORIGINAL]
    if len(original):
        yield ORIGINAL, wide(original), False
    for (condition, target, kind, k), rows in groups(between[between.condition != ORIGINAL], KEYS):
        title = html.escape(steered_to(target, kind, k)) if condition == STEERED else (
            f"random neurons, values for {language_name(target)}, k = {k:,}"
        )  # fmt: skip
        if len(original):
            yield f"change: {title}", wide(changes(between, rows, ["query", "candidate"], "top1"), "change"), True
        yield title, wide(rows), False


def _coloured(code: str, unseen: frozenset[str]) -> str:
    name = language_name(code)
    return f'<span style="color:{UNSEEN}">{name}</span>' if code in unseen else name


def _menu(buttons: list[dict[str, Any]], *, as_list: bool) -> dict[str, Any]:
    return {
        "buttons": buttons,
        "type": "dropdown" if as_list else "buttons",
        "direction": "down" if as_list else "right",
        "x": 0,
        "xanchor": "left",
        "y": 1.02,
        "yanchor": "bottom",
        "showactive": True,
    }
