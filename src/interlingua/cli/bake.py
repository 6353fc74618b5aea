"""The command `bake`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import say
from interlingua.cli.loading import Loading, loads_model


@loads_model
def bake(
    loading: Loading,
    intervention: Annotated[Path, typer.Option(help="What `interlingua intervene` wrote.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder for the checkpoint.")],
) -> None:
    """Write an intervention into a model's weights, as a checkpoint that transformers loads."""
    from interlingua.files import require_folder
    from interlingua.interventions import Intervention
    from interlingua.interventions import bake as bake_into
    from interlingua.valid import read_json

    require_folder(folder)
    edit = Intervention.from_pretrained(intervention)
    loaded = loading.load()
    bake_into(loaded, edit).save_pretrained(folder)
    config = read_json(folder / "config.json")
    needs_code = " (load it with --trust-remote-code, or trust_remote_code=True: it has biases that its family lacks)"
    as_llama = config["model_type"] == "llama" != loaded.hf.config.model_type
    of_llama = " (a Llama that computes the same: it has biases that its family lacks)" if as_llama else ""
    say(f"Checkpoint: {folder}{needs_code if 'auto_map' in config else of_llama}")
