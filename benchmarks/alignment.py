"""What a cut model costs, what the choice of a recipe depends on, how tokens may be weighted, and other bitext.

    python benchmarks/alignment.py cost [--model gemma3-270m] [--dtype bfloat16] [--layer 6] [--limit 10] [--rounds 5]
    python benchmarks/alignment.py encode [--model gemma3-270m] [--dtype float32] --layer 6 10 [--limit 3] [--rounds 5]
        [--onnx]
    python benchmarks/alignment.py seeds --corpus FOLDER --folder EMBEDDINGS [--language eng_Latn ...] [--layer 6 ...]
        [--folds 3 5] [--seed 0 1 2]
    python benchmarks/alignment.py tokens --corpus FOLDER [--language ...] [--layer 6]
    python benchmarks/alignment.py judge --corpus FOLDER --folder EMBEDDINGS [--language ...] [--layer 6 9] [--raw 18]
        [--shrinkage 0.01]
    python benchmarks/alignment.py bitext --corpus FOLDER --folder EMBEDDINGS --pairs FOLDER [--language ...]

`--special-tokens` counts the tokens that the tokenizer adds in a sentence's mean, in `seeds`, `judge` and `bitext`.

`cost` embeds the same sentences (of all languages of the starter corpus, the first N of each) with the whole model, as
what reads the last layer must, with the model cut one block above the layer, and with the model that ends at the layer
and its final norm, in turn in each round. Memory is that of the weights.

`encode` encodes such sentences with an aligner of the highest layer alone, of all layers, and of all layers and the
lowest by SIF, these reduced to as many dimensions as the first has, and with their exports by sentence-transformers, in
turn in each round; with `--onnx` by onnxruntime too. Maps are random, since their numbers do not decide the time. CPU
seconds are those of all threads.

`seeds` chooses WCCN's layer and shrinkage by cross-validation inside the split dev, with different folds and seeds,
fits the choice on all of dev, and judges it on devtest by cosine. It keeps embeddings in a folder, which may be that of
`interlingua compare` (its `embeddings`).

`tokens` pools the hidden states of one layer in several ways, and scores WCCN (grand mean, shrinkage 0.01) behind each
by cross-validation inside dev: three folds, by cosine.

`judge` fits one recipe, WCCN with the grand mean, on dev and judges it on devtest by cosine, beside layers as they are:
`--layer 6 9 --shrinkage 0.001 --raw 12 18`. It is for when there are too many languages to compare everything.

`bitext` fits WCCN (grand mean, shrinkage 0.01) in one layer on the split dev, and retrieves the pairs of each language
with English in other bitext, Tatoeba for one, with the cut model, by cosine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

import interlingua as il
from interlingua.alignment.blocks import sif_weights
from interlingua.alignment.choose import simplest_of_the_best
from interlingua.alignment.cut import cut
from interlingua.alignment.held_out import HeldOut
from interlingua.alignment.judge import INTERVAL, bootstrapped, find_hits
from interlingua.alignment.linear import LinearAlignment
from interlingua.alignment.methods import Recipe
from interlingua.alignment.search import search_recipes
from interlingua.alignment.spaces import embed_to_disk
from interlingua.corpora import load_bitexts
from interlingua.models import LanguageModel
from interlingua.models.batching import Batch, for_each_batch, tokenise

RARE = 1e-3  # the constant of SIF (Arora et al. 2017)


def weights(model: LanguageModel) -> tuple[float, float]:
    """Return the MB of a model's weights, and of those in blocks and norms: embeddings are shared by all cuts."""
    sizes = {
        name: parameter.numel() * parameter.element_size() / 1e6 for name, parameter in model.body.named_parameters()
    }
    embeddings = sum(size for name, size in sizes.items() if "embed_tokens" in name or "wte" in name)
    return sum(sizes.values()), sum(sizes.values()) - embeddings


def cost(arguments: argparse.Namespace) -> None:
    model = il.load_model(arguments.model, dtype=arguments.dtype)
    corpus = il.open_corpus("starter").parallel("devtest", limit=arguments.limit)
    sentences = [sentence for code in corpus.languages for sentence in corpus[code]]
    layer = arguments.layer
    ways = {
        "whole, last layer": (model, -1),
        f"cut, layer {layer}": (cut(model, layer), layer),
        f"cut, layer {layer} behind the final norm": (cut(model, layer, final_norm=True), -1),
    }
    calls = {name: partial(il.embed, variant, sentences, layer=read) for name, (variant, read) in ways.items()}
    times, _ = in_turn(calls, arguments.rounds)
    tokens = tokenise(model.tokenizer, sentences, 512).tokens
    print(f"{arguments.model}, {model.dtype} on {model.device}: {len(sentences):,} sentences, {tokens:,} tokens\n")
    print("| | blocks | seconds, median | tokens/s | of the whole, median | weights, MB | without embeddings, MB |")
    print("|---|---|---|---|---|---|---|")
    whole = next(iter(times.values()))
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(measured, whole, strict=True))
        blocks = ways[name][0].hf.config.get_text_config().num_hidden_layers
        seconds = statistics.median(measured)
        everything, inner = weights(ways[name][0])
        print(
            f"| {name} | {blocks} | {seconds:.2f} | {tokens / seconds:,.0f} | {ratio:.2f} | {everything:,.0f} "
            f"| {inner:,.0f} |"
        )


def encode(arguments: argparse.Namespace) -> None:
    from sentence_transformers import SentenceTransformer

    whole = il.load_model(arguments.model, dtype=arguments.dtype)
    corpus = il.open_corpus("starter").parallel("devtest", limit=arguments.limit)
    sentences = [sentence for code in corpus.languages for sentence in corpus[code]]
    layers = sorted(arguments.layer)
    model, rare = cut(whole, layers[-1]), sif_weights(whole, [sentences])
    ways: dict[tuple[str, str], Callable[[list[str]], np.ndarray]] = {}
    with TemporaryDirectory() as folder:
        for read, sif in ((layers[-1:], ()), (layers, ()), (layers, layers[:1])):
            size = model.hf.config.get_text_config().hidden_size
            matrix = np.random.default_rng(0).normal(size=(1, size, size * len([*read, *sif])))
            map_ = LinearAlignment(("eng_Latn",), np.zeros((1, matrix.shape[2])), matrix)
            made_from = {"model": arguments.model, "recipe": "a random map"}
            aligner = il.Aligner(model, tuple(read), map_, made_from, sif=tuple(sif), token_weights=rare)
            name = "+".join(map(str, aligner.blocks))
            aligner.save_sentence_transformer(Path(folder) / name)
            exported = SentenceTransformer(str(Path(folder) / name), device="cpu")
            ways["aligner.encode", name] = aligner.encode
            ways["SentenceTransformer.encode", name] = partial(exported.encode, show_progress_bar=False)
            if arguments.onnx:
                aligner.save_onnx(Path(folder) / f"{name} onnx")
                ways["onnxruntime", name] = onnx_encoder(Path(folder) / f"{name} onnx")
    wall, cpu = in_turn({key: partial(way, sentences) for key, way in ways.items()}, arguments.rounds)
    print(f"{arguments.model}, {model.dtype}: {len(sentences):,} sentences, {torch.get_num_threads()} threads\n")
    print("| | layers | seconds, median | of one layer, median | CPU seconds | of one layer, median |")
    print("|---|---|---|---|---|---|")
    for what, name in ways:
        cells = []
        for times in (wall, cpu):
            one = times[what, str(layers[-1])]
            ratio = statistics.median(a / b for a, b in zip(times[what, name], one, strict=True))
            cells.append(f"{statistics.median(times[what, name]):.2f} | {ratio:.3f}")
        print(f"| {what} | {name} | {' | '.join(cells)} |")


def onnx_encoder(folder: Path) -> Callable[[list[str]], np.ndarray]:
    """Return what encodes by onnxruntime, 32 sentences of like length at a time, on as many threads as torch has."""
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(folder / "model.onnx", options)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def encode(sentences: list[str]) -> np.ndarray:
        order = np.argsort([len(sentence) for sentence in sentences])
        rows = []
        for batch in np.array_split(order, -(-len(order) // 32)):
            read = tokenizer.encode_batch([sentences[i] for i in batch])
            inputs = {"input_ids": [x.ids for x in read], "attention_mask": [x.attention_mask for x in read]}
            rows.append(session.run(None, {name: np.array(value) for name, value in inputs.items()})[0])
        return np.concatenate(rows)[np.argsort(order)]

    return encode


def in_turn(ways: Mapping[Any, Callable[[], object]], rounds: int) -> tuple[dict[Any, list[float]], ...]:
    """Return the wall and CPU seconds of each way in each round, after a round that does not count."""
    wall: dict[Any, list[float]] = {key: [] for key in ways}
    cpu: dict[Any, list[float]] = {key: [] for key in ways}
    for round_ in range(-1, rounds):
        for key, way in ways.items():
            started, used = time.perf_counter(), time.process_time()
            way()
            if round_ >= 0:
                cpu[key].append(time.process_time() - used)
                wall[key].append(time.perf_counter() - started)
    return wall, cpu


def seeds(arguments: argparse.Namespace) -> None:
    model = il.load_model(arguments.model, dtype=arguments.dtype)
    dev, devtest = (
        embed_to_disk(
            model,
            il.open_corpus(arguments.corpus)
            .parallel(split, languages=arguments.language, limit=arguments.limit)
            .sentences,
            arguments.folder,
            layers=arguments.layer,
            special_tokens=arguments.special_tokens,
        )
        for split in ("dev", "devtest")
    )
    print("| folds | seed | chosen | held out | devtest |\n|---|---|---|---|---|")
    for folds in arguments.folds:
        for seed in arguments.seed:
            tried = search_recipes(HeldOut(dev, folds=folds, seed=seed), ["wccn"], max_blocks=1)
            recipe = simplest_of_the_best(tried)
            held_out = tried[recipe]
            judged = find_hits(recipe, dev, devtest).top1()
            print(f"| {folds} | {seed} | {recipe} | {held_out:.4f} | {judged:.4f} |", flush=True)


def weights_of_tokens(batch: Batch, hidden: torch.Tensor, frequency: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return [sentences, tokens] for each way of weighting tokens; what is padded weighs nothing."""
    real = batch.attention_mask.float()
    position = torch.arange(1, real.shape[1] + 1, device=real.device)
    rare = RARE / (RARE + frequency[batch.input_ids])
    return {
        "equal": real,
        "equal, special tokens left out": real * ~batch.special,
        "by position (SGPT)": real * position,
        "rare tokens more (SIF)": real * rare,
        "rare tokens more, special left out": real * rare * ~batch.special,
        "every token at unit length": real / hidden.norm(dim=-1).clamp_min(1e-6),
    }


def tokens(arguments: argparse.Namespace) -> None:
    (layer,) = arguments.layer
    model = cut(il.load_model(arguments.model, dtype=arguments.dtype), layer)
    probe = il.open_corpus(arguments.corpus).parallel("dev", languages=arguments.language, limit=arguments.limit)
    tokenised = {code: tokenise(model.tokenizer, probe[code], 512) for code in probe.languages}
    counts = torch.bincount(torch.tensor([i for texts in tokenised.values() for ids in texts.ids for i in ids]))
    frequency = counts / counts.sum()
    ways: dict[str, dict[str, np.ndarray]] = {}
    for code, texts in tokenised.items():

        def read(batch: Batch, code: str = code) -> None:
            asked = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            with torch.inference_mode():
                hidden = model.body(**asked, output_hidden_states=True, use_cache=False).hidden_states[layer].float()
            for name, weight in weights_of_tokens(batch, hidden, frequency).items():
                pooled = torch.einsum("st,std->sd", weight, hidden) / weight.sum(dim=1, keepdim=True)
                space = ways.setdefault(name, {}).setdefault(code, np.empty((len(probe), hidden.shape[-1]), np.float32))
                space[batch.rows] = pooled.numpy()

        for_each_batch(texts, model.device, read)
    print("| weight of tokens | held out |\n|---|---|")
    for name, spaces in ways.items():
        print(f"| {name} | {HeldOut({layer: spaces}).top1(Recipe('wccn', (layer,))):.4f} |", flush=True)


def judge(arguments: argparse.Namespace) -> None:
    model = il.load_model(arguments.model, dtype=arguments.dtype)
    layers = sorted({*arguments.layer, *arguments.raw})
    dev, devtest = (
        embed_to_disk(
            model,
            il.open_corpus(arguments.corpus).parallel(split, languages=arguments.language).sentences,
            arguments.folder,
            layers=layers, special_tokens=arguments.special_tokens,
        )
        for split in ("dev", "devtest")
    )  # fmt: skip
    judged = [Recipe("identity", (layer,)) for layer in arguments.raw]
    judged.append(Recipe("wccn", tuple(arguments.layer), shrinkage=arguments.shrinkage))
    for recipe in judged:
        hits = find_hits(recipe, dev, devtest, "cosine")
        low, high = np.percentile(bootstrapped(hits.of_sentences()[:, None], 1000, 0), INTERVAL)
        print(f"| {recipe} | {hits.top1():.4f} [{low:.4f}, {high:.4f}] |", flush=True)
    for i, code in enumerate(hits.languages):
        row = hits.pairs & (np.arange(len(hits.languages)) == i)[:, None]
        print(f"query {code}: {hits.top1(row):.4f}")


def bitext(arguments: argparse.Namespace) -> None:
    model = il.load_model(arguments.model, dtype=arguments.dtype)
    probe = il.open_corpus(arguments.corpus).parallel("dev", languages=arguments.language).sentences
    (layer,) = arguments.layer
    special = arguments.special_tokens
    spaces = embed_to_disk(model, probe, arguments.folder, layers=[layer], special_tokens=special)
    alignment = Recipe("wccn", (layer,)).fit(spaces)
    aligner = il.Aligner(cut(model, layer), (layer,), alignment, {}, special_tokens=special)
    tables = []
    for corpus in load_bitexts([arguments.pairs], list(probe), arguments.limit).values():
        sides = aligner.encode(corpus.left), aligner.encode(corpus.right)
        gold = {corpus.languages: np.array(corpus.gold)}
        tables.append(il.bitext({corpus.languages: sides}, gold=gold).set_index(["query", "candidate"]).top1)
        print(tables[-1].to_string(header=False), flush=True)
    everything = pd.concat(tables).reset_index()
    to_english = everything[everything.candidate == "eng_Latn"].top1
    from_english = everything[everything["query"] == "eng_Latn"].top1
    print(f"mean over {len(to_english)} languages: to English {to_english.mean():.4f}, back {from_english.mean():.4f}")


def main() -> None:
    """Run one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["cost", "encode", "seeds", "tokens", "judge", "bitext"])
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--layer", type=int, nargs="*", default=[6])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--onnx", action="store_true")
    parser.add_argument("--corpus")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--pairs")
    parser.add_argument("--special-tokens", action="store_true")
    parser.add_argument("--raw", type=int, nargs="*", default=[18])
    parser.add_argument("--shrinkage", type=float, default=0.01)
    parser.add_argument("--language", nargs="*")
    parser.add_argument("--folds", type=int, nargs="*", default=[3, 5])
    parser.add_argument("--seed", type=int, nargs="*", default=[0, 1, 2])
    arguments = parser.parse_args()
    if arguments.what == "cost":
        (arguments.layer,), arguments.limit = arguments.layer, arguments.limit or 10
        cost(arguments)
    elif arguments.what == "encode":
        arguments.limit = arguments.limit or 3
        encode(arguments)
    elif arguments.what == "seeds":
        seeds(arguments)
    elif arguments.what == "tokens":
        tokens(arguments)
    elif arguments.what == "judge":
        judge(arguments)
    else:
        bitext(arguments)


if __name__ == "__main__":
    main()
