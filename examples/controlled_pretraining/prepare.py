"""Make the data of a controlled experiment from text that you have: training text, a corpus to study, a tokenizer.

    python prepare.py cloned --help-pages en-US=DIR --out data/cloned [--text eng_Latn=FILE] [--words 2000]
    python prepare.py real --help-pages en-US=DIR --help-pages es=DIR --out data/real [--text spa_Latn=FILE] [...]

`DIR` is the folder `text` of LibreOffice's help in one language (MPL-2.0; Debian's packages `libreoffice-help-*` have
it), whose paragraphs have the same ids in all languages. `FILE` is running text, a paragraph a line. Written are

    train/<code>.txt        what models read, a paragraph a line; no page of the help is in two languages here
    corpus/dev, devtest     parallel sentences from pages that are in no training text
    text/                   running text from such pages, for perplexity
    tokenizer/
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import cloning
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast

from interlingua.languages import parse_language

HELD_OUT = 20
"""One page of the help in so many is held out."""
SENTENCES = 400
"""At most so many parallel sentences, half of them for `dev`."""


class Paragraphs(HTMLParser):
    """Collects the text of a page's paragraphs by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.id: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter a paragraph that has an id."""
        if tag == "p":
            self.id = dict(attrs).get("id")

    def handle_endtag(self, tag: str) -> None:
        """Leave it."""
        if tag == "p":
            self.id = None

    def handle_data(self, data: str) -> None:
        """Keep its text."""
        if self.id:
            self.found[self.id] = self.found.get(self.id, "") + data


def help_pages(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each page's path and its paragraphs, those with fewer than 20 characters left out."""
    for path in sorted(folder.rglob("*.html")):
        parser = Paragraphs()
        parser.feed(path.read_text(encoding="utf-8"))
        tidy = {name: " ".join(text.split()) for name, text in parser.found.items()}
        yield path.relative_to(folder).as_posix(), {name: text for name, text in tidy.items() if len(text) >= 20}


def share(name: str, parts: int) -> int:
    """Return which of `parts` a page is in, the same on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % parts


def split_pages(pages: dict[str, dict[str, dict[str, str]]]) -> tuple[dict[str, list[str]], list[dict[str, str]]]:
    """Divide pages: training text by language, each page in one of them, and held-out paragraphs in all languages.

    Args:
        pages: By language and path, a page's paragraphs by id.
    """
    training: dict[str, list[str]] = {code: [] for code in pages}
    held_out: list[dict[str, str]] = []
    seen: set[str] = set()
    codes = list(pages)
    for path in sorted(set.intersection(*map(set, pages.values()))):
        if share(path, HELD_OUT) == 0:
            shared = set.intersection(*(set(pages[code][path]) for code in codes))
            rows = [{code: pages[code][path][name] for code in codes} for name in sorted(shared)]
            fresh = [row for row in rows if len(set(row.values())) == len(codes) and row[codes[0]] not in seen]
            seen.update(row[codes[0]] for row in fresh)
            held_out += fresh
        else:
            code = codes[share(path + "?", len(codes))]
            training[code] += pages[code][path].values()
    return training, held_out


def write_lines(path: Path, lines: list[str]) -> None:
    """Write a line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_data(out: Path, training: dict[str, list[str]], held_out: list[dict[str, str]]) -> None:
    """Write training text, the corpus of a study, and running text for perplexity."""
    sentences = [row for row in held_out if max(map(len, row.values())) <= 200][:SENTENCES]
    half = len(sentences) // 2
    for code, lines in training.items():
        write_lines(out / "train" / f"{code}.txt", lines)
        write_lines(out / "corpus" / "dev" / f"{code}.txt", [row[code] for row in sentences[:half]])
        write_lines(out / "corpus" / "devtest" / f"{code}.txt", [row[code] for row in sentences[half:]])
        write_lines(out / "text" / f"{code}.txt", [row[code] for row in held_out if len(row[code]) >= 100])
        print(f"{code}: {sum(map(len, lines)):,} characters to train on, {len(sentences)} parallel sentences held out")


def prepare_cloned(pages: dict[str, dict[str, str]], text: list[str], words: int, out: Path) -> None:
    """Clone English: half of the pages are read in English, half in the clone, and the rest is held out in both."""
    as_plain = {path: {name: cloning.plain(line) for name, line in page.items()} for path, page in pages.items()}
    cloned = {path: {name: cloning.clone(line) for name, line in page.items()} for path, page in as_plain.items()}
    training, held_out = split_pages({cloning.SOURCE: as_plain, cloning.CLONE: cloned})
    lines = [line for line in map(cloning.plain, text) if len(line) >= 20]
    training[cloning.SOURCE] += lines[::2]
    training[cloning.CLONE] += map(cloning.clone, lines[1::2])
    write_data(out, training, held_out)
    cloning.train_tokenizer(training[cloning.SOURCE], words, out / "tokenizer")


def prepare_real(pages: dict[str, dict], text: dict[str, list[str]], words: int, out: Path) -> None:
    """Take languages as they are; the tokenizer is a byte-level BPE trained on as much of each."""
    training, held_out = split_pages(pages)
    for code, lines in text.items():
        training[code] += lines
    write_data(out, training, held_out)
    least = min(sum(map(len, lines)) for lines in training.values())
    sample = [line for lines in training.values() for line in _first(lines, least)]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(sample, vocab_size=words, special_tokens=cloning.SPECIAL, show_progress=False)
    bpe.post_processor = cloning.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(out / "tokenizer")


def _first(lines: list[str], characters: int) -> Iterator[str]:
    for line in lines:
        if characters <= 0:
            return
        characters -= len(line)
        yield line


def _named(values: list[str]) -> dict[str, Path]:
    return {parse_language(name): Path(path) for name, path in (value.split("=", 1) for value in values)}


def main() -> None:
    """Parse and prepare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("setting", choices=["cloned", "real"])
    parser.add_argument("--help-pages", action="append", required=True, metavar="LANGUAGE=DIR")
    parser.add_argument("--text", action="append", default=[], metavar="LANGUAGE=FILE")
    parser.add_argument("--words", type=int, default=2000, help="tokens of the vocabulary")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    pages = {code: dict(help_pages(folder)) for code, folder in _named(arguments.help_pages).items()}
    text = {code: path.read_text(encoding="utf-8").splitlines() for code, path in _named(arguments.text).items()}
    if arguments.setting == "cloned":
        prepare_cloned(pages[cloning.SOURCE], text.get(cloning.SOURCE, []), arguments.words, arguments.out)
    else:
        prepare_real(pages, text, arguments.words, arguments.out)


if __name__ == "__main__":
    main()
