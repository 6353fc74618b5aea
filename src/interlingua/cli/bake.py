"""The command `bake`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interlingua.cli.console import say
from interlingua.cli.loading import Loading, loads_model
from interlingua.errors import InputError


@loads_model
def bake(
    loading: Loading,
    intervention: Annotated[Path, typer.Option(help="What `interlingua intervene` wrote.")],
    folder: Annotated[Path | None, typer.Option("--out", help="Folder for a checkpoint.")] = None,
    gguf: Annotated[Path | None, typer.Option(metavar="FILE", help="GGUF file for llama.cpp.")] = None,
) -> None:
    """Write an intervention into a model's weights: a checkpoint that transformers loads, a GGUF file, or both."""
    from interlingua.files import require_file, require_folder
    from interlingua.interventions import Intervention
    from interlingua.interventions import bake as bake_into
    from interlingua.models.gguf_export import require_gguf_export, save_gguf

    if folder is None and gguf is None:
        raise InputError("say what to write: --out FOLDER for a checkpoint, --gguf FILE for llama.cpp, or both")
    if folder is not None:
        require_folder(folder)
    if gguf is not None:
        require_file(gguf)
    edit = Intervention.from_pretrained(intervention)
    loaded = loading.load()
    if gguf is not None:
        require_gguf_export(loaded)
    baked = bake_into(loaded, edit)
    if folder is not None:
        baked.save_pretrained(folder)
        say(f"Checkpoint: {folder}{_remark(folder, loaded.hf.config.model_type)}")
    if gguf is not None:
        save_gguf(baked, gguf)
        say(f"GGUF: {gguf}")


def _remark(folder: Path, model_type: str) -> str:
    """Return what one has to know of a checkpoint whose biases its family lacks."""
    from interlingua.valid import read_json

    config = read_json(folder / "config.json")
    if "auto_map" in config:
        return " (load it with --trust-remote-code, or trust_remote_code=True: it has biases that its family lacks)"
    if config["model_type"] == "llama" != model_type:
        return " (a Llama that computes the same: it has biases that its family lacks)"
    return ""
