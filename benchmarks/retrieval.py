"""What retrieval costs: all pairs of languages, and one pair of many candidates, against plain numpy and a peer.

    python benchmarks/retrieval.py pairs [--languages 22] [--sentences 1012] [--dimensions 640] [--rounds 5]
    python benchmarks/retrieval.py candidates [--sentences 20000] [--dimensions 640] [--rounds 5]
    python benchmarks/retrieval.py index [--sentences 1000000] [--dimensions 640] [--queries 1000] [--dtype bf16]
        [--expansion 64 256]

Ways run in turn in each round, after one round that does not count; the figures are medians over the rounds, and the
medians of the ratios to our own time of the same round. Embeddings are random, their languages apart as those of a
language model are. The plain numpy ways take a product of unit vectors and an argmax; they do not see ties, and in
float32 they may choose wrongly between candidates that it cannot tell apart. sentence-transformers' `semantic_search`
is left out with a note where it is not installed.

`index` builds the index of `examples/search.py` by usearch on one thread, and asks it for ten lines near each query,
one query at a time, beside exact search. `--expansion` is how many candidates a search keeps (`expansion_search`). The
lines are random unit vectors whose shape is that of aligned ones: directions of falling weight, topics of a hundred
lines, four translations of each sentence; a query is a fifth. Times are CPU seconds, which other work does not change.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

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


def aligned_lines(lines: int, dimensions: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors like those that weighted WCCN in layers 6 and 10 of gemma3-270m gives, float32.

    That map has 38 % of its variance within sentences on FLORES devtest, and its directions weigh about so. Half of the
    translations have a cosine above 0.56 there, and half of the nearest others among 1,012 lines one above 0.30.
    """
    random = np.random.default_rng(0)
    between = (1 + np.arange(dimensions) / 12) ** -0.5
    within = (1 + np.arange(dimensions) / 100) ** -0.5

    def draw(rows: int, share: float, weights: np.ndarray) -> np.ndarray:
        scale = (weights * np.sqrt(share / (weights**2).sum())).astype("f4")
        return random.standard_normal((rows, dimensions), dtype="f4") * scale

    topics, sentences = draw(-(-lines // 100), 0.15, between), draw(-(-lines // 4), 0.47, between)
    sentences += topics[np.arange(len(sentences)) // 25]

    def translations(of: np.ndarray) -> np.ndarray:
        made = np.empty((len(of), dimensions), dtype="f4")
        for start in range(0, len(of), ROWS):
            some = of[start : start + ROWS]
            made[start : start + ROWS] = unit(sentences[some] + draw(len(some), 0.38, within), "f4")
        return made

    return translations(np.arange(lines) // 4), translations(random.integers(len(sentences), size=queries))


def index(arguments: argparse.Namespace) -> None:
    found = importlib.import_module("usearch.index")
    lines, queries = aligned_lines(arguments.sentences or 1_000_000, arguments.dimensions, arguments.queries)
    started = time.process_time()
    exact = np.empty((len(queries), 10), dtype=int)
    for i, query in enumerate(queries):
        cosines = lines @ query
        best = np.argpartition(-cosines, 10)[:10]
        exact[i] = best[np.argsort(-cosines[best])]
    taken = 1000 * (time.process_time() - started) / len(queries)
    print(f"{len(lines):,} lines of {lines.shape[1]} numbers, {len(queries):,} queries, one thread\n")
    print("| | CPU s to build | on disk, MB | CPU ms a query | recall@1 | recall@10 |\n|---|---|---|---|---|---|")
    print(f"| numpy, float32, exact | | {lines.nbytes / 1e6:,.0f} | {taken:.1f} | 1 | 1 |", flush=True)
    for dtype in arguments.dtype:
        made = found.Index(ndim=lines.shape[1], metric="ip", dtype=dtype)
        started = time.process_time()
        made.add(np.arange(len(lines)), lines, threads=1)
        built = time.process_time() - started
        with TemporaryDirectory() as folder:
            file = Path(folder) / "vectors.usearch"
            made.save(str(file))
            size = file.stat().st_size / 1e6
        for expansion in arguments.expansion:
            made.expansion_search = expansion
            started = time.process_time()
            keys = np.stack([made.search(query, 10, threads=1).keys for query in queries]).astype(int)
            taken = 1000 * (time.process_time() - started) / len(queries)
            first = np.mean(keys[:, 0] == exact[:, 0])
            tenth = np.mean([len({*a} & {*b}) / 10 for a, b in zip(keys.tolist(), exact.tolist(), strict=True)])
            print(
                f"| usearch, {dtype}, expansion {expansion} | {built:,.0f} | {size:,.0f} | {taken:.2f} | {first:.3f} "
                f"| {tenth:.3f} |",
                flush=True,
            )


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
    parser.add_argument("what", choices=("pairs", "candidates", "index"))
    parser.add_argument("--languages", type=int, default=22)
    parser.add_argument("--sentences", type=int)
    parser.add_argument("--dimensions", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--dtype", nargs="*", default=["bf16"])
    parser.add_argument("--expansion", type=int, nargs="*", default=[64, 256])
    arguments = parser.parse_args()
    if arguments.what == "index":
        index(arguments)
        return
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
