"""The model of a study: loaded, or known from an earlier run without loading it."""

from __future__ import annotations

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
from interlingua.models.neurons import SITES
from interlingua.models.origin import local_origin
from interlingua.study.config import StudyConfig
from interlingua.valid import read_json

if TYPE_CHECKING:
    from interlingua.models import LanguageModel

logger = logging.getLogger(__name__)

KNOWN = "model.json"
LOADED_BY = ("model", "revision", "device", "device_map", "dtype", "quantization", "mlp_endings", "neurons", "compile")
"""The part of a config that decides which model is loaded, and how."""


@dataclass(frozen=True)
class KnownModel:
    """What a plan needs of a model.

    Attributes:
        identity: What tells it from others, and how it is compiled (`embedding_identity`).
        neurons: How many it has.
        layers: How many hidden states it has, the input of the first block among them.
        positions: How many tokens it can read at a time; None where that is not bounded.
    """

    identity: Mapping[str, str | None]
    sites: Mapping[str, int]
    layers: int
    positions: int | None

    @classmethod
    def of(cls, model: LanguageModel) -> KnownModel:
        """Return what a loaded model is."""
        from interlingua.models.compiling import embedding_identity  # here, since it imports torch

        layers = model.hf.config.get_text_config().num_hidden_layers + 1
        return cls(
            embedding_identity(model), {site: len(model.at(site).neurons) for site in SITES}, layers, model.positions
        )


def load_study_model(config: StudyConfig, device: str) -> LanguageModel:
    """Load the model of a study on a device."""
    from interlingua.models import load_model  # here, since it imports torch

    logger.info("Loading %s", config.model)
    model = load_model(
        config.model,
        device=device,
        device_map=config.device_map,
        dtype=config.dtype,
        quantization=config.quantization,
        revision=config.revision,
        trust_remote_code=config.trust_remote_code,
        mlp_endings=config.mlp_endings,
        neurons=config.neurons[0],
        compile=config.compile,
    )
    logger.info("%s: %s MLP neurons, %s on %s", config.model, f"{len(model.neurons):,}", model.dtype, model.device)
    return model


def require_fits(config: StudyConfig, known: KnownModel) -> None:
    """Raise where a study asks for more than its model has: neurons, layers or positions.

    Raises:
        InputError: It does.
    """
    if not -known.layers <= config.layer < known.layers:
        raise InputError(f"{config.model} has no layer {config.layer}; use {-known.layers} to {known.layers - 1}")
    longest = 1 + config.generation.max_new_tokens
    if "generation" in config.measures and known.positions is not None and longest > known.positions:
        raise InputError(f"generation of {longest - 1} tokens needs more than the {known.positions} of {config.model}")
    largest = max([*config.all_k, *config.sweep.k])
    fewest, site = min((known.sites[site], site) for site in config.neurons)
    if largest > fewest:
        where = "" if site == "outputs" else f" at the site {site}"
        raise InputError(f"k = {largest:,} is more than the {fewest:,} neurons of {config.model}{where}")


@dataclass(frozen=True)
class Checkpoint:
    """What is known of a model without loading it: equal marks, equal models.

    Attributes:
        mark: A hash of the path, size and times of every file of the checkpoint, of what the config says of the model,
            of the versions that load it, and of the machine, which decides what `auto` means; None where that does not
            suffice, since the checkpoint is not on this machine or brings code.
    """

    mark: str | None

    @classmethod
    def of(cls, config: StudyConfig, computed_on: str | None) -> Checkpoint:
        """Look at the checkpoint of a study.

        Args:
            config: The study.
            computed_on: The cluster whose machines load the model; None for this machine.
        """
        origin = local_origin(config.model, config.revision)
        if origin is None or config.trust_remote_code:
            return cls(None)
        return cls(
            sha256_of_json(
                {
                    "files": _files(origin),
                    "config": {name: getattr(config, name) for name in LOADED_BY},
                    "versions": [results_version(), version("torch"), version("transformers")],
                    "machine": [socket.gethostname(), os.environ.get("CUDA_VISIBLE_DEVICES"), computed_on],
                }
            )
        )

    def recall(self, run_folder: Path) -> KnownModel | None:
        """Return the model that a run folder remembers, if it was loaded from this very checkpoint."""
        try:
            kept = read_json(run_folder / KNOWN)
            if self.mark is None or kept["mark"] != self.mark:
                return None
            return KnownModel(kept["identity"], dict(kept["sites"]), kept["layers"], kept["positions"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, run_folder: Path, known: KnownModel) -> None:
        """Let a run folder remember which model this checkpoint is."""
        write_json(run_folder / KNOWN, {"mark": self.mark, **asdict(known)})


def _files(origin: Path) -> list[tuple[str, int, int, int]]:
    """Return path, size and times of every file: of modification, and of change, which no copying tool sets back."""
    paths = [origin] if origin.is_file() else sorted(path for path in origin.rglob("*") if path.is_file())
    return [
        (path.relative_to(origin).as_posix(), state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        for path, state in ((path, path.stat()) for path in paths)
    ]
