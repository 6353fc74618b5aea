"""The model of a study: loaded, or known from an earlier run without loading it."""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from interlingua.code_version import results_version
from interlingua.errors import InputError
from interlingua.files import sha256_of_json, write_json
from interlingua.models.packaged import PACKAGED_MODELS, checkpoint_folder
from interlingua.study.config import StudyConfig

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

logger = logging.getLogger(__name__)

KNOWN = "model.json"
LOADED_BY = ("model", "revision", "device", "dtype", "mlp_endings", "inner")
"""The part of a config that decides which model is loaded, and how."""


@dataclass(frozen=True)
class KnownModel:
    """What a plan needs of a model: its identity (`LanguageModel.identity`), and how many neurons it has."""

    identity: Mapping[str, str | None]
    neurons: int

    @classmethod
    def of(cls, model: LanguageModel) -> KnownModel:
        """Return what a loaded model is."""
        return cls(model.identity(), len(model.neurons))


def load_study_model(config: StudyConfig, device: str) -> LanguageModel:
    """Load the model of a study on a device."""
    from interlingua.models import load_model  # here, since it imports torch

    logger.info("Loading %s", config.model)
    model = load_model(
        config.model,
        device=device,
        dtype=config.dtype,
        revision=config.revision,
        trust_remote_code=config.trust_remote_code,
        mlp_endings=config.mlp_endings,
        inner=config.inner,
    )
    logger.info("%s: %s MLP neurons, %s on %s", config.model, f"{len(model.neurons):,}", model.dtype, model.device)
    return model


def require_neurons(config: StudyConfig, known: KnownModel) -> None:
    """Raise where a model has fewer neurons than a study's largest k.

    Raises:
        InputError: It has fewer.
    """
    largest = max([*config.k, *config.sweep.k])
    if largest > known.neurons:
        raise InputError(f"k = {largest:,} is more than the {known.neurons:,} neurons of {config.model}")


@dataclass(frozen=True)
class Checkpoint:
    """What can be told of a model without loading it: equal marks, equal models.

    Attributes:
        mark: A hash of the path, size and times of every file of the checkpoint, of what the config says of the model,
            of the versions that load it, and of the machine, which decides what `auto` means; None where that does not
            suffice, since the checkpoint is not on this machine or brings code of its own.
    """

    mark: str | None

    @classmethod
    def of(cls, config: StudyConfig, computed_on: str | None) -> Checkpoint:
        """Look at the checkpoint of a study.

        Args:
            config: The study.
            computed_on: The cluster whose machines load the model; None for this machine.
        """
        folder = _folder(config)
        if folder is None or config.trust_remote_code:
            return cls(None)
        return cls(
            sha256_of_json(
                {
                    "files": _files(folder),
                    "config": {name: getattr(config, name) for name in LOADED_BY},
                    "versions": [results_version(), version("torch"), version("transformers")],
                    "machine": [socket.gethostname(), os.environ.get("CUDA_VISIBLE_DEVICES"), computed_on],
                }
            )
        )

    def recall(self, run_folder: Path) -> KnownModel | None:
        """Return the model that a run folder remembers, if it was loaded from this very checkpoint."""
        try:
            kept = json.loads((run_folder / KNOWN).read_text(encoding="utf-8"))
            if self.mark is None or kept["mark"] != self.mark:
                return None
            return KnownModel(kept["identity"], kept["neurons"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, run_folder: Path, known: KnownModel) -> None:
        """Let a run folder remember which model this checkpoint is."""
        write_json(run_folder / KNOWN, {"mark": self.mark, **asdict(known)})


def _folder(config: StudyConfig) -> Path | None:
    """Return where the checkpoint is on this machine; of a model of the Hub, the commit that the cache holds."""
    if config.model in PACKAGED_MODELS:
        folder = checkpoint_folder(config.model)
    elif Path(config.model).is_dir():
        folder = Path(config.model)
    else:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            cached = try_to_load_from_cache(config.model, "config.json", revision=config.revision or "main")
        except HFValidationError:  # not the name of a model; loading it says so
            return None
        folder = Path(cached).parent if isinstance(cached, str) else None
    return folder if folder is not None and folder.is_dir() else None


def _files(folder: Path) -> list[tuple[str, int, int, int]]:
    """Return path, size and times of every file: of modification, and of change, which no copying tool sets back."""
    states = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    return [
        (path.relative_to(folder).as_posix(), state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        for path, state in states
    ]
