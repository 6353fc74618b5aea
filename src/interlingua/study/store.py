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

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from interlingua.errors import ArtifactError
from interlingua.files import write_json, written_whole
from interlingua.study.config import StudyConfig, load_config


class Tables(Mapping[str, pd.DataFrame]):
    """The tidy tables of a run by name, each read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        path = self._folder / f"{name}.parquet"
        if name not in self._read:
            if not path.is_file():
                raise KeyError(name)
            try:
                self._read[name] = pd.read_parquet(path)
            except (OSError, ValueError) as error:
                raise ArtifactError(f"'{path}' cannot be read: {error}; run the study again") from None
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return (self._folder / f"{name}.parquet").is_file()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self._folder.glob("[!.]*.parquet")))

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
        object.__setattr__(self, "tables", Tables(self.folder / "results"))

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

    def is_of(self, config: StudyConfig) -> bool:
        """Tell whether this study came to its end here."""
        return (self.folder / "manifest.json").is_file() and self.config == config

    def begin(self, config: StudyConfig) -> None:
        """Write the resolved config, and mark the run as unfinished; what was computed stays."""
        (self.folder / "manifest.json").unlink(missing_ok=True)
        with written_whole(self.folder / "study.yaml") as temporary:
            temporary.write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False), encoding="utf-8")

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write what made the run; its presence says that the run came to its end."""
        write_json(self.folder / "manifest.json", manifest)

    def write_tables(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """Write the tidy tables, and remove those of an earlier study in this folder."""
        results = self.folder / "results"
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
