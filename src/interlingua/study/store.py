"""A run folder: what a study computed, on disk, whole or not at all.

    study.yaml        the resolved config
    manifest.json     what made the run: versions, model, corpus, seconds
    experts/          AUROC and means of all neurons
    embeddings/       one safetensors file for each condition
    results/          tidy tables, Parquet
    figures/, report.html

Expensive parts are named by a key, the hash of everything that decides them, so that a changed study recomputes only
what depends on the change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from interlingua.errors import ArtifactError, InputError
from interlingua.experts import Experts, remove_recording
from interlingua.files import sha256_of_json, write_json, written_whole
from interlingua.study.config import StudyConfig, load_config

TABLES = ("experts", "overlap", "retrieval", "geometry")


@dataclass(frozen=True)
class Run:
    """A study's folder.

    Attributes:
        folder: Where it is.
        fresh: Whether costly parts that are there already are computed anew.
    """

    folder: Path
    fresh: bool = False

    @property
    def config(self) -> StudyConfig:
        """What was asked for."""
        return load_config(self.folder / "study.yaml")

    @property
    def manifest(self) -> dict[str, Any]:
        """What made the results."""
        try:
            return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"the manifest of '{self.folder}' cannot be read: {error}; run the study again"
            ) from None

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tidy tables, by name: `experts`, `overlap`, `retrieval`, `geometry`."""
        try:
            return {name: pd.read_parquet(self.folder / "results" / f"{name}.parquet") for name in TABLES}
        except (OSError, ValueError) as error:
            raise ArtifactError(f"a table of '{self.folder}' cannot be read: {error}; run the study again") from None

    def write_config(self, config: StudyConfig) -> None:
        """Write the resolved config."""
        with written_whole(self.folder / "study.yaml") as temporary:
            temporary.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False), encoding="utf-8")

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write what made the run; its presence says that the run is complete."""
        write_json(self.folder / "manifest.json", manifest)

    def write_tables(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Write the tidy tables."""
        for name, table in tables.items():
            with written_whole(self.folder / "results" / f"{name}.parquet") as temporary:
                table.to_parquet(temporary, index=False)

    def begin(self) -> None:
        """Mark the run as unfinished; what was computed stays.

        Raises:
            InputError: The folder cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "manifest.json").unlink(missing_ok=True)
            (self.folder / "results").mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write to the run folder '{self.folder}': {error.strerror}") from None

    def experts(self, identity: Mapping[str, Any], compute: Callable[[Path], Experts]) -> Experts:
        """Return the experts that `identity` decides: from disk where they are, else computed and kept.

        Args:
            identity: Everything that decides them.
            compute: Called with a folder for the recording, which is removed when the experts are safe.
        """
        folder = self.folder / "experts" / _key(identity)
        recording = folder.with_name(f"{folder.name}.recording")
        if self.fresh:
            remove_recording(recording)
        else:
            with suppress(ArtifactError):
                return Experts.load(folder)
        experts = compute(recording)
        experts.save(folder)
        remove_recording(recording)
        return experts

    def embeddings(
        self, identity: Mapping[str, Any], compute: Callable[[], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Return the embeddings by language that `identity` decides: from disk, or computed and kept."""
        path = self.folder / "embeddings" / f"{_key(identity)}.safetensors"
        if not self.fresh:
            with suppress(ArtifactError):
                return _load_spaces(path)
        spaces = compute()
        with written_whole(path) as temporary:
            save_file(spaces, temporary, metadata={"identity": json.dumps(identity), "sha256": _digest(spaces)})
        return spaces


def open_run(folder: str | Path) -> Run:
    """Open the folder of a finished study.

    Raises:
        ArtifactError: It holds no finished study.
    """
    run = Run(Path(folder))
    missing = [name for name in ("study.yaml", "manifest.json") if not (run.folder / name).is_file()]
    if missing:
        raise ArtifactError(f"'{folder}' holds no finished study: it has no {' and no '.join(missing)}")
    return run


def _load_spaces(path: Path) -> dict[str, np.ndarray]:
    try:
        with safe_open(path, framework="numpy") as file:
            spaces = {code: file.get_tensor(code) for code in file.keys()}  # noqa: SIM118
            digest = (file.metadata() or {}).get("sha256")
    except (FileNotFoundError, SafetensorError) as error:
        raise ArtifactError(f"'{path}' is missing or damaged: {error}") from error
    if digest != _digest(spaces):
        raise ArtifactError(f"'{path}' is damaged: its checksum is not the one it was written with")
    return spaces


def _digest(spaces: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for code in sorted(spaces):
        digest.update(code.encode() + spaces[code].tobytes())
    return digest.hexdigest()


def _key(identity: Mapping[str, Any]) -> str:
    return sha256_of_json(identity)[:16]
