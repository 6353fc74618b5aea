"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

DEFAULT_MODEL = "gemma3-270m"
ModelOption = Annotated[str, typer.Option(help="Packaged model, Hugging Face id, folder, or .gguf file.")]
InterventionOption = Annotated[Path | None, typer.Option(help="Steer with what `interlingua intervene` wrote.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
DtypeOption = Annotated[str, typer.Option(help="auto, float32, bfloat16, float16.")]
NeuronsOption = Annotated[
    str, typer.Option(help="outputs of an MLP's linear layers, inner (not of the last), or hidden units.")
]
FinderOption = Annotated[str, typer.Option(help="How neurons are ranked; see `interlingua list finders`.")]
TrustOption = Annotated[bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")]


def given(options: dict[str, list[Any] | None]) -> dict[str, Any]:
    """Return the options that were given, as tuples."""
    return {name: tuple(value) for name, value in options.items() if value}
