"""The cards of an aligner: of the map, and of its folders for other tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlingua.languages import parse_languages
from interlingua.models.card import as_list, card, named, shown_name
from interlingua.models.terms import terms_of

SENTENCE_TRANSFORMERS = """
from sentence_transformers import SentenceTransformer

encoder = SentenceTransformer(".")
print(encoder.encode(["It rains.", "Llueve."]).shape)
"""

ONNX = """
import numpy as np
import onnxruntime
from tokenizers import Tokenizer

session = onnxruntime.InferenceSession("model.onnx")
read = Tokenizer.from_file("tokenizer.json").encode_batch(["It rains.", "Llueve."])
inputs = {
    "input_ids": np.array([sentence.ids for sentence in read]),
    "attention_mask": np.array([sentence.attention_mask for sentence in read]),
}
print(session.run(None, inputs)[0].shape)
"""


def card_of_aligner(made_from: Mapping[str, Any], languages: Sequence[str], *, library: str, snippet: str) -> str:
    """Return the text of a card.

    Args:
        made_from: The recipe, its held-out top-1, the model and the probe.
        languages: Of the probe; or the one that the folder is for.
        library: What loads it.
        snippet: Python code that uses it.
    """
    codes, model = parse_languages(languages), str(made_from["model"])
    top1 = made_from.get("held_out_top1")
    figure = "" if top1 is None else (
        f"Top-1 of retrieval between the languages of the probe, {made_from.get('sentences', 'its')} sentences of "
        f"{made_from.get('corpus', 'a corpus')}, by cross-validation: **{top1:.4f}**. It is the best of many "
        "candidates, and so a little too high; `interlingua compare` judges on other sentences."
    )  # fmt: skip
    return card(
        f"Aligned sentence embeddings of {shown_name(model)}",
        terms_of(model),
        what=(
            "The hidden states of a frozen language model through a linear map, so that sentences of one meaning lie "
            f"near each other in {named(codes)}."
        ),
        how=as_list(made_from),
        measured=figure,
        languages=codes,
        library=library,
        task="sentence-similarity",
        snippet=snippet,
    )
