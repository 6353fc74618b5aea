"""A run folder: what a study computed, on disk.

study.yaml        the resolved config
manifest.json     what made the run: versions, model, corpora, seconds, failed cells
plan.json         the cells of the study
model.json        which model its checkpoint was found to be (`model`)
study.log         what happened when
cells/, embeddings/, experts/    the cells' results (`cell_store`)
results/          tidy tables, Parquet, put together from the cells
figures/, report.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel, ValidationError

from interlingua.errors import ArtifactError, InterlinguaError
from interlingua.files import sha256_of_file, write_json, written_whole
from interlingua.study.config import StudyConfig, load_config
from interlingua.valid import first_error, read_json

MANIFEST, RESULTS = "manifest.json", "results"


class ManifestFields(BaseModel):
    """What a manifest has, at least: runs of 0.1 have no `tables`."""

    interlingua: str
    torch: str
    transformers: str
    numpy: str
    python: str
    model: dict[str, Any]
    probe: dict[str, Any]
    evaluation: dict[str, Any]
    cells: int
    seconds: float
    failed: list[dict[str, str]] = []
    tables: dict[str, str] = {}


class Tables(Mapping[str, pd.DataFrame]):
    """The tidy tables of a run by name, each read when it is first asked for.

    Args:
        run: The run. Where its manifest has checksums, a table that is absent or changed is an error.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = run.folder / RESULTS
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            if name not in self:
                raise KeyError(name)
            path = self._folder / f"{name}.parquet"
            try:
                checksum = self._run.checksums().get(name)
                if checksum is not None and sha256_of_file(path) != checksum:
                    raise ValueError("it is not as the study wrote it")
                self._read[name] = pd.read_parquet(path)
            except (OSError, ValueError) as error:
                raise ArtifactError(f"'{path}' cannot be read: {error}; run the study again") from None
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def __iter__(self) -> Iterator[str]:
        there = {path.stem for path in self._folder.glob("[!.]*.parquet")}
        return iter(sorted(self._run.checksums() or there))

    def __len__(self) -> int:
        return len(list(iter(self)))


@dataclass(frozen=True)
class Run:
    """A study's folder.

    Attributes:
        folder: Where it is.
        tables: The tidy tables by name, for example `retrieval`; each is read once.
    """

    folder: Path
    tables: Mapping[str, pd.DataFrame] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", Tables(self))

    @cached_property
    def config(self) -> StudyConfig:
        """What was asked for."""
        return load_config(self.folder / "study.yaml")

    @property
    def manifest(self) -> dict[str, Any]:
        """What made the results.

        Raises:
            ArtifactError: It is absent or damaged.
        """
        try:
            manifest = read_json(self.folder / MANIFEST)
            ManifestFields.model_validate(manifest)
        except (OSError, ValueError) as error:
            reason = first_error(error) if isinstance(error, ValidationError) else error
            raise ArtifactError(
                f"the manifest of '{self.folder}' cannot be read: {reason}; run the study again"
            ) from None
        return manifest

    def checksums(self) -> Mapping[str, str]:
        """Return the checksum of each table that the finished run has; none of a run that is unfinished, or of 0.1."""
        return self.manifest.get("tables", {}) if (self.folder / MANIFEST).is_file() else {}

    def is_whole(self, config: StudyConfig) -> bool:
        """Tell whether this study came to its end here, and its tables are as it wrote them."""
        try:
            tables = self.manifest.get("tables", {})
            found = {name: sha256_of_file(self.folder / RESULTS / f"{name}.parquet") for name in tables}
            return found == tables and self.config == config
        except (InterlinguaError, OSError):
            return False

    def begin(self, config: StudyConfig) -> None:
        """Write the resolved config, and mark the run as unfinished; what was computed stays."""
        (self.folder / MANIFEST).unlink(missing_ok=True)
        with written_whole(self.folder / "study.yaml") as temporary:
            temporary.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False), encoding="utf-8")

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write what made the run, and the checksums of its tables; its presence says that the run came to its end."""
        tables = {path.stem: sha256_of_file(path) for path in sorted((self.folder / RESULTS).glob("[!.]*.parquet"))}
        write_json(self.folder / MANIFEST, {**manifest, "tables": tables})

    def write_tables(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Write the tidy tables, and remove those of an earlier study in this folder."""
        results = self.folder / RESULTS
        for name, table in tables.items():
            with written_whole(results / f"{name}.parquet") as temporary:
                table.to_parquet(temporary, index=False)
        for earlier in results.glob("*.parquet"):
            if earlier.stem not in tables:
                earlier.unlink()


def open_run(folder: str | Path) -> Run:
    """Open the folder of a study that came to its end.

    Returns:
        The run; its tables are read when they are asked for.

    Raises:
        ArtifactError: It holds none.

    Example:
        After `interlingua study --out runs/mine`:

        >>> open_run("runs/mine").tables["retrieval"].top1.mean()  # doctest: +SKIP
    """
    run = Run(Path(folder))
    missing = [name for name in ("study.yaml", "manifest.json") if not (run.folder / name).is_file()]
    if missing:
        raise ArtifactError(f"'{folder}' holds no finished study: it has no {' and no '.join(missing)}")
    return run
