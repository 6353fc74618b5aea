"""The command `perplexity`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import say
from interlingua.cli.loading import Loading, load_intervention, loads_model
from interlingua.cli.options import InterventionOption


@loads_model
def perplexity(
    loading: Loading,
    text: Annotated[Path, typer.Argument(metavar="TEXT", help="A text file; - is standard input.")],
    intervention: InterventionOption = None,
    stride: Annotated[int, typer.Option(help="By how many tokens a window starts after the one before.")] = 512,
    max_length: Annotated[int | None, typer.Option(help="Tokens of a window; default the model's maximum.")] = None,
) -> None:
    """Measure the perplexity of a text under a sliding window."""
    from interlingua.corpora.lines import read_text
    from interlingua.interventions import edited
    from interlingua.measures import perplexity as measure

    content = read_text(text)
    edit = load_intervention(intervention)
    loaded = loading.load()
    with edited(loaded, edit):
        result = measure(loaded, content, stride=stride, max_length=max_length)
    plain = math.exp(result.log_perplexity) if result.log_perplexity < 700 else math.inf
    say(
        f"log perplexity {result.log_perplexity:.4f}, standard error {result.standard_error:.4f} "
        f"(perplexity {plain:,.2f})\n"
        f"{result.tokens:,} tokens scored, window {result.window:,}, stride {result.stride:,}"
    )
