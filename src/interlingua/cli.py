"""The command line: parses, calls, prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from interlingua.errors import InterlinguaError
from interlingua.progress import shown_progress

INTERRUPTED = 130  # which is also what typer makes of Ctrl-C

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Find the neurons of a language model that carry a language, change them, and measure what that does.",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command line: exit 2 on wrong input, 1 on failure, 130 when interrupted."""
    try:
        app()
    except InterlinguaError as error:
        err.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _exit_interrupted()
    except SystemExit as exit_:
        if exit_.code == INTERRUPTED:
            _exit_interrupted()
        raise


def _exit_interrupted() -> None:
    err.print("interrupted; what was finished is kept")
    sys.exit(INTERRUPTED)


@app.command()
def study(
    config: Annotated[Path | None, typer.Argument(help="A study's YAML file; options override it.")] = None,
    model: Annotated[str | None, typer.Option(help="Packaged model, Hugging Face id, or folder.")] = None,
    corpus: Annotated[str | None, typer.Option(help="Registered corpus, or folder.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Language to steer to; may be repeated.")] = None,
    k: Annotated[list[int] | None, typer.Option("-k", help="Number of experts; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language and split.")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Run folder; default runs/<model>-<corpus>.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32, bfloat16, float16.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the random control.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Compute everything anew.")] = False,
) -> None:
    """Find experts, steer, measure alignment before and after, and write a report."""
    from interlingua.report import write_report
    from interlingua.report.figures import require_matplotlib
    from interlingua.study import load_config, run_study

    overrides: dict[str, Any] = {
        "model": model, "corpus": corpus, "targets": target, "k": k, "limit": limit,
        "device": device, "dtype": dtype, "seed": seed,
    }  # fmt: skip
    settings = load_config(config, **{key: value for key, value in overrides.items() if value is not None})
    require_matplotlib()
    with shown_progress(out) as progress:
        run = run_study(settings, folder, fresh=fresh, progress=progress, say=_say)
    page = write_report(run)
    _print_summary(run)
    _say(f"\nTables, figures and embeddings: {run.folder}\nReport: {page}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished study.")],
) -> None:
    """Draw the figures and write the HTML page of a finished study again."""
    from interlingua.report import write_report
    from interlingua.study import open_run

    run = open_run(folder)
    page = write_report(run)
    _print_summary(run)
    _say(f"\nReport: {page}")


@app.command("list")
def list_(what: Annotated[str, typer.Argument(help="models, corpora or languages.")]) -> None:
    """List what is known by name."""
    rows = _listings(what)
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _listings(what: str) -> list[tuple[str, ...]]:
    from interlingua.errors import InputError

    if what == "models":
        from interlingua.models.packaged import PACKAGED_MODELS

        packaged = [(name, model.description, model.licence) for name, model in PACKAGED_MODELS.items()]
        return [
            *packaged,
            ("<id or folder>", "any causal LM of the Hugging Face Hub, or a checkpoint on disk", ""),
        ]
    if what == "corpora":
        from interlingua.corpora import CORPORA

        named = [(name, corpus.description, corpus.licence) for name, corpus in CORPORA.items()]
        return [
            *named,
            ("<folder>", "<split>/<code>.txt or <code>.txt, line i the same sentence everywhere", ""),
        ]
    if what == "languages":
        from interlingua.languages import PAPER_LANGUAGES, language_name, short_code

        codes = sorted({*PAPER_LANGUAGES, "zho_Hans"})
        rows = [(code, short_code(code), language_name(code)) for code in codes]
        return [*rows, ("<code>", "", "every other language with an ISO 639-3 code, as in yor_Latn")]
    raise InputError(f"unknown list '{what}'; use models, corpora, languages")


def _print_summary(run: Any) -> None:
    from interlingua.languages import language_name
    from interlingua.report import answer, summary_table

    table = Table(title=f"{run.config.model} on {run.config.corpus}", title_justify="left", box=None, pad_edge=False)
    table.add_column("condition", no_wrap=True)
    table.add_column("target", no_wrap=True)
    headings = (
        "k",
        "top-1\nall pairs",
        "top-1\nas query",
        "distance\nall",
        "distance\ntarget",
        "distance\nmedoid",
    )
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in summary_table(run).to_dict("records"):
        shares = [f"{row[column]:.3f}" for column in ("top1", "top1_from_target")]
        distances = [f"{row[column]:.2f}" for column in ("distance", "distance_to_target", "distance_to_medoid")]
        table.add_row(row["condition"], language_name(row["target"]), f"{row['k']:,}", *shares, *distances)
    out.print()
    out.print(table)
    for sentence in answer(run):
        out.print(sentence, markup=False)


def _say(line: str) -> None:
    out.print(line, markup=False, soft_wrap=True)
