"""Draw every figure that a run has data for, as SVG for pages and PDF for papers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.analysis import landing_and_gain as landing_and_gain_of
from interlingua.analysis.landing import landing_correlation
from interlingua.analysis.schema import EDIT, ORIGINAL, RANDOM, STEERED, groups
from interlingua.languages import language_name, short_code
from interlingua.report.figures.beside_draws import beside_draws
from interlingua.report.figures.change import retrieval_change
from interlingua.report.figures.distances import distances
from interlingua.report.figures.effects import main_effects
from interlingua.report.figures.files import require_matplotlib, save_figure
from interlingua.report.figures.from_target import retrieval_from_target
from interlingua.report.figures.grid import OUTCOMES, grid
from interlingua.report.figures.paths import landing_and_gain, paths
from interlingua.report.figures.rise import perplexity_rise
from interlingua.report.figures.space import space
from interlingua.report.figures.style import settings, steered_to
from interlingua.report.figures.sweep import sweep
from interlingua.report.paper_tables import unseen_languages
from interlingua.study import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_EDITS = 12
"""A grid with more has no figures of every edit; its table and main effects show them."""

FEWEST_TARGETS = 3
"""Targets over which a correlation is drawn."""

BEFORE_AND_AFTER = "Grey: before; blue: after."


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


def draw_figures(run: Run, folder: Path) -> tuple[DrawnFigure, ...]:
    """Draw every figure that a run has data for into a folder, and remove those of an earlier report.

    Returns:
        The figures in the order of the paper.

    Raises:
        MissingExtraError: The extra `plots` is not installed.
    """
    require_matplotlib()
    drawn = tuple(
        DrawnFigure(paper, title, caption, *save_figure(figure, folder, name))
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
    red = " Languages that the model did not see in pre-training are red." if unseen else ""
    if "sweep" in tables and len(tables["sweep"]):
        title = "Text in the target language and perplexity, over the number of experts"
        caption = (
            "k = 0 is the original model; bars are standard errors, a ring marks the k that the study's rule picks."
        )
        first, said = _first(run, tables["sweep"])
        yield "Figure 3", "sweep", title, caption + said, sweep(first)
    if "retrieval" in tables:
        yield from _of_retrieval(run, unseen, red)
    if "cross_space" in tables:
        yield from _of_landing(run, unseen, red)
    if "controls" in tables and len(tables["controls"]) and "grid" not in tables:
        for (kind, k), rows in groups(tables["controls"], ["kind", "k"]):
            title = f"What experts do, beside draws of random neurons, {kind}, k = {k:,}"
            caption = "Lines: from the lowest to the highest draw; triangles: their mean; diamonds: the experts."
            name = re.sub(r"[^\w.-]+", "-", f"beside-draws-{kind}-k{k}")
            yield "Section 7", name, title, caption, beside_draws(rows)
    if "projection" in tables and len(tables["projection"]):
        table = tables["projection"]
        for target, kind, k in table[EDIT].drop_duplicates().itertuples(index=False, name=None):
            mapped = table[(table.target == target) & (table.kind == kind) & (table.k == k)]
            title = f"Map of the space by UMAP, {steered_to(target, kind, k)}"
            caption = f"Hollow: before; filled, and labels with *: after. Colour and shape tell languages apart.{red}"
            yield "Figure 6", f"space-{_name(target, kind, k)}", title, caption, space(mapped, unseen)
    if "perplexity_matrix" in tables:
        for (condition, kind, k), rows in groups(tables["perplexity_matrix"], ["condition", "kind", "k"]):
            title = f"Rise of log perplexity by edits of each language, {condition}, {kind}, k = {k:,}"
            name = re.sub(r"[^\w.-]+", "-", f"rise-{condition}-{kind}-k{k}")
            caption = "Above the original model, in nats (after Tang et al. 2024, figure 3)."
            yield "Tang et al. 2024", name, title, caption, perplexity_rise(rows)
    if "grid" in tables and tables["grid"][list(OUTCOMES)].notna().any(axis=None):
        title, caption = "Every combination of finder, site and kind", "Means over targets and k, all from 0 to 1."
        yield "Limitations", "grid", title, caption, grid(tables["grid"])
    if "main_effects" in tables and len(tables["main_effects"]):
        caption = "Main effects (eta squared) over the combinations; interactions and noise make up what is left."
        yield "Limitations", "main-effects", "What each choice explains", caption, main_effects(tables["main_effects"])
    if "geometry_summary" in tables and (tables["geometry_summary"].condition == STEERED).any():
        title, caption = "Cosine distances", "Means over the targets, with standard errors where there are several."
        first, said = _first(run, tables["geometry_summary"])
        yield "Table 1", "distances", title, caption + said, distances(first)


def _of_landing(run: Run, unseen: frozenset[str], red: str) -> Iterator[tuple[str, str, str, str, Figure]]:
    table = run.tables["cross_space"]
    for target, kind, k in _drawn(run, settings(table)):
        title = f"Distance to where {language_name(target)} was, {steered_to(target, kind, k)}"
        caption = f"Of each language's mean to the target's in the original model.{red}"
        yield "Section 4", f"paths-{_name(target, kind, k)}", title, caption, paths(table, target, kind, k, unseen)
    for (kind, k), rows in groups(landing_and_gain_of(run.tables), ["kind", "k"]):
        if len(rows) >= FEWEST_TARGETS:
            found = landing_correlation(rows)
            title = f"Landing at the target's old place against the gain, over {len(rows)} targets, k = {k:,}"
            r = found.reason or f"r = {found.r:.2f} [{found.low:.2f}, {found.high:.2f}], p = {found.p:.2f}"
            caption = f"The gain is the mean change of top-1 over all pairs of languages. {r}."
            name = re.sub(r"[^\w.-]+", "-", f"landing-{kind}-k{k}")
            yield "Section 4", name, title, caption, landing_and_gain(rows)


def _of_retrieval(run: Run, unseen: frozenset[str], red: str) -> Iterator[tuple[str, str, str, str, Figure]]:
    table = run.tables["retrieval"]
    if not (table.condition == ORIGINAL).any():
        return
    steered, random = _drawn(run, settings(table)), _drawn(run, settings(table, RANDOM))
    for target, kind, k in steered:
        title = f"Top-1 accuracy with {language_name(target)} as query, {steered_to(target, kind, k)}"
        figure = retrieval_from_target(table, target, kind, k, STEERED, unseen)
        yield "Figures 4, 7 to 9", f"from-target-{_name(target, kind, k)}", title, BEFORE_AND_AFTER + red, figure
    for target, kind, k in steered:
        title = f"Change of top-1 accuracy for every pair of languages, {steered_to(target, kind, k)}"
        caption = f"After minus before; beside it the same edits on random neurons, where they were measured.{red}"
        figure = retrieval_change(table, target, kind, k, unseen)
        yield "Figures 5, 10 to 12", f"change-{_name(target, kind, k)}", title, caption, figure
    for target, kind, k in random:
        title = f"Top-1 accuracy with {language_name(target)} as query, its values on {k:,} random neurons"
        figure = retrieval_from_target(table, target, kind, k, RANDOM, unseen)
        caption = f"Grey: before; orange: random neurons.{red}"
        yield "Figures 13 to 15", f"from-target-random-{_name(target, kind, k)}", title, caption, figure


def _drawn(run: Run, edits: list[tuple]) -> list[tuple]:
    """Return the edits that get separate figures: of a large grid the first combination alone."""
    if len(edits) <= MOST_EDITS or "grid" not in run.tables:
        return edits
    return [edit for edit in edits if edit[1] == edits[0][1]]


def _first(run: Run, table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return a table, of a large grid the first combination alone, and what the caption says of that."""
    kinds = table.kind.dropna().unique()
    if len(kinds) <= MOST_EDITS or "grid" not in run.tables:
        return table, ""
    return table[table.kind.isna() | (table.kind == kinds[0])], f" Of the grid the first combination alone: {kinds[0]}."


def _name(target: str, kind: str, k: int) -> str:
    method = "" if kind == "set-to-mean" else "-" + re.sub(r"[^\w.-]+", "-", kind)
    return f"{short_code(target)}{method}-k{k}"
