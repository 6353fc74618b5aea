"""Whose model something is made of, how it was rounded, and under which terms it may be passed on."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlingua.models.gguf_checkpoint import gguf_file
from interlingua.models.packaged import PACKAGED_MODELS
from interlingua.valid import read_json

LICENCE_FILES = ("LICENSE*", "LICENCE*", "NOTICE*", "USE_POLICY*", "USAGE*")
"""The files of a checkpoint that go on with it."""

_GEMMA_TYPES = ("gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text")
_GEMMA_NOTICE = (
    "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms"  # section 3.1
)
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True)
class Terms:
    """Of a base model.

    Attributes:
        base: The id of the base model on the Hub, as far as it is known; else what the user calls it.
        on_hub: Whether `base` is such an id.
        licence: What the Hub calls its licence, as far as it is known: `gemma`, `apache-2.0`.
        notice: A sentence that must go with every copy.
        text: What a reader of a card has to know, a paragraph.
        rounded: What the base model's weights were rounded to before anything was made of them; None if they were not.
        files: Files of the base model that go with a copy of its weights.
    """

    base: str
    on_hub: bool
    licence: str | None
    notice: str | None
    text: str
    rounded: str | None = None
    files: tuple[Path, ...] = ()


def terms_of(name: str, model_type: str | None = None) -> Terms:
    """Return what is known, on this machine, of the terms of a model.

    Args:
        name: What the model was loaded as.
        model_type: The name of its architecture in its config; by default that of a local folder's config.
    """
    folder = Path(name)
    local = name not in PACKAGED_MODELS and folder.exists()
    gguf = gguf_file(name) if local else None
    card = {} if not local else _card_of(folder) if gguf is None else _metadata_of(gguf)
    if model_type is None and (folder / "config.json").is_file():
        model_type = read_json(folder / "config.json").get("model_type")
    model_type = (model_type or "").removeprefix("interlingua_")
    packaged = PACKAGED_MODELS.get(name)
    base = card.get("base_model") or (packaged.hub_id if packaged else None)
    on_hub = base is not None or (not local and _HUB_ID.fullmatch(name) is not None)
    base = base or (name if on_hub else folder.name)
    licence = card.get("license") or (packaged.licence_id if packaged else None)
    licence = licence or ("gemma" if model_type in _GEMMA_TYPES else None)
    notice = _GEMMA_NOTICE if licence == "gemma" else None
    files = licence_files(folder) if folder.is_dir() and local else ()
    rounded = packaged.quantisation if packaged else "the types of a GGUF file" if gguf is not None else None
    return Terms(base, on_hub, licence, notice, _text(base, licence, notice), rounded, files)


def licence_files(checkpoint: Path) -> tuple[Path, ...]:
    """Return the files of a checkpoint's folder that go on with every copy of it."""
    return tuple(sorted(file for pattern in LICENCE_FILES for file in checkpoint.glob(pattern)))


def _metadata_of(gguf: Path) -> dict[str, Any]:
    """Return what a GGUF file says of its licence and of the repository that it was made from."""
    if importlib.util.find_spec("gguf") is None:
        return {}
    from gguf import GGUFReader

    fields = GGUFReader(gguf).fields
    said = {"license": "general.license", "base_model": "general.source.huggingface.repository"}
    return {name: fields[field].contents() for name, field in said.items() if field in fields}


def _card_of(folder: Path) -> dict[str, Any]:
    """Return the metadata of a folder's own card; a base model's card names no base model."""
    from huggingface_hub import ModelCard

    try:
        data = ModelCard.load(folder / "README.md").data.to_dict()
    except (OSError, ValueError, TypeError):
        return {}
    base = data.get("base_model")
    return {**data, "base_model": base[0] if isinstance(base, list) and base else base}


def _text(base: str, licence: str | None, notice: str | None) -> str:
    if notice is not None:
        return (
            f"{notice}. It is a modification of {base}, or was made with it. Whoever gets it from you must get those "
            "terms with it, and is bound by the restrictions of use in them."
        )
    if licence is not None:
        return f"{base} is under the licence `{licence}`, whose terms hold for this too: pass them on with it."
    return f"The licence of {base} is not recorded here. Its terms hold for this too: look them up, and pass them on."
