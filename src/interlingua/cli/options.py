"""Options that several commands share; those of loading a model are in `loading`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

InterventionOption = Annotated[Path | None, typer.Option(help="Steer with what `interlingua intervene` wrote.")]
NeuronsOption = Annotated[
    str, typer.Option(help="outputs of an MLP's linear layers, inner (not of the last), or hidden units.")
]
MaxBlocksOption = Annotated[int, typer.Option(min=1, help="How many layers and poolings may be joined.")]
DimensionsOption = Annotated[int | None, typer.Option(min=1, help="Reduce the vectors of several to these.")]
FoldsOption = Annotated[int, typer.Option(help="Of the cross-validation inside the probe.")]
SeenOption = Annotated[list[str] | None, typer.Option(help="Languages of pre-training, if the model is unknown.")]
FinderOption = Annotated[str, typer.Option(help="How neurons are ranked; see `interlingua list finders`.")]


def given(options: dict[str, list[Any] | None]) -> dict[str, Any]:
    """Return the options that were given, as tuples."""
    return {name: tuple(value) for name, value in options.items() if value}
