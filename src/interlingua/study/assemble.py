"""From cells to the tables of a run: tidy tables with the columns of each condition, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from interlingua.analysis import (
    claims_by_target,
    controls,
    geometry_summary,
    grid,
    landing,
    main_effects,
    perplexity_matrix,
    sweep,
)
from interlingua.analysis.claims import effects, judge_effects
from interlingua.analysis.schema import CONTROL, RANDOM
from interlingua.study.config import StudyConfig
from interlingua.study.plan import Cell, pretrained_languages

Tables = dict[str, pd.DataFrame]
OF_LANGUAGE = ("generation", "perplexity", "forcing")
"""Tables in which the language is the target, even in the original model's rows."""

INTERNAL = ("generated", "continued")


def assemble(config: StudyConfig, cells: Iterable[Cell], load: Callable[[Cell], Tables]) -> Tables:
    """Put together the tables of a run from those of its cells that are done.

    Args:
        config: The study.
        cells: The cells that gave tables, in the order of the plan.
        load: Returns a cell's tables.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    for cell in cells:
        for name, table in load(cell).items():
            if name not in INTERNAL:
                title, labelled = _labelled(cell, name, table)
                parts.setdefault(title, []).append(labelled)
    tables = {name: _stacked(frames) for name, frames in parts.items()}
    for name in ("retrieval", "geometry"):  # computed for the correlations alone
        if name not in config.measures:
            for title in (name, "hits") if name == "retrieval" else (name,):
                for part in (title, f"control_{title}", f"sweep_{title}"):
                    tables.pop(part, None)
    return tables | _derived(config, tables)


def _labelled(cell: Cell, name: str, table: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Return a cell's table with the columns that name its condition first, and what it is called."""
    if cell.condition is None:
        return name, table
    columns = cell.condition.columns()
    if name == "perplexity" and cell.condition.target not in (None, cell.language):
        name = "perplexity_others"
    if cell.condition.name == CONTROL:
        return f"control_{name}", table.assign(**columns)[[*columns, *(c for c in table.columns if c not in columns)]]
    if cell.condition.swept and cell.measure == "space":
        name = f"sweep_{name}"
    if name in OF_LANGUAGE:
        columns["target"] = table.language
    if name.startswith("paraphrase"):
        # Its condition says which model query and candidates are from; so the random control has a separate table.
        title = f"{name}_random" if cell.condition.name == RANDOM else name
        columns["condition"] = table.condition
        return title, table.assign(**columns)[[*columns, *(c for c in table.columns if c not in columns)]]
    return name, table.assign(**columns)[[*columns, *table.columns]]


def _stacked(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Stack tables; a column that has only missing values in the original's part takes the others' type."""
    table = pd.concat([part.astype({c: object for c in ("target", "kind") if c in part}) for part in parts])
    return table.astype({c: "str" for c in ("target", "kind") if c in table}).reset_index(drop=True)


def _derived(config: StudyConfig, tables: Mapping[str, pd.DataFrame]) -> Tables:
    derived: Tables = {}
    if "geometry" in tables and tables["geometry"].target.notna().any():
        derived["geometry_summary"] = geometry_summary(tables["geometry"])
    if "generation" in tables and "perplexity" in tables:
        derived["sweep"] = sweep(
            tables["generation"],
            tables["perplexity"],
            [tables[name] for name in ("retrieval", "sweep_retrieval") if name in tables],
            by=config.sweep.by,
            bound=config.sweep.bound,
        )
    if (seen := pretrained_languages(config)) is not None and "retrieval" in tables:
        measured = list(dict.fromkeys(tables["retrieval"]["query"]))
        derived["pretraining"] = pd.DataFrame({"language": measured, "seen": [code in seen for code in measured]})
    tables = {**tables, **derived}
    measured = effects(tables)
    if not (drawn := controls(tables, measured)).empty:
        derived["controls"] = drawn
    if not (landed := landing(tables)).empty:
        derived["landing"] = landed
    if not (matrix := perplexity_matrix(tables)).empty:
        derived["perplexity_matrix"] = matrix
    if config.several_edits:
        derived["grid"] = grid(tables)
        derived["main_effects"] = main_effects(derived["grid"])
    derived["claims"] = judge_effects(measured)
    if len(config.targets) > 1:
        derived["claims_by_target"] = claims_by_target(tables, measured)
    return derived
