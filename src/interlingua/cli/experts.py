"""The command `experts`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from interlingua.cli.console import out, say
from interlingua.cli.loading import Loading, loads_model
from interlingua.cli.options import FinderOption, NeuronsOption
from interlingua.errors import InputError


@loads_model
def experts(
    loading: Loading,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the experts.")],
    corpus: Annotated[str, typer.Option(help="Registered corpus, or folder; its split dev is the probe.")] = "starter",
    language: Annotated[list[str] | None, typer.Option(help="Probe these languages only; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(help="First N sentences of each language.")] = None,
    pooling: Annotated[
        list[str] | None,
        typer.Option(help="mean (default), max or last over a sentence's tokens; several make a folder each."),
    ] = None,
    hold: Annotated[str, typer.Option(help="Where responses are held: auto, device, memory, disk.")] = "auto",
    response_type: Annotated[
        str, typer.Option(help="What responses are kept in: float32, float16, bfloat16.")
    ] = "float32",
    neurons: NeuronsOption = "outputs",
    finder: FinderOption = "auroc",
    k: Annotated[int, typer.Option("-k", min=1, help="How many experts the table describes.")] = 2000,
) -> None:
    """Score every neuron as a classifier of each language, and keep the scores.

    A run that was stopped goes on where it was when it is started again.
    """
    from interlingua.corpora import open_corpus
    from interlingua.experts import find_experts_by_pooling, remove_recording
    from interlingua.experts.finders import FINDERS, NEEDS_ACTIVITY
    from interlingua.experts.holding import Hold, ResponseType
    from interlingua.files import require_folder
    from interlingua.models.pooling import Pooling
    from interlingua.report.terminal import experts_summary

    require_folder(folder)
    probe = open_corpus(corpus).parallel("dev", languages=language, limit=limit)
    if finder not in FINDERS:
        raise InputError(f"unknown finder '{finder}'; use {', '.join(FINDERS)}")
    loaded = loading.load(neurons)
    poolings = cast(list[Pooling], list(dict.fromkeys(pooling or ["mean"])))
    recording = folder.with_name(f"{folder.name}.recording")
    found = find_experts_by_pooling(
        loaded,
        probe,
        poolings,
        hold=cast(Hold, hold),
        dtype=cast(ResponseType, response_type),
        folder=recording,
        activity=finder in NEEDS_ACTIVITY or neurons == "hidden",
    )
    for name, by_auroc in found.items():
        result = by_auroc.rank_by(finder)
        place = folder if len(found) == 1 else folder / name
        result.save_pretrained(place)
        out.print(experts_summary(result, min(k, len(result.neurons))))
        say(f"\nExperts{'' if len(found) == 1 else f', {name}'}: {place}")
    remove_recording(recording)
