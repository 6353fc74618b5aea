"""What retrieval costs: all pairs of languages, and one pair of many candidates, against plain numpy and a peer.

    python benchmarks/retrieval.py pairs [--languages 22] [--sentences 1012] [--dimensions 640] [--rounds 5]
    python benchmarks/retrieval.py candidates [--sentences 20000] [--dimensions 640] [--rounds 5]

Ways run in turn in each round, after one round that does not count; the figures are medians over the rounds, and the
medians of the ratios to our own time of the same round. Embeddings are random, their languages apart as those of a
language model are. The plain numpy ways take a product of unit vectors and an argmax; they do not see ties, and in
float32 they may choose wrongly between candidates that it cannot tell apart. sentence-transformers' `semantic_search`
is left out with a note where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

import interlingua as il

OURS = "interlingua, cosine"
ROWS = 2048


def made_up(languages: int, sentences: int, dimensions: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shared = random.normal(size=(sentences, dimensions))
    return {
        f"{i:02d}": (shared + 2.5 * random.normal(size=shared.shape) + random.normal(size=dimensions)).astype("f4")
        for i in range(languages)
    }


def unit(space: np.ndarray, dtype: str) -> np.ndarray:
    space = space.astype(dtype)
    return space / np.linalg.norm(space, axis=1, keepdims=True)


def with_numpy(spaces: dict[str, np.ndarray], dtype: str) -> None:
    """Search every ordered pair, by slices of queries."""
    units = [unit(space, dtype) for space in spaces.values()]
    for a, b in itertools.permutations(units, 2):
        for start in range(0, len(a), ROWS):
            (a[start : start + ROWS] @ b.T).argmax(axis=1)


def with_sentence_transformers(spaces: dict[str, np.ndarray]) -> None:
    search = importlib.import_module("sentence_transformers.util").semantic_search
    for a, b in itertools.permutations([torch.from_numpy(space) for space in spaces.values()], 2):
        search(a, b, query_chunk_size=ROWS, top_k=1)


def compare(ways: dict[str, Callable[[], object]], rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(-1, rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            try:
                run()
            except ModuleNotFoundError as missing:
                print(f"{name} is left out: {missing}")
                ways = {other: way for other, way in ways.items() if other != name}
                del times[name]
                continue
            if round_ >= 0:
                times[name].append(time.perf_counter() - started)
    print("| | seconds, median | of ours, median |\n|---|---|---|")
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(measured, times[OURS], strict=True))
        print(f"| {name} | {statistics.median(measured):.2f} | {ratio:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pairs", "candidates"))
    parser.add_argument("--languages", type=int, default=22)
    parser.add_argument("--sentences", type=int)
    parser.add_argument("--dimensions", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.what == "pairs":
        spaces = made_up(arguments.languages, arguments.sentences or 1012, arguments.dimensions)
    else:
        spaces = made_up(2, arguments.sentences or 20_000, arguments.dimensions)
    first, second = list(spaces)[:2]

    def ours(scoring: str) -> Callable[[], object]:
        if arguments.what == "pairs":
            return lambda: il.retrieval(spaces, scoring=scoring)
        return lambda: il.bitext({(first, second): (spaces[first], spaces[second])}, scoring=scoring)

    ways = {
        OURS: ours("cosine"),
        "interlingua, csls": ours("csls"),
        "numpy, float32": lambda: with_numpy(spaces, "f4"),
        "numpy, float64": lambda: with_numpy(spaces, "f8"),
        "sentence-transformers, semantic_search": lambda: with_sentence_transformers(spaces),
    }
    print(f"{len(spaces)} languages of {len(spaces[first]):,} x {arguments.dimensions}, both directions")
    compare(ways, arguments.rounds)


if __name__ == "__main__":
    main()
