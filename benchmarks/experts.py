"""What finding experts costs: ranking against scikit-learn and a bare sort, recording against a bare forward pass.

    python benchmarks/experts.py ranking [--sentences 5982] [--neurons 16384] [--languages 6] [--rounds 7]
    python benchmarks/experts.py growth [--rounds 3]
    python benchmarks/experts.py recording [--model gemma3-270m] [--dtype bfloat16] [--limit 20] [--rounds 7]
    python benchmarks/experts.py precision [--model gemma3-270m] [--corpus starter] [--limit 20]

Ways run in turn in each round; the figures are medians over the rounds. scikit-learn scores neuron by neuron for five
languages, on as many processes as there are cores; it is run on fewer neurons, and scaled. `growth` runs each size in a
separate process, with the responses in a file, and reports the most memory it had that is not the file's. `precision`
compares experts from responses kept in half precision with those from float32.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import torch

import interlingua as il
from interlingua.experts import auroc_by_language, record_poolings, record_responses, score_neurons
from interlingua.languages import PAPER_PROBE_LANGUAGES
from interlingua.models.attention import causal_by_products
from interlingua.models.batching import batches, tokenise

SKLEARN_NEURONS = 64
SCORED_LANGUAGES = 5


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def scikit_learn(task: tuple[np.ndarray, np.ndarray]) -> None:
    from sklearn.metrics import roc_auc_score

    columns, labels = task
    for values in columns.T:
        for language in range(SCORED_LANGUAGES):
            roc_auc_score(labels == language, values)


def ranking(arguments: argparse.Namespace) -> None:
    """Compare the ranking of one matrix of responses."""
    random = np.random.default_rng(0)
    responses = random.normal(size=(arguments.sentences, arguments.neurons)).astype(np.float32)
    rows = np.ascontiguousarray(responses.T)
    labels = np.arange(arguments.sentences) * arguments.languages // arguments.sentences
    parts = np.array_split(rows, 64)
    few = [(part, labels) for part in np.array_split(responses[:, :SKLEARN_NEURONS], 2, axis=1)]
    with ThreadPoolExecutor() as threads, ProcessPoolExecutor(2) as processes:
        list(processes.map(scikit_learn, [(part[:, :1], labels) for part, _ in few]))
        ways = {
            "np.sort of the same values, one thread": lambda: np.sort(rows, axis=1),
            "np.sort of the same values, both cores": lambda: list(threads.map(lambda x: np.sort(x, axis=1), parts)),
            "AUROC of all languages": lambda: auroc_by_language(responses, labels, arguments.languages),
            "AUROC, average precision and statistics": lambda: score_neurons(responses, labels, arguments.languages),
            "scikit-learn, five languages, both cores": lambda: list(processes.map(scikit_learn, few)),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for round_ in range(-1, arguments.rounds):
            for name, run in ways.items():
                taken = seconds(run) * (arguments.neurons / SKLEARN_NEURONS if "scikit" in name else 1)
                if round_ >= 0:
                    times[name].append(taken)
    print(f"{arguments.sentences:,} sentences x {arguments.neurons:,} neurons, {arguments.languages} languages")
    report(times, "AUROC of all languages")


def recording(arguments: argparse.Namespace) -> None:
    """Compare recording with the forward pass of the same batches."""
    model = il.load_model(arguments.model, dtype=arguments.dtype)
    probe = il.open_corpus("starter").parallel(languages=PAPER_PROBE_LANGUAGES, limit=arguments.limit)
    sentences = [sentence for code in probe.languages for sentence in probe[code]]
    tokenised = tokenise(model.tokenizer, sentences, 128)
    hidden = model.at("hidden")
    both = replace(model, neurons=model.neurons.joined(hidden.neurons))

    def forward() -> None:
        for batch in batches(tokenised, model.device):
            with torch.inference_mode(), causal_by_products(model):
                model.body(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)

    ways = {
        "forward pass of the same batches": forward,
        "recording": lambda: record_responses(model, sentences),
        "recording three poolings": lambda: record_poolings(model, sentences, ["mean", "max", "last"]),
        "recording hidden units": lambda: record_responses(hidden, sentences),
        "recording hidden units and how often they are active": lambda: record_poolings(
            hidden, sentences, ["mean", "active"]
        ),
        "recording outputs and hidden units at once": lambda: record_responses(both, sentences),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(-1, arguments.rounds):
        for name, run in ways.items():
            taken = seconds(run)
            if round_ >= 0:
                times[name].append(taken)
    print(
        f"{arguments.model}, {model.dtype} on {model.device}: {len(sentences)} sentences, {tokenised.tokens:,} tokens"
    )
    report(times, "forward pass of the same batches")


SIZES = [
    {"neurons": 4096, "sentences": 5982, "languages": 6},
    {"neurons": 16384, "sentences": 5982, "languages": 6},
    {"neurons": 65536, "sentences": 5982, "languages": 6},
    {"neurons": 16384, "sentences": 1494, "languages": 6},
    {"neurons": 16384, "sentences": 23928, "languages": 6},
    {"neurons": 16384, "sentences": 5982, "languages": 2},
    {"neurons": 16384, "sentences": 5982, "languages": 22},
]


def growth(arguments: argparse.Namespace) -> None:
    """Show how time and memory grow with neurons, sentences and languages."""
    context = multiprocessing.get_context("spawn")
    print(
        "| neurons | sentences | languages | file, GB | seconds, median | ns a response | memory above the start, MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for size in SIZES:
        with context.Pool(1) as pool:
            seconds_, memory = pool.apply(_score_file, (size, arguments.rounds))
        responses = size["neurons"] * size["sentences"]
        cells = (f"{size['neurons']:,}", f"{size['sentences']:,}", size["languages"], f"{4 * responses / 1e9:.2f}",
                 f"{seconds_:.2f}", f"{seconds_ / responses * 1e9:.1f}", f"{memory / 1e6:.0f}")  # fmt: skip
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def _score_file(size: dict[str, int], rounds: int) -> tuple[float, int]:
    random = np.random.default_rng(0)
    labels = np.arange(size["sentences"]) * size["languages"] // size["sentences"]
    score_neurons(random.normal(size=(len(labels), 64)).astype(np.float32), labels, size["languages"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "responses"
        with path.open("wb") as file:
            for _ in range(size["sentences"]):
                file.write(random.normal(size=size["neurons"]).astype(np.float32).tobytes())
        responses = np.memmap(path, dtype=np.float32, mode="r", shape=(size["sentences"], size["neurons"]))
        with _PeakMemory() as peak:
            taken = [seconds(lambda: score_neurons(responses, labels, size["languages"])) for _ in range(rounds)]
    return statistics.median(taken), peak.bytes


class _PeakMemory:
    """The most memory of this process, above what it had, without pages that are a file's."""

    def __enter__(self) -> _PeakMemory:
        self._process, self._stop = psutil.Process(os.getpid()), threading.Event()
        self._before, self.bytes = self._now(), 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _now(self) -> int:
        memory = self._process.memory_info()
        return memory.rss - memory.shared

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            self.bytes = max(self.bytes, self._now() - self._before)


def precision(arguments: argparse.Namespace) -> None:
    """Compare experts from responses in half precision with those from float32."""
    model = il.load_model(arguments.model)
    probe = il.open_corpus(arguments.corpus).parallel("dev", languages=PAPER_PROBE_LANGUAGES, limit=arguments.limit)
    sentences = [sentence for code in probe.languages for sentence in probe[code]]
    labels = np.repeat(np.arange(len(probe.languages)), len(probe))
    full = record_responses(model, sentences).values
    exact = score_neurons(full, labels, len(probe.languages)).auroc
    k = arguments.top
    print(f"{arguments.model}, {len(probe.languages)} languages x {len(probe)} sentences of {arguments.corpus}")
    print(f"| responses in | AUROC differs by at most | on average | of the top {k:,}, the same |\n|---|---|---|---|")
    for dtype in ("float16", "bfloat16"):
        rounded = record_responses(model, sentences, dtype=dtype).values
        auroc = score_neurons(rounded, labels, len(probe.languages)).auroc
        away = np.abs(auroc - exact)
        same = [
            len(np.intersect1d(np.argsort(-a, kind="stable")[:k], np.argsort(-b, kind="stable")[:k])) / k
            for a, b in zip(auroc, exact, strict=True)
        ]
        print(f"| {dtype} | {away.max():.5f} | {away.mean():.6f} | {min(same):.2%} to {max(same):.2%} |")


def report(times: dict[str, list[float]], base: str) -> None:
    print(f"| | seconds, median | of '{base}', median |\n|---|---|---|")
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(measured, times[base], strict=True))
        print(f"| {name} | {statistics.median(measured):.3f} | {ratio:.2f} |")


def main() -> None:
    """Run one benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    rank = commands.add_parser("ranking")
    rank.add_argument("--sentences", type=int, default=5982)
    rank.add_argument("--neurons", type=int, default=16384)
    rank.add_argument("--languages", type=int, default=6)
    rank.set_defaults(run=ranking)
    record = commands.add_parser("recording")
    record.add_argument("--model", default="gemma3-270m")
    record.add_argument("--dtype", default="auto")
    record.add_argument("--limit", type=int, default=20)
    record.set_defaults(run=recording)
    grow = commands.add_parser("growth")
    grow.set_defaults(run=growth)
    for command, rounds in ((rank, 7), (record, 7), (grow, 3)):
        command.add_argument("--rounds", type=int, default=rounds)
    half = commands.add_parser("precision")
    half.add_argument("--model", default="gemma3-270m")
    half.add_argument("--corpus", default="starter")
    half.add_argument("--limit", type=int)
    half.add_argument("--top", type=int, default=2000)
    half.set_defaults(run=precision)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
