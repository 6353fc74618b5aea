"""The command `embed`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from interlingua.cli.console import say
from interlingua.cli.loading import Loading, load_intervention, loads_model
from interlingua.cli.options import InterventionOption
from interlingua.errors import InputError


@loads_model
def embed(
    loading: Loading,
    sentences: Annotated[Path, typer.Argument(help="A text file, one sentence a line; - is standard input.")],
    file: Annotated[Path, typer.Option("--out", help="A .npy file: float32, sentences x dimensions.")],
    intervention: InterventionOption = None,
    layer: Annotated[int, typer.Option(help="Which hidden state; -1 is the last.")] = -1,
    pooling: Annotated[str, typer.Option(help="mean, max or last over a sentence's tokens.")] = "mean",
) -> None:
    """Embed the sentences of a file."""
    import numpy as np

    from interlingua.corpora.lines import read_lines
    from interlingua.files import require_file, require_suffix, written_whole
    from interlingua.interventions import edited
    from interlingua.measures import embed as embed_sentences
    from interlingua.models.pooling import Pooling

    require_file(file)
    require_suffix(file, ".npy", "embeddings are written as an array of NumPy")
    lines, edit = read_lines(sentences), load_intervention(intervention)
    if not all(lines):
        raise InputError(f"line {lines.index('') + 1} of '{sentences}' is empty; remove it")
    loaded = loading.load()
    with edited(loaded, edit):
        embedded = embed_sentences(loaded, lines, layer=layer, pooling=cast(Pooling, pooling))
    with written_whole(file) as temporary:
        np.save(temporary, embedded)
    say(f"{embedded.shape[0]:,} embeddings of {embedded.shape[1]:,} dimensions: {file}")
