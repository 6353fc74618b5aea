"""Draw every figure that a run has data for, as SVG for pages and PDF for papers."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.errors import MissingExtraError
from interlingua.files import written_whole
from interlingua.languages import language_name, short_code
from interlingua.report.figures.change import retrieval_change
from interlingua.report.figures.distances import distances
from interlingua.report.figures.from_target import retrieval_from_target
from interlingua.report.figures.space import space
from interlingua.report.figures.style import settings, steered_to
from interlingua.report.figures.sweep import sweep
from interlingua.report.paper_tables import unseen_languages
from interlingua.study import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEFORE_AND_AFTER = "Grey: before; blue: after."
UNSEEN_NOTE = " Languages that the model did not see in pre-training are red."


@dataclass(frozen=True)
class DrawnFigure:
    """A figure of a report.

    Attributes:
        paper: What it is in the paper.
        title: What it shows.
        caption: How to read it.
        svg: Its file for pages.
        pdf: Its file for papers.
    """

    paper: str
    title: str
    caption: str
    svg: Path
    pdf: Path


def require_matplotlib() -> None:
    """Raise unless figures can be drawn.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("matplotlib", "plotly")):
        raise MissingExtraError("drawing figures", "plots")


def draw_figures(run: Run, folder: Path) -> tuple[DrawnFigure, ...]:
    """Draw every figure that a run has data for into a folder, and remove those of an earlier report.

    Returns:
        The figures in the order of the paper.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    require_matplotlib()
    drawn = tuple(
        DrawnFigure(paper, title, caption, *_save(folder, name, figure))
        for paper, name, title, caption, figure in _figures(run)
    )
    kept = {path for figure in drawn for path in (figure.svg, figure.pdf)}
    for earlier in folder.glob("*"):
        if earlier not in kept:
            earlier.unlink()
    return drawn


def _figures(run: Run) -> Iterator[tuple[str, str, str, str, Figure]]:
    """Yield what each figure is in the paper, its name, title and caption, and the figure."""
    tables, unseen = run.tables, unseen_languages(run)
    red = UNSEEN_NOTE if unseen else ""
    if "sweep" in tables and len(tables["sweep"]):
        title = "Text in the target language and perplexity, over the number of experts"
        caption = (
            "k = 0 is the original model; bars are standard errors, a ring marks the k that the study's rule picks."
        )
        yield "Figure 3", "sweep", title, caption, sweep(tables["sweep"])
    if "retrieval" in tables:
        yield from _of_retrieval(run, unseen, red)
    if "projection" in tables and len(tables["projection"]):
        table = tables["projection"]
        for target, kind, k in table[["target", "kind", "k"]].drop_duplicates().itertuples(index=False, name=None):
            own = table[(table.target == target) & (table.kind == kind) & (table.k == k)]
            title = f"Map of the space by UMAP, {steered_to(target, kind, k)}"
            caption = f"Dots: before; crosses, and labels with *: after. Colours tell languages apart.{red}"
            yield "Figure 6", f"space-{_name(target, kind, k)}", title, caption, space(own, unseen)
    if "geometry_summary" in tables and (tables["geometry_summary"].condition == "steered").any():
        title, caption = "Cosine distances", "Means over the targets, with standard errors where there are several."
        yield "Table 1", "distances", title, caption, distances(tables["geometry_summary"])


def _of_retrieval(run: Run, unseen: frozenset[str], red: str) -> Iterator[tuple[str, str, str, str, Figure]]:
    table = run.tables["retrieval"]
    if not (table.condition == "original").any():
        return
    steered, random = settings(table), settings(table, "random")
    for target, kind, k in steered:
        title = f"Top-1 accuracy with {language_name(target)} as query, {steered_to(target, kind, k)}"
        figure = retrieval_from_target(table, target, kind, k, "steered", unseen)
        yield "Figures 4, 7 to 9", f"from-target-{_name(target, kind, k)}", title, BEFORE_AND_AFTER + red, figure
    for target, kind, k in steered:
        title = f"Change of top-1 accuracy for every pair of languages, {steered_to(target, kind, k)}"
        caption = f"After minus before; beside it the same edits on random neurons, where they were measured.{red}"
        figure = retrieval_change(table, target, kind, k, unseen)
        yield "Figures 5, 10 to 12", f"change-{_name(target, kind, k)}", title, caption, figure
    for target, kind, k in random:
        title = f"Top-1 accuracy with {language_name(target)} as query, its values on {k:,} random neurons"
        figure = retrieval_from_target(table, target, kind, k, "random", unseen)
        caption = f"Grey: before; orange: random neurons.{red}"
        yield "Figures 13 to 15", f"from-target-random-{_name(target, kind, k)}", title, caption, figure


def _name(target: str, kind: str, k: int) -> str:
    method = "" if kind == "set-to-mean" else "-" + re.sub(r"[^\w.-]+", "-", kind)
    return f"{short_code(target)}{method}-k{k}"


def _save(folder: Path, name: str, figure: Figure) -> tuple[Path, Path]:
    from matplotlib import rc_context

    svg, pdf = folder / f"{name}.svg", folder / f"{name}.pdf"
    for path in (svg, pdf):
        # Without a date and with a fixed salt for ids, the same run draws the same bytes. Type 42 fonts stay text.
        metadata = {"Date": None} if path == svg else {"CreationDate": None}
        with rc_context({"svg.hashsalt": name, "pdf.fonttype": 42}), written_whole(path) as temporary:
            figure.savefig(temporary, metadata=metadata)
    return svg, pdf
