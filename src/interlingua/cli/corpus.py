"""The command `corpus show`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from interlingua.cli.console import out, say

SAMPLE_LENGTH = 80


def show(
    name: Annotated[str, typer.Argument(help="Registered corpus, folder, or .csv, .tsv, .jsonl, .parquet, .tmx file.")],
    language: Annotated[list[str] | None, typer.Option(help="These languages only; may be repeated.")] = None,
    split: Annotated[str | None, typer.Option(help="This split only.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N lines of each part.")] = None,
) -> None:
    """Open a corpus, check it, and print its languages, sizes, licence, a sample line and warnings."""
    from interlingua.corpora import open_corpus
    from interlingua.corpora.overview import facts, open_parts

    source = open_corpus(name)
    if rows := facts(source):
        known = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for key, value in rows:
            known.add_row(key, Text(value))
        out.print(known)
    for part in open_parts(source, split=split, languages=language or (), limit=limit):
        out.print(f"\n{part.title}: {part.size}", style="bold", markup=False, soft_wrap=True)
        for code, line in part.sample:
            say(f"  {code}  {line if len(line) <= SAMPLE_LENGTH else line[:SAMPLE_LENGTH] + '...'}")
        say(f"  sha256 {part.fingerprint}")
        for warning in part.warnings:
            say(f"  warning: {warning}")
