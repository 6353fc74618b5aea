"""A tokenizer as llama.cpp keeps it in a GGUF file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlingua.errors import ModelError

if TYPE_CHECKING:
    import gguf

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {
    _WORDS + r"\p{N}{1,3}" + _REST: "llama-bpe",
    _WORDS + r"\p{N}" + _REST: "qwen2",
}
"""How text is cut before tokens are merged, by the regular expressions that llama.cpp has, and its names for that."""

NEVER_MERGED = -1e9
"""The score of a piece that no merge makes; SentencePiece merges the pair of highest score first."""


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF file says of a tokenizer.

    Attributes:
        model: `gpt2` for byte-level BPE, `llama` for SentencePiece.
        pre: What llama.cpp calls the way in which text is cut first.
        tokens: The tokens by their ids.
        types: Whether each is normal, special, added, a byte or unused.
        merges: Of byte-level BPE.
        scores: Of SentencePiece.
        space_prefix: Whether a space is put before a text.
        special: The ids of special tokens by their names in the file.
        adds: Whether a start token and an end token are added to a text.
        chat_template: For chat models.
    """

    model: str
    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str] | None
    scores: list[float] | None
    space_prefix: bool
    special: Mapping[str, int]
    adds: tuple[bool, bool]
    chat_template: str | None

    def write(self, writer: gguf.GGUFWriter) -> None:
        """Write it into a file's metadata."""
        writer.add_tokenizer_model(self.model)
        writer.add_tokenizer_pre(self.pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        if self.merges is not None:
            writer.add_token_merges(self.merges)
        if self.scores is not None:
            writer.add_token_scores(self.scores)
        writer.add_add_space_prefix(self.space_prefix)
        for name, number in self.special.items():
            getattr(writer, f"add_{name}_token_id")(number)
        writer.add_add_bos_token(self.adds[0])
        writer.add_add_eos_token(self.adds[1])
        if self.chat_template is not None:
            writer.add_chat_template(self.chat_template)


def vocabulary_of(tokenizer: Any, size: int) -> Vocabulary:
    """Return a tokenizer as llama.cpp keeps it.

    Args:
        tokenizer: A tokenizer of transformers: byte-level BPE that cuts text as GPT-2, SmolLM2, Llama 3 or Qwen2 do, or
            SentencePiece's BPE.
        size: How many embeddings the model has.

    Raises:
        ModelError: It is of another kind.
    """
    core = getattr(tokenizer, "backend_tokenizer", None)
    if core is None:
        raise ModelError(_refusal("it is not one of the library tokenizers"))
    parts = json.loads(core.to_str())
    model = parts["model"]
    if model["type"] != "BPE":
        raise ModelError(_refusal(f"it is a {model['type']} model"))
    if not model["merges"]:
        raise ModelError(_refusal("it merges nothing, so that every byte is a token"))
    pairs = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
    pieces = model["byte_fallback"]
    tokens, types = _tokens(tokenizer, size, pieces)
    prefix = _space_prefix(parts)
    if not pieces and prefix:
        raise ModelError(_refusal("it puts a space before each text"))
    return Vocabulary(
        model="llama" if pieces else "gpt2",
        pre="default" if pieces else _cutting(parts),
        tokens=tokens,
        types=types,
        merges=None if pieces else [" ".join(pair) for pair in pairs],
        scores=_scores(tokens, pairs) if pieces else None,
        space_prefix=prefix,
        special={
            name: number
            for name in ("bos", "eos", "unk", "pad")
            if (number := getattr(tokenizer, f"{name}_token_id")) is not None and number < size
        },
        adds=_added(tokenizer),
        chat_template=tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else None,
    )


def _cutting(parts: Mapping[str, Any]) -> str:
    """Return what llama.cpp calls a byte-level tokenizer's way of cutting text."""
    steps = parts["pre_tokenizer"] or {}
    steps = steps["pretokenizers"] if steps.get("type") == "Sequence" else [steps]
    kinds = [step.get("type") for step in steps]
    normalizer = (parts["normalizer"] or {}).get("type")
    ignores_merges = parts["model"].get("ignore_merges", False)
    if kinds == ["ByteLevel"] and steps[0]["use_regex"] and normalizer is None and not ignores_merges:
        return "gpt-2"
    digits = kinds == ["Digits", "ByteLevel"] and steps[0]["individual_digits"] and steps[1]["use_regex"]
    if digits and normalizer is None and not ignores_merges:
        return "smollm"
    if kinds == ["Split", "ByteLevel"] and not steps[1]["use_regex"] and not steps[0]["invert"]:
        name = SPLITS.get(steps[0]["pattern"].get("Regex", ""))
        expected = {"llama-bpe": (None, True), "qwen2": ("NFC", False)}
        if name is not None and (normalizer, ignores_merges) == expected[name]:
            return name
    raise ModelError(_refusal("it cuts text in a way that llama.cpp has no name for"))


def _space_prefix(parts: Mapping[str, Any]) -> bool:
    """Tell whether a tokenizer puts a space before each text."""
    steps = [parts["normalizer"] or {}, parts["pre_tokenizer"] or {}]
    steps = [part for step in steps for part in step.get("normalizers", step.get("pretokenizers", [step]))]
    return any(
        step.get("type") == "Prepend"
        or (step.get("type") == "Metaspace" and step.get("prepend_scheme") != "never")
        or (step.get("type") == "ByteLevel" and step.get("add_prefix_space"))
        for step in steps
    )


def _tokens(tokenizer: Any, size: int, pieces: bool) -> tuple[list[str], list[int]]:
    import gguf

    kind = gguf.TokenType
    by_id = {number: token for token, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    tokens, types = [], []
    for number in range(size):
        token = by_id.get(number)
        if token is None:
            tokens.append(f"[PAD{number}]")
            types.append(kind.UNUSED)
        elif number in added:
            special = added[number].special
            tokens.append(token if special else token.replace("▁", " "))
            types.append(kind.CONTROL if special else kind.USER_DEFINED)
        else:
            byte = pieces and len(token) == 6 and token.startswith("<0x")
            tokens.append(token)
            types.append(kind.BYTE if byte else kind.UNKNOWN if token == tokenizer.unk_token else kind.NORMAL)
    return tokens, [int(each) for each in types]


def _scores(tokens: list[str], pairs: list[list[str]]) -> list[float]:
    """Return scores by which SentencePiece merges in the order of the merges."""
    first: dict[str, int] = {}
    for rank, pair in enumerate(pairs):
        first.setdefault("".join(pair), rank)
    return [-float(first[token]) if token in first else NEVER_MERGED for token in tokens]


def _added(tokenizer: Any) -> tuple[bool, bool]:
    """Tell whether a tokenizer puts its start token before a text, and its end token behind it.

    Raises:
        ModelError: It adds others.
    """
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    start = whole[:1] == [tokenizer.bos_token_id] and whole != bare
    end = whole[-1:] == [tokenizer.eos_token_id] and whole != bare
    expected = [*([tokenizer.bos_token_id] if start else []), *bare, *([tokenizer.eos_token_id] if end else [])]
    if whole != expected:
        raise ModelError(_refusal("it adds other tokens to a text than a start and an end"))
    return start, end


def _refusal(reason: str) -> str:
    return (
        f"the tokenizer cannot be written to a GGUF file: {reason}. Bake a checkpoint instead (`--out`), and convert "
        "it by llama.cpp's own convert_hf_to_gguf.py"
    )
