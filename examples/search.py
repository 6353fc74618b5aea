"""Cross-lingual semantic search over your own lines: index them once, then ask in any language.

    python examples/search.py index lines.txt --out index [--aligner ALIGNER]
    python examples/search.py ask index "Die Katze schläft in der Küche." [--show 5]

`lines.txt` holds a text a line, in any languages. The folder `index` holds the lines, their vectors (float32, of unit
length) and the aligner, which is a matrix; the model is loaded by its name. Without `--aligner`, what `interlingua
align` writes, one is fitted to the default model on the bundled corpus first. Ask with a sentence that says what you
look for: the map was fitted on translations, and a short question is not a translation of its answer.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import interlingua as il
from interlingua.corpora.folder import read_lines


def fitted_aligner() -> il.Aligner:
    """Fit WCCN in the default model's middle layer, where translations are nearest before any map is fitted."""
    model = il.load_model()
    depth = model.hf.config.get_text_config().num_hidden_layers
    probe = il.open_corpus("starter").parallel("dev")
    layer = round(depth * 0.6)
    return il.align(model, probe, layers=[layer], methods=["wccn"], max_blocks=1, language_free=True)


def index(lines_file: Path, folder: Path, aligner_folder: Path | None) -> None:
    """Encode each line that is not empty, and write the index."""
    lines = [line for line in read_lines(lines_file) if line]
    aligner = fitted_aligner() if aligner_folder is None else il.Aligner.from_pretrained(aligner_folder)
    started = time.perf_counter()
    vectors = aligner.encode(lines)
    seconds = time.perf_counter() - started
    folder.mkdir(parents=True, exist_ok=True)
    aligner.save_pretrained(folder / "aligner")
    np.save(folder / "vectors.npy", vectors)
    (folder / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines):,} lines in {seconds:.1f} s, {len(lines) / seconds:,.0f} a second: {folder}")


def ask(folder: Path, query: str, show: int) -> None:
    """Print the lines nearest to a query."""
    lines, vectors = read_lines(folder / "lines.txt"), np.load(folder / "vectors.npy")
    aligner = il.Aligner.from_pretrained(folder / "aligner")
    started = time.perf_counter()
    similarities = vectors @ aligner.encode([query])[0]
    nearest = np.argsort(-similarities)[:show]
    for i in nearest:
        print(f"{similarities[i]:.3f}  {lines[i]}")
    print(f"{1000 * (time.perf_counter() - started):.0f} ms for {len(lines):,} lines")


def main() -> None:
    """Index or ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    indexing = commands.add_parser("index")
    indexing.add_argument("lines", type=Path)
    indexing.add_argument("--out", type=Path, required=True)
    indexing.add_argument("--aligner", type=Path)
    asking = commands.add_parser("ask")
    asking.add_argument("index", type=Path)
    asking.add_argument("query")
    asking.add_argument("--show", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.command == "index":
        index(arguments.lines, arguments.out, arguments.aligner)
    else:
        ask(arguments.index, arguments.query, arguments.show)


if __name__ == "__main__":
    main()
