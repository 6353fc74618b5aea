"""What perplexity costs, compared with the sliding window of transformers' documentation, and lm-evaluation-harness.

    python benchmarks/perplexity.py [--model gemma3-270m] [--dtype bfloat16] [--text FILE] [--language spa_Latn]
        [--tokens 4096] [--max-length 2048] [--stride 512] [--rounds 3] [--compile off]

The same model in the same dtype scores the same tokens in every way, the ways in turn in each round; the figures are
medians over the rounds. The recipe's mean is taken over tokens, so that it is the same number as ours. The harness
(`pip install lm-eval`; left out where it is absent) has other windows: each starts at the last token of the one
before, which is ours with a window of one token more and the stride of a window, on a whole number of windows.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import interlingua as il
import interlingua.corpora
from interlingua.models import LanguageModel

STARTER = Path(interlingua.corpora.__file__).parent / "data" / "starter" / "text"


def of_tokens(model: LanguageModel, ids: list[int]) -> LanguageModel:
    """Return the model with a tokenizer that gives these tokens for any text."""
    return dataclasses.replace(model, tokenizer=lambda text: {"input_ids": ids})


def recipe(model: LanguageModel, ids: list[int], window: int, stride: int) -> float:
    """Return the log perplexity by the loop of huggingface.co/docs/transformers/perplexity."""
    encoded = torch.tensor([ids], device=model.device)
    total, count, previous = 0.0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        inputs = encoded[:, begin:end]
        targets = inputs.clone()
        targets[:, : -(end - previous)] = -100
        with torch.no_grad():
            loss = model.hf(inputs, labels=targets).loss
        scored = int((targets[:, 1:] != -100).sum())
        total, count, previous = total + float(loss) * scored, count + scored, end
        if end == len(ids):
            break
    return total / count


def harness(model: LanguageModel, ids: list[int], window: int) -> Callable[[], float] | None:
    try:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM
    except ImportError:
        return None

    class OfTokens(HFLM):
        def tok_encode(self, string: str, *arguments: Any, **options: Any) -> list[int]:
            return ids[1:]

        @property
        def prefix_token_id(self) -> int:
            return ids[0]

    with_tokens = OfTokens(pretrained=model.hf, tokenizer=model.tokenizer, max_length=window, batch_size=1)
    request = Instance("loglikelihood_rolling", {}, ("text",), 0)
    return lambda: -with_tokens.loglikelihood_rolling([request], disable_tqdm=True)[0] / (len(ids) - 1)


def compare(ways: dict[str, Callable[[], float]], rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in ways}
    values: dict[str, float] = {}
    for round_ in range(-1, rounds):
        for name, run in ways.items():
            started = time.perf_counter()
            values[name] = run()
            if round_ >= 0:
                times[name].append(time.perf_counter() - started)
    ours = next(iter(ways))
    print("| | log perplexity | differs by | seconds, median | of ours, median |\n|---|---|---|---|---|")
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(measured, times[ours], strict=True))
        differs = abs(values[name] / values[ours] - 1)
        print(f"| {name} | {values[name]:.6f} | {differs:.1e} | {statistics.median(measured):.2f} | {ratio:.2f} |")


def main() -> None:
    """Run the comparisons and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--text", type=Path, help="a text file; by default the starter corpus's of --language")
    parser.add_argument("--language", default="spa_Latn")
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--max-length", type=int, default=2048)
    parser.add_argument("--stride", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", default="off", help="how ours runs: off, on or auto")
    arguments = parser.parse_args()
    window, stride = arguments.max_length, arguments.stride
    model = il.load_model(arguments.model, dtype=arguments.dtype, compile=arguments.compile)
    text = (arguments.text or STARTER / f"{arguments.language}.txt").read_text(encoding="utf-8")
    once = model.tokenizer(text)["input_ids"]
    body = once[1:] * (arguments.tokens // max(1, len(once) - 1) + 1)  # a short text is repeated
    ids = [once[0], *body][: arguments.tokens]
    print(
        f"{arguments.model}, {model.dtype} on {model.device}: {len(ids):,} tokens, window {window}, stride {stride}\n"
    )
    compare(
        {
            "interlingua": lambda: (
                il.perplexity(of_tokens(model, ids), text, max_length=window, stride=stride).log_perplexity
            ),
            "the recipe of transformers' documentation": lambda: recipe(model, ids, window, stride),
        },
        arguments.rounds,
    )
    whole = ids[: 1 + (len(ids) - 1) // window * window]
    run = harness(model, whole, window)
    if run is None:
        print("\nlm-evaluation-harness is not installed (pip install lm-eval)")
        return
    print(f"\n{len(whole):,} tokens, window {window}, context of one token between windows\n")
    joined = of_tokens(model, whole)
    compare(
        {
            "interlingua": lambda: il.perplexity(joined, text, max_length=window + 1, stride=window).log_perplexity,
            "lm-evaluation-harness, rolling": run,
        },
        arguments.rounds,
    )


if __name__ == "__main__":
    main()
