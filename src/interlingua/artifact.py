"""Arrays and what made them, in a folder: `<name>.safetensors`, and `manifest.json` with its checksum."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from interlingua.errors import ArtifactError
from interlingua.files import folder_written_whole, sha256_of_file, write_json

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Artifact:
    """What a folder holds: arrays by name, and a JSON description of them."""

    arrays: Mapping[str, np.ndarray]
    description: Mapping[str, Any]


def save_artifact(folder: Path, name: str, artifact: Artifact, card: str) -> None:
    """Write an artefact whole: `<name>.safetensors`, `manifest.json`, and `README.md` for people.

    Args:
        folder: Where; a folder of that name is replaced.
        name: What it is, for example `experts`; `load_artifact` asks for the same.
        artifact: Arrays and description.
        card: The text of the README.
    """
    with folder_written_whole(folder) as temporary:
        arrays = temporary / f"{name}.safetensors"
        save_file({key: np.ascontiguousarray(array) for key, array in artifact.arrays.items()}, arrays)
        write_json(
            temporary / MANIFEST,
            {
                "artifact": name,
                "interlingua": version("interlingua"),
                "sha256": sha256_of_file(arrays),
                **artifact.description,
            },
        )
        (temporary / "README.md").write_text(card, encoding="utf-8")


def load_artifact(folder: Path, name: str) -> Artifact:
    """Read what `save_artifact` wrote.

    Raises:
        ArtifactError: The folder is missing, holds something else, or is damaged.
    """
    arrays, manifest = folder / f"{name}.safetensors", folder / MANIFEST
    if not arrays.is_file() or not manifest.is_file():
        raise ArtifactError(f"'{folder}' holds no {name}: it needs {arrays.name} and {MANIFEST}")
    try:
        description = json.loads(manifest.read_text(encoding="utf-8"))
        intact = sha256_of_file(arrays) == description["sha256"]
        content = load_file(arrays) if intact else {}
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError, SafetensorError) as error:
        raise ArtifactError(f"'{folder}' is damaged: {error}; make it again") from error
    if not intact:
        raise ArtifactError(f"'{arrays}' is damaged: its checksum is not the one in {MANIFEST}; make it again")
    return Artifact(content, description)


def push_artifact(folder: Path, repo_id: str, *, private: bool = False, revision: str | None = None) -> str:
    """Upload an artefact's folder to a model repository on the Hugging Face Hub, which is made if there is none.

    Args:
        folder: What `save_artifact` wrote.
        repo_id: `owner/name`.
        private: Whether a new repository is private.
        revision: The branch; by default the main one.

    Returns:
        The address of the commit.
    """
    from huggingface_hub import HfApi

    api = HfApi(library_name="interlingua", library_version=version("interlingua"))
    api.create_repo(repo_id, private=private, exist_ok=True)
    message = f"Upload {folder.name} with interlingua"
    return api.upload_folder(repo_id=repo_id, folder_path=folder, revision=revision, commit_message=message).commit_url


def pull_artifact(repo_id: str, revision: str | None = None) -> Path:
    """Download an artefact from the Hugging Face Hub, or find it in the cache.

    Returns:
        Its folder, for `load_artifact`.

    Raises:
        ArtifactError: It cannot be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(snapshot_download(repo_id, revision=revision, library_name="interlingua"))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise ArtifactError(
            f"cannot get '{repo_id}' from the Hub: {' '.join(str(error).split())[:300]}; or give load() a local folder"
        ) from error
