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

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from interlingua.errors import ArtifactError
from interlingua.experts import Experts
from interlingua.files import sha256_of_json, write_json, written_whole
from interlingua.study.config import StudyConfig, load_config

TABLES = ("experts", "overlap", "retrieval", "geometry")


@dataclass(frozen=True)
class Run:
    """A study's folder.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @property
    def config(self) -> StudyConfig:
        """What was asked for."""
        return load_config(self.folder / "study.yaml")

    @property
    def manifest(self) -> dict[str, Any]:
        """What made the results."""
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """The tidy tables, by name: `experts`, `overlap`, `retrieval`, `geometry`."""
        return {name: pd.read_parquet(self.folder / "results" / f"{name}.parquet") for name in TABLES}

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

    def forget(self) -> None:
        """Remove the costly parts, so that they are computed anew."""
        for part in ("experts", "embeddings"):
            shutil.rmtree(self.folder / part, ignore_errors=True)

    def experts(self, identity: Mapping[str, Any], compute: Callable[[], Experts]) -> Experts:
        """Return the experts that `identity` decides: from disk where they are, else computed and kept."""
        folder = self.folder / "experts" / _key(identity)
        try:
            return Experts.load(folder)
        except ArtifactError:
            experts = compute()
            experts.save(folder)
            return experts

    def embeddings(
        self, identity: Mapping[str, Any], compute: Callable[[], dict[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Return the embeddings by language that `identity` decides: from disk, or computed and kept."""
        path = self.folder / "embeddings" / f"{_key(identity)}.safetensors"
        try:
            return load_file(path)
        except (FileNotFoundError, SafetensorError):
            spaces = compute()
            with written_whole(path) as temporary:
                save_file(spaces, temporary)
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


def _key(identity: Mapping[str, Any]) -> str:
    return sha256_of_json(identity)[:16]
