"""The command `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import out
from interlingua.errors import InputError


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN", help="The folder of a finished study.")],
    compare: Annotated[
        list[Path] | None, typer.Option(metavar="RUN ...", help="Other studies to show beside it.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--out", help="Folder for the report; default RUN, or RUN/comparison.")
    ] = None,
) -> None:
    """Write the tables, figures and HTML page of a finished study again, or compare several.

    Needs the run folder alone: no model, no corpus.
    """
    from interlingua.report import write_comparison, write_report
    from interlingua.report.terminal import files_summary, study_summary
    from interlingua.study import open_run

    folder, *more = folders  # an option takes one value; those after it arrive here
    if more and not compare:
        raise InputError(f"one run at a time; to compare them: interlingua report {folder} --compare {more[0]}")
    run = open_run(folder)
    if compare:
        page = write_comparison([run, *map(open_run, [*compare, *more])], to or folder / "comparison")
    else:
        page = write_report(run, to)
        out.print(study_summary(run))
    out.print(files_summary(page))
