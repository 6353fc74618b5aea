"""The command `bake`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import say
from interlingua.cli.loading import load_model
from interlingua.cli.options import DEFAULT_MODEL, DeviceOption, DtypeOption, ModelOption, TrustOption


def bake(
    intervention: Annotated[Path, typer.Option(help="What `interlingua intervene` wrote.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder for the checkpoint.")],
    model: ModelOption = DEFAULT_MODEL,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    trust_remote_code: TrustOption = False,
) -> None:
    """Write an intervention into a model's weights, as a checkpoint that transformers loads."""
    from interlingua.interventions import Intervention
    from interlingua.interventions import bake as bake_into

    edit = Intervention.from_pretrained(intervention)
    loaded = load_model(model, device, dtype, trust_remote_code)
    bake_into(loaded, edit).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    needs_code = " (load it with trust_remote_code=True: it has biases that its family lacks)"
    say(f"Checkpoint: {folder}{needs_code if 'auto_map' in config else ''}")
