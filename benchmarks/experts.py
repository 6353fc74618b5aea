"""What finding experts costs: ranking beside scikit-learn and a bare sort, recording beside a bare forward pass.

    python benchmarks/experts.py ranking [--sentences 5982] [--neurons 16384] [--languages 6] [--rounds 7]
    python benchmarks/experts.py recording [--model gemma3-270m] [--dtype bfloat16] [--limit 20] [--rounds 7]

Ways run in turn in each round; the figures are medians over the rounds. scikit-learn scores neuron by neuron for five
languages, on as many processes as there are cores; it is run on fewer neurons, and scaled.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import torch

import interlingua as il
from interlingua.experts import auroc_by_language, record_responses
from interlingua.experts.statistics import response_statistics
from interlingua.languages import PAPER_PROBE_LANGUAGES
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
            "statistics of all languages": lambda: response_statistics(responses, arguments.languages),
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
    probe = il.load_corpus("starter", languages=PAPER_PROBE_LANGUAGES, limit=arguments.limit)
    sentences = [sentence for code in probe.languages for sentence in probe[code]]
    tokenised = tokenise(model.tokenizer, sentences, 128)

    def forward() -> None:
        for batch in batches(tokenised, model.device):
            with torch.inference_mode():
                model.body(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)

    ways = {
        "forward pass of the same batches": forward,
        "recording": lambda: record_responses(model, sentences),
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


def report(times: dict[str, list[float]], base: str) -> None:
    print(f"| | seconds, median | of '{base}', median |\n|---|---|---|")
    for name, own in times.items():
        ratio = statistics.median(a / b for a, b in zip(own, times[base], strict=True))
        print(f"| {name} | {statistics.median(own):.3f} | {ratio:.2f} |")


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
    for command in (rank, record):
        command.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
