"""What embedding costs, compared with sentence-transformers and with the bare matrix products of the same batches.

    python benchmarks/embedding.py [--model gemma3-270m] [--dtype bfloat16] [--corpus starter] [--split devtest]
        [--limit 10] [--budget 512 ...] [--batch-size 32 ...] [--rounds 5]

The same model in the same dtype embeds the same sentences (all languages of the corpus, the first N of each) in every
way, the ways in turn in each round; the figures are medians over the rounds. Before them comes one that is not counted,
in which blocks are compiled, and whose seconds are reported. sentence-transformers has mean pooling and other defaults
(batches of 32 sentences, no head), and other batch sizes as well. The bare matrix products are those of the linear
layers on batches of the same shapes, without anything between them. Memory is the most that a process ever has which
loads the model and embeds the sentences once in one way, what it takes to compile included.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import interlingua as il
from interlingua.models import LanguageModel
from interlingua.models.batching import TokenisedSentences, batches, tokenise

OURS, COMPILED, BARE = "interlingua", "interlingua, blocks compiled", "bare matrix products"
PEER = "sentence-transformers, batches of "


def matrix_products(model: LanguageModel, tokenised: TokenisedSentences, budget: int | None) -> None:
    linears = [module for module in model.body.modules() if isinstance(module, torch.nn.Linear)]
    for batch in batches(tokenised, model.device, budget):
        tokens = batch.input_ids.numel()
        inputs = {
            size: torch.ones(tokens, size, dtype=model.hf.dtype, device=model.device)
            for size in {linear.in_features for linear in linears}
        }
        with torch.inference_mode():
            for linear in linears:
                torch.nn.functional.linear(inputs[linear.in_features], linear.weight, linear.bias)


def sentence_transformer(folder: Path, hidden_size: int, dtype: str, device: str):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    transformer = Transformer(str(folder), max_seq_length=512, model_kwargs={"dtype": getattr(torch, dtype)})
    pooling = Pooling(hidden_size, pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling], device=device)


def ways_of(model: LanguageModel, sentences: list[str], budgets: list[int]) -> dict[str, Callable[[], object]]:
    compiled = replace(model, compile="on")
    ways: dict[str, Callable[[], object]] = {
        OURS: lambda: il.embed(model, sentences),
        COMPILED: lambda: il.embed(compiled, sentences),
        "all layers in one pass": lambda: il.embed_layers(model, sentences),
        "all layers in one pass, blocks compiled": lambda: il.embed_layers(compiled, sentences),
    }
    for budget in budgets:
        ways[f"interlingua, {budget} tokens a batch"] = lambda b=budget: il.embed(model, sentences, token_budget=b)
    return ways


def ways_of_peer(peer, sentences: list[str], sizes: list[int]) -> dict[str, Callable[[], object]]:
    return {f"{PEER}{size}": lambda size=size: peer.encode(sentences, batch_size=size) for size in sizes}


def peak_memory(name: str, folder: Path, dtype: str, device: str, hidden_size: int, sentences: list[str]) -> int:
    """Return the most kilobytes that this process, started anew, had, after it did the work once (Linux)."""
    if name.startswith(PEER):
        peer = sentence_transformer(folder, hidden_size, dtype, device)
        ways_of_peer(peer, sentences, [int(name.removeprefix(PEER))])[name]()
    else:
        ways_of(il.load_model(folder, dtype=dtype, device=device, compile="off"), sentences, [])[name]()
    status = Path("/proc/self/status").read_text()  # `getrusage` would tell the most of the process that started it
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1])


def differences(ours: np.ndarray, theirs: np.ndarray) -> str:
    lengths = np.linalg.norm(ours, axis=1)
    cosine = 1 - (ours * theirs).sum(axis=1) / lengths / np.linalg.norm(theirs, axis=1)
    relative = np.linalg.norm(ours - theirs, axis=1) / lengths
    return f"cosine distance at most {cosine.max():.1e}, relative distance at most {relative.max():.1e}"


def timed(ways: dict[str, Callable[[], object]], rounds: int) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Return the seconds of a first round, and of each further one."""
    first: dict[str, float] = {}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(-1, rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            taken = time.perf_counter() - started
            if round_ >= 0:
                times[name].append(taken)
            else:
                first[name] = taken
    return first, times


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--corpus", default="starter", help="a registered corpus or a folder")
    parser.add_argument("--split", default="devtest")
    parser.add_argument("--limit", type=int, default=10)
    parser.add_argument("--budget", type=int, nargs="*", default=[], help="other token budgets")
    parser.add_argument("--batch-size", type=int, nargs="*", default=[32, 16, 8, 4], help="of sentence-transformers")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    model = il.load_model(arguments.model, dtype=arguments.dtype, compile="off")
    corpus = il.open_corpus(arguments.corpus).parallel(arguments.split, limit=arguments.limit)
    sentences = [sentence for code in corpus.languages for sentence in corpus[code]]
    tokenised = tokenise(model.tokenizer, sentences, 512)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        made = (Path(folder), model.dtype, str(model.device), model.hidden_size, sentences)
        memory = {}
        for name in (OURS, COMPILED, *(f"{PEER}{size}" for size in arguments.batch_size)):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                memory[name] = pool.apply(peak_memory, (name, *made)) / 1e6
        peer = sentence_transformer(Path(folder), model.hidden_size, model.dtype, str(model.device))
    ways = ways_of(model, sentences, arguments.budget) | ways_of_peer(peer, sentences, arguments.batch_size)
    ways[BARE] = lambda: matrix_products(model, tokenised, None)
    first, times = timed(ways, arguments.rounds)
    ours = il.embed(model, sentences)
    compiled = il.embed(replace(model, compile="on"), sentences)
    print(
        f"{arguments.model}, {model.dtype} on {model.device}: {len(sentences):,} sentences, {tokenised.tokens:,} "
        f"tokens\nblocks compiled, against ours: {differences(ours, compiled)}"
        f"\nagainst sentence-transformers: {differences(ours, peer.encode(sentences))}"
        f"\nthe first pass with compiled blocks took {first[COMPILED]:.1f} s\n"
    )
    print("| | seconds, median | tokens/s | of ours, median | of ours compiled, median | peak memory, GB |")
    print("|---|---|---|---|---|---|")
    for name, measured in times.items():
        ratios = [
            statistics.median(a / b for a, b in zip(measured, times[base], strict=True)) for base in (OURS, COMPILED)
        ]
        seconds = statistics.median(measured)
        shares = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        most = f"{memory[name]:.2f}" if name in memory else ""
        print(f"| {name} | {seconds:.2f} | {tokenised.tokens / seconds:,.0f} | {shares} | {most} |")


if __name__ == "__main__":
    main()
