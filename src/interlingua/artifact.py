"""Arrays and what made them, in a folder: `<name>.safetensors`, and `manifest.json` with its checksum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import huggingface_hub
import numpy as np
from huggingface_hub import ModelHubMixin
from huggingface_hub.errors import HfHubHTTPError
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from interlingua.errors import ArtifactError
from interlingua.files import folder_written_whole, sha256_of_file, write_json
from interlingua.valid import first_error, read_json

MANIFEST = "manifest.json"


class Checksummed(BaseModel):
    """What every manifest has."""

    sha256: str


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


def load_artifact(folder: Path, name: str, fields: type[BaseModel]) -> Artifact:
    """Read what `save_artifact` wrote.

    Args:
        folder: Where it is.
        name: What it is.
        fields: What its description must have.

    Raises:
        ArtifactError: The folder is missing, holds something else, or is damaged.
    """
    arrays, manifest = folder / f"{name}.safetensors", folder / MANIFEST
    if not arrays.is_file() or not manifest.is_file():
        raise ArtifactError(f"'{folder}' holds no {name}: it needs {arrays.name} and {MANIFEST}")
    try:
        description = read_json(manifest)
        checksum = Checksummed.model_validate(description).sha256
        fields.model_validate(description)
        intact = sha256_of_file(arrays) == checksum
        content = load_file(arrays) if intact else {}
    except ValidationError as error:
        raise damaged(folder, first_error(error)) from None
    except (OSError, ValueError, SafetensorError) as error:
        raise damaged(folder, error) from error
    if not intact:
        raise ArtifactError(f"'{arrays}' is damaged: its checksum is not the one in {MANIFEST}; make it again")
    return Artifact(content, description)


def damaged(folder: Path, reason: object) -> ArtifactError:
    """Return the error of an artefact that cannot be what it says that it is."""
    return ArtifactError(f"'{folder}' is damaged: {reason}; make it again")


class HubArtifact(ModelHubMixin, library_name="interlingua"):
    """An artefact with the methods of the Hugging Face ecosystem: to a folder, to the Hub and back.

    A subclass says how it is written to and read from a folder, by `_save_pretrained` and `_read`. `push_to_hub` is
    that of `huggingface_hub.ModelHubMixin`.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make the object alone: the mixin would set attributes on it, and artefacts are frozen."""
        return object.__new__(cls)

    def save_pretrained(  # ty: ignore[incompatible-method-override]
        self, save_directory: str | Path, *, config: None = None, model_card_kwargs: None = None
    ) -> None:
        """Write safetensors, a manifest and a card to a folder, whole or not at all.

        Args:
            save_directory: The folder; an older artefact there is replaced.
            config: Not used; the manifest takes its place.
            model_card_kwargs: Not used; the card is written from the artefact.

        Raises:
            InputError: The folder is a file, or holds other files.
        """
        self._save_pretrained(Path(save_directory))

    @classmethod
    def from_pretrained(  # ty: ignore[incompatible-method-override]
        cls, source: str | Path, *, revision: str | None = None, token: str | bool | None = None
    ) -> Self:
        """Read what `save_pretrained` or `push_to_hub` wrote.

        Args:
            source: A folder, or the id `owner/name` of a repository on the Hub.
            revision: The commit, tag or branch on the Hub.
            token: For a private repository; by default the one of `hf auth login`.

        Raises:
            ArtifactError: It cannot be had, holds something else, or is damaged.
        """
        return cls._read(artifact_folder(source, revision, token))

    @classmethod
    def _read(cls, folder: Path) -> Self:
        raise NotImplementedError


def artifact_folder(source: str | Path, revision: str | None = None, token: str | bool | None = None) -> Path:
    """Return the folder of an artefact, downloaded first where `source` is the id of a repository on the Hub.

    Raises:
        ArtifactError: The repository cannot be had.
    """
    if isinstance(source, Path) or Path(source).exists() or source.count("/") != 1:
        return Path(source)
    try:
        folder = huggingface_hub.snapshot_download(source, revision=revision, token=token, library_name="interlingua")
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise ArtifactError(
            f"cannot get '{source}' from the Hub: {' '.join(str(error).split())[:300]}; or name a local folder"
        ) from error
    return Path(folder)
