"""What the work of a study costs on a GPU, in the shapes of the paper's models, whose weights are random here.

    python benchmarks/gpu.py [--shape aya-8b bloom-7b polylm-13b] [--device cuda] [--limit 100] [--rounds 5] [--k 2000]

Nothing is downloaded: a shape is a config with random weights in bfloat16, and the packaged model's tokenizer and
vocabulary (extra `quickstart`), so that blocks are as large as the paper's and embeddings of words are not. A shape
needs twice its parameters in bytes, and half as much again to work in. `--shape tiny --device cpu --limit 4
--texts 1 --k 20` shows that the script runs.

Each work is timed after one run that is not counted; its row has the median over the rounds and the lowest and highest.
Its share of the peak is that of the arithmetic in the blocks' linear layers, twice their weights a token, in what the
device reaches in one large product of bfloat16 matrices, measured first; attention, norms and the head are work that
the share does not count. "bare pass" is the forward pass of the same batches by transformers.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
import transformers

import interlingua as il
from interlingua.experts import record_responses, score_neurons
from interlingua.models import LanguageModel
from interlingua.models.batching import TokenisedSentences, batches, tokenise

SHAPES: dict[str, Callable[[int], transformers.PretrainedConfig]] = {
    "aya-8b": lambda words: transformers.CohereConfig(
        vocab_size=words, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=8,
    ),
    "bloom-7b": lambda words: transformers.BloomConfig(vocab_size=words, hidden_size=4096, n_layer=30, n_head=32),
    "polylm-13b": lambda words: transformers.GPT2Config(
        vocab_size=words, n_embd=5120, n_layer=40, n_head=40, n_positions=2048
    ),
    "tiny": lambda words: transformers.LlamaConfig(
        vocab_size=words, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
    ),
}  # fmt: skip
TARGET = "spa_Latn"
NEW_TOKENS = 48


def random_model(shape: str, device: torch.device) -> LanguageModel:
    """Return a model of a shape, its weights drawn on the device."""
    tokenizer = il.load_model(device="cpu", compile="off").tokenizer
    config = SHAPES[shape](len(tokenizer))
    config.name_or_path = shape
    config.bos_token_id, config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    torch.manual_seed(0)
    with device:
        hf = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    return il.load_model((hf.eval(), tokenizer), compile="off")


def synchronised(device: torch.device) -> float:
    """Return the time when the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def seconds(run: Callable[[], object], device: torch.device, rounds: int) -> list[float]:
    """Return what each round of a work took, after one that is not counted."""
    run()
    taken = []
    for _ in range(rounds):
        started = synchronised(device)
        run()
        taken.append(synchronised(device) - started)
    return taken


def peak(device: torch.device, rounds: int) -> float:
    """Return the operations a second of one large product of bfloat16 matrices."""
    size = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * size**3 / statistics.median(seconds(lambda: a @ b, device, rounds))


def operations_of_a_token(model: LanguageModel) -> int:
    """Return the operations of the blocks' linear layers, of which GPT-2's are `Conv1D`."""
    linear = (torch.nn.Linear, transformers.pytorch_utils.Conv1D)
    return 2 * sum(module.weight.numel() for module in model.body.modules() if isinstance(module, linear))


def bare_pass(model: LanguageModel, tokenised: TokenisedSentences) -> None:
    """Run the model over the sentences, and keep nothing."""
    with torch.inference_mode():
        for batch in batches(tokenised, model.device):
            model.body(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)


def works(model: LanguageModel, limit: int, k: int, texts: int) -> Iterator[tuple[str, Callable[[], object], int]]:
    """Yield each work, its name, and how many tokens go through the blocks in it."""
    corpus = il.open_corpus("starter").parallel(limit=limit)
    sentences = [sentence for code in corpus.languages for sentence in corpus[code]]
    tokenised = tokenise(model.tokenizer, sentences, 512)
    read = tokenised.tokens
    experts = il.find_experts(model, corpus)
    steering = il.set_to_mean(experts, TARGET, k=k)
    yield "bare pass", lambda: bare_pass(model, tokenised), read
    yield "embedding", lambda: il.embed(model, sentences), read
    with steering.applied_to(model):
        yield "embedding, steered in weights", lambda: il.embed(model, sentences), read
    with steering.applied_to(model, how="hooks"):
        yield "embedding, steered by hooks", lambda: il.embed(model, sentences), read
    yield "recording", lambda: record_responses(model, sentences, max_length=512), read
    recorded = record_responses(model, sentences, max_length=512).values
    labels = np.repeat(np.arange(len(corpus.languages)), len(corpus))
    yield "ranking", lambda: score_neurons(recorded, labels, len(corpus.languages), device=model.device), 0
    written = texts * NEW_TOKENS
    yield "generation", lambda: il.generate(model, texts, max_new_tokens=NEW_TOKENS), written
    with steering.applied_to(model):
        yield "generation, steered", lambda: il.generate(model, texts, max_new_tokens=NEW_TOKENS), written


def measure(shape: str, device: torch.device, most: float, arguments: argparse.Namespace) -> None:
    """Print the table of a shape."""
    model = random_model(shape, device)
    a_token = operations_of_a_token(model)
    print(f"\n{shape}: {a_token / 2e9:.2f} billion weights in linear layers, {len(model.neurons):,} neurons\n")
    print("| | seconds, median | lowest | highest | tokens/s | share of the peak |\n|---|---|---|---|---|---|")
    for name, run, tokens in works(model, arguments.limit, arguments.k, arguments.texts):
        taken = seconds(run, device, arguments.rounds)
        middle = statistics.median(taken)
        rate = f"{tokens / middle:,.0f} | {a_token * tokens / middle / most:.2f}" if tokens else " | "
        print(f"| {name} | {middle:.3f} | {min(taken):.3f} | {max(taken):.3f} | {rate} |", flush=True)
    if device.type == "cuda":
        print(f"\nMost memory: {torch.cuda.max_memory_allocated(device) / 1e9:.1f} GB")
        torch.cuda.reset_peak_memory_stats(device)


def main() -> None:
    """Measure each shape and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=["aya-8b", "bloom-7b", "polylm-13b"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--limit", type=int, default=100, help="sentences of each language of the starter corpus")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--k", type=int, default=2000)
    parser.add_argument("--texts", type=int, default=64, help="written at once, of 48 tokens each")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    most = peak(device, arguments.rounds)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}: one large product in bfloat16 reaches {most / 1e12:.1f} TFLOP/s")
    for shape in arguments.shape:
        measure(shape, device, most, arguments)
        gc.collect()  # one model's memory, before the next is made
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
