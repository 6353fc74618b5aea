"""An aligner behind mteb's encoder protocol, so that mteb's tasks run on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from interlingua.alignment.aligner import Aligner
from interlingua.alignment.linear import unit_length
from interlingua.errors import InputError, MissingExtraError
from interlingua.files import sha256_of_json


class MtebEncoder:
    """What `mteb.evaluate` takes: it encodes without the sentences' language, and compares by cosine.

    Attributes:
        aligner: What encodes.
        mteb_model_meta: What mteb calls the results by.

    Raises:
        InputError: The aligner needs each sentence's language, which mteb does not give.
        MissingExtraError: mteb is not installed.

    Example:
        >>> import mteb  # doctest: +SKIP
        >>> mteb.evaluate(MtebEncoder(aligner), mteb.get_tasks(["Tatoeba"]))  # doctest: +SKIP
    """

    def __init__(self, aligner: Aligner, name: str | None = None) -> None:
        """Wrap an aligner, and name it `owner/name` for mteb's results."""
        try:
            from mteb.models import ModelMeta
        except ImportError:
            raise MissingExtraError("mteb's protocol", "mteb") from None
        if aligner.alignment.needs_language:
            raise InputError("this aligner needs each sentence's language, which mteb does not give")
        self.aligner = aligner
        name = name or f"interlingua/{aligner.model.name.rsplit('/', 1)[-1]}-aligned"
        self.mteb_model_meta = ModelMeta.create_empty(
            {"name": name, "revision": sha256_of_json(dict(aligner.made_from))[:16]}
        )

    def encode(self, inputs: Any, **kwargs: Any) -> np.ndarray:
        """Encode the texts of mteb's batches: float32 [texts, dimensions]; some of its sets have empty ones."""
        texts = [text for batch in inputs for text in batch["text"]]
        full = [i for i, text in enumerate(texts) if text.strip()]
        # The mean over no tokens is zero, as sentence-transformers has it.
        empty = self.aligner.alignment.apply(np.zeros((1, self.aligner.alignment.means.shape[1])))
        encoded = np.repeat(unit_length(empty).astype(np.float32), len(texts), axis=0)
        if full:
            encoded[full] = self.aligner.encode([texts[i] for i in full])
        return encoded

    def similarity(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return cosine similarities, [first, second]."""
        return unit_length(np.asarray(first)) @ unit_length(np.asarray(second)).T

    def similarity_pairwise(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the cosine similarity of each row of one with that row of the other."""
        return (unit_length(np.asarray(first)) * unit_length(np.asarray(second))).sum(axis=1)
