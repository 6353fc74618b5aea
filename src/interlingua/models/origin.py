"""Where a model's checkpoint is, given the name that a user has for it."""

from __future__ import annotations

from pathlib import Path

from interlingua.errors import ModelError
from interlingua.models.gguf_checkpoint import checkpoint_of_file, gguf_file
from interlingua.models.packaged import PACKAGED_MODELS, packaged_checkpoint, packaged_folder
from interlingua.valid import read_json

ADAPTER = "adapter_config.json"
"""What a folder has in which PEFT has written an adapter."""


def checkpoint_of(name: str | Path) -> str | Path:
    """Return the folder of a model's checkpoint, which is made if the model is a GGUF file; or an id on the Hub.

    Raises:
        ModelError: The name is a path, and there is no model; or its GGUF file cannot be read.
        InputError: It is a packaged model that is not installed.
    """
    if str(name) in PACKAGED_MODELS:
        return packaged_checkpoint(str(name))
    if gguf := gguf_file(name):
        return checkpoint_of_file(gguf)
    path = Path(name)
    if path.is_dir() and not any((path / config).is_file() for config in ("config.json", ADAPTER)):
        raise ModelError(f"cannot load model '{name}': the folder has no config.json, no {ADAPTER} and no .gguf file")
    if path.is_file():
        raise ModelError(f"cannot load model '{name}': it is a file; name its folder, or a .gguf file")
    if _is_path(name) and not path.exists():
        raise ModelError(
            f"cannot load model '{name}': there is no such {'file' if path.suffix == '.gguf' else 'folder'}"
        )
    return name


def tokenizer_of(checkpoint: str | Path) -> str | Path:
    """Return where a checkpoint's tokenizer is: of an adapter that PEFT wrote without one, with its base model."""
    folder = Path(checkpoint)
    if (folder / ADAPTER).is_file() and not (folder / "tokenizer_config.json").is_file():
        return read_json(folder / ADAPTER)["base_model_name_or_path"]
    return checkpoint


def local_origin(name: str, revision: str | None) -> Path | None:
    """Return what a model is loaded from on this machine: a folder, or a GGUF file; None where that is not known.

    Nothing is made or downloaded. Of a model of the Hub it is the commit that the cache holds.

    Raises:
        ModelError: A folder holds several GGUF files.
    """
    if name in PACKAGED_MODELS:
        folder = packaged_folder(name)
    elif gguf := gguf_file(name):
        return gguf
    elif Path(name, "config.json").is_file():
        folder = Path(name)
    elif Path(name).is_dir():
        return None
    else:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            cached = try_to_load_from_cache(name, "config.json", revision=revision or "main")
        except HFValidationError:  # not the name of a model; loading it says so
            return None
        folder = Path(cached).parent if isinstance(cached, str) else None
    return folder if folder is not None and folder.is_dir() else None


def _is_path(name: str | Path) -> bool:
    """Tell whether a name can only be a path: ids on the Hub are `name` or `owner/name`."""
    return isinstance(name, Path) or name.startswith((".", "/", "~")) or name.count("/") > 1 or name.endswith(".gguf")
