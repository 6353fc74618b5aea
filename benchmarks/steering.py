"""What steering costs: tokens per second of forward passes and of generation, unsteered, hooked, in weights, and peers.

    python benchmarks/steering.py [--model gemma3-270m] [--k 2000] [--rounds 15]

Every way runs in turn in each round, so that a drift of the machine's speed meets all alike; the figures are medians
over the rounds, and medians of the ratios to the unsteered run of the same round. Peers that are not installed are
left out with a note. pyvene and nnsight set the same units to the same values; steering-vectors adds a vector to the
output of every MLP block and repeng to the residual stream after every block, their nearest edits.
"""

from __future__ import annotations

import argparse
import importlib
import re
import statistics
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch

import interlingua as il
from interlingua.languages import PAPER_PROBE_LANGUAGES

NEW_TOKENS = 32

Way = tuple[Callable[[], AbstractContextManager], Callable[[torch.Tensor], object], Callable[[torch.Tensor], object]]


def plain_forward(model: il.LanguageModel) -> Callable[[torch.Tensor], object]:
    return lambda ids: model.body(input_ids=ids, use_cache=False)


def plain_generate(model: il.LanguageModel) -> Callable[[torch.Tensor], object]:
    options = {"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "do_sample": False}
    return lambda ids: model.hf.generate(ids[:, :1], attention_mask=torch.ones_like(ids[:, :1]), **options)


def with_nnsight(model: il.LanguageModel, edit: il.Intervention) -> Way:
    nnsight = importlib.import_module("nnsight")
    wrapped = nnsight.NNsight(model.hf)
    values = {
        name: (torch.from_numpy(layer_edit.units), torch.from_numpy(layer_edit.shift).to(model.hf.dtype))
        for name, layer_edit in edit.edits.items()
    }

    def forward(ids: torch.Tensor) -> None:
        with wrapped.trace(ids, use_cache=False, logits_to_keep=1):
            for name, (units, shift) in values.items():
                module = wrapped
                for part in name.split("."):
                    module = module[int(part)] if part.isdigit() else getattr(module, part)
                module.output[..., units] = shift

    return nullcontext, forward, None


def with_pyvene(model: il.LanguageModel, edit: il.Intervention) -> Way:
    pyvene = importlib.import_module("pyvene")

    def setting(layer_edit):
        units, shift = torch.from_numpy(layer_edit.units), torch.from_numpy(layer_edit.shift).to(model.hf.dtype)

        def intervene(base, source, subspaces=None):
            base[..., units] = shift
            return base

        return intervene

    config = pyvene.IntervenableConfig(
        [
            {"component": re.sub(r"\.(\d+)\.", r"[\1].", name) + ".output", "intervention": setting(layer_edit)}
            for name, layer_edit in edit.edits.items()
        ]
    )
    intervenable = pyvene.IntervenableModel(config, model=model.hf)

    def forward(ids: torch.Tensor) -> None:
        intervenable({"input_ids": ids, "logits_to_keep": 1, "use_cache": False})

    return nullcontext, forward, None


def with_steering_vectors(model: il.LanguageModel, edit: il.Intervention) -> Way:
    steering_vectors = importlib.import_module("steering_vectors")
    layers = range(model.hf.config.num_hidden_layers)
    vector = steering_vectors.SteeringVector({i: torch.randn(model.hidden_size) for i in layers}, "mlp")
    config = {"mlp": "model.layers.{num}.mlp"}
    apply = lambda: vector.apply(model.hf, layer_config=config)  # noqa: E731
    return apply, plain_forward(model), plain_generate(model)


def with_repeng(model: il.LanguageModel, edit: il.Intervention) -> Way:
    np.float_ = np.float64  # repeng 0.4 names what numpy 2 removed
    repeng = importlib.import_module("repeng")
    layers = list(range(model.hf.config.num_hidden_layers))
    directions = {i: np.random.default_rng(i).normal(size=model.hidden_size).astype(np.float32) for i in layers}

    @contextmanager
    def controlled() -> Generator[None]:
        control = repeng.ControlModel(model.hf, layers)
        control.set_control(repeng.ControlVector(model.hf.config.model_type, directions))
        try:
            yield
        finally:
            control.unwrap()

    return controlled, plain_forward(model), plain_generate(model)


def ways(model: il.LanguageModel, edit: il.Intervention) -> dict[str, Way]:
    """Return what is compared: how to enter it, its forward pass, and its generation."""
    plain = plain_forward(model), plain_generate(model)
    found: dict[str, Way] = {
        "unsteered": (nullcontext, *plain),
        "unsteered, again": (nullcontext, *plain),
        "in weights": (lambda: edit.applied_to(model, "weights"), *plain),
        "hooks": (lambda: edit.applied_to(model, "hooks"), *plain),
    }
    peers = {"pyvene": with_pyvene, "nnsight": with_nnsight, "steering-vectors": with_steering_vectors,
             "repeng": with_repeng}  # fmt: skip
    for name, make in peers.items():
        try:
            way = make(model, edit)
            with way[0](), torch.no_grad():
                way[1](torch.ones(1, 8, dtype=torch.long))
            found[name] = way
        except Exception as error:
            print(f"{name}: left out ({type(error).__name__}: {' '.join(str(error).split())[:160]})")
    return found


def measure(found: dict[str, Way], ids: torch.Tensor, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of each way, by what was run."""
    seconds: dict[str, dict[str, list[float]]] = {"forward": {}, "generate": {}}
    for round_ in range(-2, rounds):
        for name, (enter, forward, generate) in found.items():
            for what, run in (("forward", forward), ("generate", generate)):
                if run is None or (what == "generate" and round_ % 3):
                    continue
                with enter(), torch.no_grad():
                    started = time.perf_counter()
                    for _ in range(10 if what == "forward" else 1):
                        run(ids)
                    elapsed = time.perf_counter() - started
                if round_ >= 0:
                    seconds[what].setdefault(name, []).append(elapsed / (10 if what == "forward" else 1))
    return seconds


def main() -> None:
    """Run the benchmark and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--k", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    model = il.load_model(arguments.model, dtype=arguments.dtype)
    probe = il.open_corpus("starter").parallel(languages=PAPER_PROBE_LANGUAGES, limit=20)
    edit = il.set_to_mean(il.find_experts(model, probe), "spa_Latn", arguments.k)
    ids = torch.randint(5, 1000, (1, 64), generator=torch.Generator().manual_seed(0)).to(model.device)
    print(
        f"{arguments.model}, {model.dtype} on {model.device}, {torch.get_num_threads()} threads, "
        f"k = {arguments.k:,} in {len(edit.edits)} layers; forward: 64 tokens without the head (pyvene and nnsight: "
        "with the last token's head)"
    )
    found = ways(model, edit)
    seconds = measure(found, ids, arguments.rounds)
    for what, tokens in (("forward", 64), ("generate", NEW_TOKENS)):
        print(f"\n| {what} | tokens/s, median | time against unsteered, median | quartiles |\n|---|---|---|---|")
        base = seconds[what]["unsteered"]
        for name, measured in seconds[what].items():
            ratios = [a / b for a, b in zip(measured, base, strict=True)]
            low, _, high = statistics.quantiles(ratios, n=4)
            median = statistics.median(ratios)
            print(f"| {name} | {tokens / statistics.median(measured):,.0f} | {median:.3f} | {low:.3f} to {high:.3f} |")


if __name__ == "__main__":
    main()
