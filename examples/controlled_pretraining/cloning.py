"""A cloned language: the same text in other letters, every token id shifted by a constant.

Languages that differ in nothing but their letters are the cleanest case of a pair (K et al. 2020, "fake English";
Dufter and Schütze 2020): a translation is exact, the grammar is equal, and only what the model read of each can differ.
English is cloned into Korean letters, one for one, so that the clone has its own code and langid.py takes text in
it for Korean. It is not Korean: a Korean could read the letters, but no word.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SOURCE, CLONE = "eng_Latn", "kor_Hang"
SPECIAL = ["<s>", "</s>", "<pad>", "<unk>"]
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


TO_CLONE = str.maketrans(PRINTABLE, "\u2002" + "".join(chr(0xAC00 + 28 * i) for i in range(1, len(PRINTABLE))))
"""Another space, and for the others the syllables of Korean that end in a vowel, in their order."""


def plain(text: str) -> str:
    """Return text in printable ASCII alone: accents are taken off, and what has no such letter is left out."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if " " <= c <= "~")


def clone(text: str) -> str:
    """Return plain text in the clone's letters."""
    return text.translate(TO_CLONE)


def train_tokenizer(lines: Iterable[str], words: int, folder: Path) -> None:
    """Train BPE on plain lines, double it for the clone, and save it as a tokenizer of transformers.

    Of `words` tokens each language has half: token i of the source is token i + half of the clone, and so are the
    merges, so that a line and its clone have the same tokens but for that constant.
    """
    half = (words - len(SPECIAL)) // 2
    first = Tokenizer(models.BPE(unk_token="<unk>"))
    first.pre_tokenizer = _words()
    first.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=half, initial_alphabet=list(PRINTABLE), show_progress=False)
    )
    source = sorted(first.get_vocab(), key=first.get_vocab().get)
    merges = [pair if isinstance(pair, list) else pair.split(" ") for pair in _merges(first)]
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *source, *map(clone, source)])}
    both = [tuple(pair) for pair in merges] + [(clone(a), clone(b)) for a, b in merges]
    tokenizer = Tokenizer(models.BPE(vocabulary, both, unk_token="<unk>"))
    tokenizer.pre_tokenizer = _words()
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)


def _words() -> pre_tokenizers.PreTokenizer:
    """Split before each space, of either language."""
    return pre_tokenizers.Split(Regex("[ \u2002]?[^ \u2002]+|[ \u2002]+"), "isolated")


def _merges(tokenizer: Tokenizer) -> list:
    return json.loads(tokenizer.to_str())["model"]["merges"]
