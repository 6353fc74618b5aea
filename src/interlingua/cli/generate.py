"""The command `generate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from interlingua.cli.console import out, say
from interlingua.cli.loading import load_intervention, load_model
from interlingua.cli.options import (
    DEFAULT_MODEL,
    DeviceOption,
    DtypeOption,
    InterventionOption,
    ModelOption,
    TrustOption,
)


def generate(
    model: ModelOption = DEFAULT_MODEL,
    intervention: InterventionOption = None,
    n: Annotated[int | None, typer.Option("-n", help="How many texts: default 8, or 1 of each prompt.")] = None,
    prompt: Annotated[list[str] | None, typer.Option(help="Go on from this; may be repeated.")] = None,
    max_new_tokens: Annotated[int, typer.Option(help="How long a text may be.")] = 64,
    seed: Annotated[int, typer.Option(help="Of the random numbers.")] = 0,
    file: Annotated[Path | None, typer.Option("--out", help="A .jsonl file for the texts and their languages.")] = None,
    identifier: Annotated[str, typer.Option(help="langid (the paper's) or lingua.")] = "langid",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Sample texts from the start token alone, or from prompts; print them, or write them with their languages."""
    import pandas as pd

    from interlingua.interventions import edited
    from interlingua.measures import generate as sample
    from interlingua.measures import identify, write_texts
    from interlingua.measures.generation import require_jsonl
    from interlingua.report.terminal import languages_summary

    if file is not None:
        require_jsonl(file)
        identify([], identifier)
    edit = load_intervention(intervention)
    loaded = load_model(model, device, dtype, trust_remote_code)
    with edited(loaded, edit):
        written = sample(loaded, n, prompts=prompt, seed=seed, max_new_tokens=max_new_tokens)
    texts = pd.DataFrame({"seed": seed, "index": range(len(written)), "text": written})
    if prompt:
        texts.insert(2, "prompt", [given for given in prompt for _ in range(n or 1)])
    if file is None:
        for row in texts.to_dict("records"):
            out.print(Text(f"--- {row['index'] + 1} {row.get('prompt', '')}".rstrip()), style="dim")
            say(row["text"])
        return
    identified = identify(list(texts.text), identifier)
    write_texts(file, texts.join(identified.table()))
    out.print(languages_summary(identified))
    say(f"\n{len(texts):,} texts: {file}")
