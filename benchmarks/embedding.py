"""What embedding costs, compared with sentence-transformers and with the bare matrix products of the same batches.

    python benchmarks/embedding.py [--model gemma3-270m] [--dtype bfloat16] [--corpus starter] [--split devtest]
        [--limit 10] [--budget 512 ...] [--batch-size 32 ...] [--rounds 5]

The same model in the same dtype embeds the same sentences (all languages of the corpus, the first N of each) in every
way, the ways in turn in each round; the figures are medians over the rounds. sentence-transformers has mean pooling and
its own defaults (batches of 32 sentences, no head), and other batch sizes as well. The bare matrix products are those
of the linear layers on batches of the same shapes, without anything between them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable

import numpy as np
import torch

import interlingua as il
from interlingua.models import LanguageModel
from interlingua.models.batching import TokenisedSentences, batches, tokenise


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


def sentence_transformer(model: LanguageModel, folder: str):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    model.save_pretrained(folder)
    transformer = Transformer(folder, max_seq_length=512, model_kwargs={"dtype": model.hf.dtype})
    pooling = Pooling(model.hidden_size, pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling], device=str(model.device))


def differences(ours: np.ndarray, theirs: np.ndarray) -> str:
    lengths = np.linalg.norm(ours, axis=1)
    cosine = 1 - (ours * theirs).sum(axis=1) / lengths / np.linalg.norm(theirs, axis=1)
    relative = np.linalg.norm(ours - theirs, axis=1) / lengths
    return f"cosine distance at most {cosine.max():.1e}, relative distance at most {relative.max():.1e}"


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--corpus", default="starter", help="a registered corpus or a folder")
    parser.add_argument("--split", default="devtest")
    parser.add_argument("--limit", type=int, default=10)
    parser.add_argument("--budget", type=int, nargs="*", default=[], help="other token budgets")
    parser.add_argument("--batch-size", type=int, nargs="*", default=[32, 8], help="those of sentence-transformers")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    model = il.load_model(arguments.model, dtype=arguments.dtype)
    corpus = il.open_corpus(arguments.corpus).parallel(arguments.split, limit=arguments.limit)
    sentences = [sentence for code in corpus.languages for sentence in corpus[code]]
    tokenised = tokenise(model.tokenizer, sentences, 512)
    with tempfile.TemporaryDirectory() as folder:
        peer = sentence_transformer(model, folder)
    ways: dict[str, Callable[[], object]] = {"interlingua": lambda: il.embed(model, sentences)}
    for size in arguments.batch_size:
        ways[f"sentence-transformers, batches of {size}"] = lambda size=size: peer.encode(sentences, batch_size=size)
    for budget in arguments.budget:
        ways[f"interlingua, {budget} tokens a batch"] = lambda b=budget: il.embed(model, sentences, token_budget=b)
    ways["all layers in one pass"] = lambda: il.embed_layers(model, sentences)
    ways["bare matrix products"] = lambda: matrix_products(model, tokenised, None)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(-1, arguments.rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            if round_ >= 0:
                times[name].append(time.perf_counter() - started)
    print(
        f"{arguments.model}, {model.dtype} on {model.device}: {len(sentences):,} sentences, {tokenised.tokens:,} "
        f"tokens\nagainst sentence-transformers: {differences(il.embed(model, sentences), peer.encode(sentences))}\n"
    )
    print("| | seconds, median | tokens/s | of ours, median |\n|---|---|---|---|")
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(measured, times["interlingua"], strict=True))
        seconds = statistics.median(measured)
        print(f"| {name} | {seconds:.2f} | {tokenised.tokens / seconds:,.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
