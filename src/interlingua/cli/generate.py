"""The command `generate`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.text import Text

from interlingua.cli.console import out, say
from interlingua.cli.loading import Loading, load_intervention, loads_model
from interlingua.cli.options import InterventionOption
from interlingua.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import TextStreamer

    from interlingua.models import LanguageModel

SAMPLING = "Sampling"
MOST_LANGUAGES = 5


@loads_model
def generate(
    loading: Loading,
    intervention: InterventionOption = None,
    n: Annotated[int | None, typer.Option("-n", min=1, help="How many texts: default 8, or 1 of each prompt.")] = None,
    prompt: Annotated[list[str] | None, typer.Option(help="Go on from this; may be repeated.")] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Go on from each line of a text file, or of standard input (-)."),
    ] = None,
    chat: Annotated[bool, typer.Option("--chat", help="Ask a chat model, by its chat template.")] = False,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="How long a text may be.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Of the random numbers.")] = 0,
    file: Annotated[Path | None, typer.Option("--out", help="A .jsonl file for the texts and their languages.")] = None,
    identifier: Annotated[str, typer.Option(help="langid (the paper's) or lingua.")] = "langid",
    do_sample: Annotated[
        bool, typer.Option(help="Sample, or take the likeliest token each time.", rich_help_panel=SAMPLING)
    ] = True,
    temperature: Annotated[float, typer.Option(help="Divides the logits.", rich_help_panel=SAMPLING)] = 1.0,
    top_p: Annotated[
        float, typer.Option(help="From the fewest tokens that hold this probability.", rich_help_panel=SAMPLING)
    ] = 0.9,
    top_k: Annotated[int, typer.Option(help="From so many tokens at most.", rich_help_panel=SAMPLING)] = 50,
    min_p: Annotated[
        float | None,
        typer.Option(help="From tokens with this part of the likeliest's probability.", rich_help_panel=SAMPLING),
    ] = None,
    repetition_penalty: Annotated[
        float, typer.Option(help="Above 1, what is there already becomes less likely.", rich_help_panel=SAMPLING)
    ] = 1.0,
) -> None:
    """Write texts from the start token alone, or from prompts; print them, or keep them with their languages.

    In a terminal, a single text is shown as it is written.
    """
    from interlingua.interventions import edited
    from interlingua.measures import generate as write
    from interlingua.measures import identify
    from interlingua.measures.generation import require_jsonl
    from interlingua.measures.sampling import Sampling

    sampling = Sampling(do_sample, temperature, top_p, top_k, min_p, repetition_penalty)
    asked = [*(prompt or ()), *(_lines_of(prompts) if prompts is not None else ())]
    if chat and not asked:
        raise InputError("a chat begins with what the user says: give a --prompt")
    if n is None:
        n = 1 if asked or not do_sample else 8
    if file is not None:
        require_jsonl(file)
        identify([], identifier)
    edit = load_intervention(intervention)
    loaded = loading.load()
    streams = file is None and n == 1 and len(asked) <= 1 and sys.stdout.isatty()
    if streams:
        _print_heading(0, *asked)
    with edited(loaded, edit):
        texts = write(
            loaded, n, prompts=asked or None, chat=chat, seed=seed, max_new_tokens=max_new_tokens, **asdict(sampling),
            streamer=_streamer(loaded) if streams else None,
        )  # fmt: skip
    starts = [start for start in asked for _ in range(n)]
    if file is not None:
        _keep(file, texts, starts, seed, identifier)
    elif not streams:
        for i, text in enumerate(texts):
            _print_heading(i, *starts[i : i + 1])
            say(text)


def _lines_of(prompts: Path) -> tuple[str, ...]:
    from interlingua.corpora.lines import read_lines

    lines = read_lines(prompts)
    if not all(lines):
        raise InputError(f"line {lines.index('') + 1} of '{prompts}' is empty; remove it")
    return lines


def _streamer(model: LanguageModel) -> TextStreamer:
    from transformers import TextStreamer

    return TextStreamer(cast(Any, model.tokenizer), skip_prompt=True, skip_special_tokens=True)


def _print_heading(i: int, start: str = "") -> None:
    out.print(Text(f"--- {i + 1} {start}".rstrip()), style="dim")


def _keep(file: Path, texts: Sequence[str], starts: Sequence[str], seed: int, identifier: str) -> None:
    """Write texts with their languages, and print how many there are of each."""
    import pandas as pd

    from interlingua.measures import identify, write_texts
    from interlingua.measures.identification import main_languages
    from interlingua.report.terminal import languages_summary

    table = pd.DataFrame({"seed": seed, "index": range(len(texts)), "text": texts})
    if starts:
        table.insert(2, "prompt", starts)
    identified = identify(texts, identifier)
    write_texts(file, table.join(identified.table()))
    out.print(languages_summary(main_languages(identified, MOST_LANGUAGES), identified.identifier))
    say(f"\n{len(texts):,} texts: {file}")
