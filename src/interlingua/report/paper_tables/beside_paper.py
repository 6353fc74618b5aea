"""What the paper's tables share: the runs they are made from, the paper's numbers beside ours, and their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from interlingua.report.layout import Column, PaperTable
from interlingua.study import Run
from interlingua.study.plan import pretrained_languages

Runs = Mapping[str, Run]
"""Runs by what a table's first column calls them."""

MODEL = Column("model", "model")
SETTING = (Column("kind", "intervention"), Column("k", "k", 0))
LANGUAGE = Column("language", "language", language=True)
UNSEEN_NOTE = "Languages that the model did not see in pre-training are red († in Markdown)."


def tables_of(runs: Runs, name: str) -> Iterator[tuple[str, Run, pd.DataFrame]]:
    """Yield the label, the run and the table of each run that has it."""
    for label, run in runs.items():
        if name in run.tables:
            yield label, run, run.tables[name]


def rows_of(runs: Runs, name: str) -> Iterator[tuple[Run, dict]]:
    """Yield the rows of a table, each with its run and the run's label."""
    for label, run, table in tables_of(runs, name):
        for row in table.to_dict("records"):
            yield run, {"model": label, **row}


def setting(label: str, row: Mapping) -> dict:
    """Return the columns that name a run and an edit."""
    return {"model": label, "kind": row["kind"], "k": row["k"]}


def beside(paper: pd.Series, language: str, found: Mapping[str, float | None], condition: str | None = None) -> dict:
    """Return the paper's number and the difference from it for each of ours."""
    values = {}
    for name, ours in found.items():
        value = paper.get((language, name if condition is None else condition))
        values[f"{name} paper"] = value
        values[f"{name} difference"] = None if value is None or ours is None else ours - value
    return values


def paper_table(
    runs: Runs,
    name: str,
    title: str,
    note: str,
    rows: Sequence[Mapping],
    columns: Sequence[Column],
    compared: Sequence[str],
    with_setting: bool = True,
) -> PaperTable:
    """Put a table together: the columns that tell rows apart first, its columns, the paper's numbers after them."""
    frame = pd.DataFrame(rows)
    lead: list[Column] = [MODEL] if len(runs) > 1 else []
    if with_setting:
        lead.extend(SETTING)
    shown = [*lead, *(column for column in columns if column.name in frame)]
    several_kinds = "kind" in frame and frame.kind.nunique() > 1
    shown = [column for column in shown if column.name != "kind" or several_kinds]
    digits = {column.name: column.digits for column in columns}
    for number in compared:
        ours, theirs = f"{number} difference", f"{number} paper"
        if theirs in frame and frame[theirs].notna().any():
            heading = next(column.heading for column in columns if column.name == number)
            shown.append(Column(theirs, f"paper: {heading}", digits[number]))
            shown.append(Column(ours, f"difference: {heading}", digits[number], signed=True))
        else:
            frame = frame.drop(columns=[theirs, ours], errors="ignore")
    unseen = {label: unseen_languages(run) for label, run in runs.items()}
    marked = any(unseen.values()) and any(column.language for column in shown)
    return PaperTable(name, title, f"{note} {UNSEEN_NOTE}" if marked else note, frame, tuple(shown), unseen)


def unseen_languages(run: Run) -> frozenset[str]:
    """Return the languages of a run that its model did not see in pre-training; none where that is not known."""
    seen = pretrained_languages(run.config)
    languages = {*run.manifest["evaluation"]["languages"], *run.manifest["probe"]["languages"]}
    return frozenset() if seen is None else frozenset(languages - seen)
