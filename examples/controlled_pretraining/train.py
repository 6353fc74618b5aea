"""Train a small causal LM from scratch on a fixed number of tokens, in given shares of languages.

    python train.py cloned.yaml [--shares '{eng_Latn: 0.95, kor_Hang: 0.05}'] [--seed 0] --out models/cloned-05-0

The data is what `prepare.py` wrote. The model is a Llama, trained by transformers' `Trainer`, which goes on where it
was stopped. `out` is a checkpoint as any other: `interlingua study --model OUT`. Its `config.json` has the shares as
`language_shares`, from which interlingua knows what the model was trained on; `loss.csv` has the held-out loss of each
language along the way, and `training.yaml` the whole config.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
import yaml
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
    default_data_collator,
)
from transformers.trainer_utils import get_last_checkpoint

HELD_OUT = 100
"""Sequences of each language that the loss is measured on."""


@dataclass(frozen=True)
class Training:
    """A model to be trained.

    Attributes:
        data: The folder that `prepare.py` wrote.
        shares: Of the tokens, by language.
        tokens: How many tokens are read, whatever the shares.
        layers, dimensions, units, heads: Of the model.
        length: Tokens a sequence.
        batch: Sequences a step.
        learning_rate: At its highest.
        seed: Of weights, and of the order and choice of sequences.
        bf16: Whether products are computed in bfloat16; the weights are float32 all the same.
    """

    data: str
    shares: dict[str, float] = field(default_factory=dict)
    tokens: int = 4_000_000
    layers: int = 4
    dimensions: int = 192
    units: int = 512
    heads: int = 6
    length: int = 128
    batch: int = 32
    learning_rate: float = 2e-3
    seed: int = 0
    bf16: bool = False


class Sequences(torch.utils.data.Dataset):
    """Sequences of equal length, as `Trainer` reads them."""

    def __init__(self, ids: np.ndarray) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, i: int) -> dict[str, list[int]]:
        return {"input_ids": self.ids[i].tolist(), "labels": self.ids[i].tolist()}


def packed(tokenizer: PreTrainedTokenizerFast, path: Path, length: int) -> np.ndarray:
    """Return a file's tokens, paragraph after paragraph, in sequences of `length`; the rest is left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    end = tokenizer.eos_token_id
    stream = np.array([i for ids in tokenizer(lines)["input_ids"] for i in [*ids, end]], dtype=np.int32)
    return stream[: len(stream) // length * length].reshape(-1, length)


def mixed(sequences: dict[str, np.ndarray], training: Training) -> np.ndarray:
    """Return the sequences to be read, in order: of each language its share, as often again as that needs."""
    drawn = np.random.default_rng(training.seed)
    total = training.tokens // training.length
    parts = []
    for code, portion in training.shares.items():
        wanted, there = round(total * portion), sequences[code]
        rounds = -(-wanted // len(there))
        order = np.concatenate([drawn.permutation(len(there)) for _ in range(max(rounds, 1))])[:wanted]
        parts.append(there[order])
    return drawn.permutation(np.concatenate(parts), axis=0)


def new_model(training: Training, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Return a model with random weights, drawn by the seed."""
    torch.manual_seed(training.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=training.dimensions, intermediate_size=training.units,
        num_hidden_layers=training.layers, num_attention_heads=training.heads, max_position_embeddings=1024,
        tie_word_embeddings=True, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, language_shares=training.shares,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def train(training: Training, out: Path) -> None:
    """Train, or go on with it, and write the checkpoint."""
    data = Path(training.data)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(data / "tokenizer")
    codes = [code for code, portion in training.shares.items() if portion > 0]
    sequences = {code: packed(tokenizer, data / "train" / f"{code}.txt", training.length) for code in codes}
    held_out = {
        path.stem: Sequences(packed(tokenizer, path, training.length)[:HELD_OUT])
        for path in sorted((data / "text").glob("*.txt"))
    }
    steps = training.tokens // (training.length * training.batch)
    arguments = TrainingArguments(
        output_dir=str(out / "steps"), seed=training.seed, data_seed=training.seed, max_steps=steps,
        per_device_train_batch_size=training.batch, per_device_eval_batch_size=training.batch,
        learning_rate=training.learning_rate, lr_scheduler_type="cosine", warmup_steps=max(1, steps // 20),
        weight_decay=0.1, adam_beta2=0.95, eval_strategy="steps", eval_steps=max(1, steps // 12),
        save_strategy="steps", save_steps=max(1, steps // 6), save_total_limit=1, logging_steps=max(1, steps // 24),
        report_to="none", disable_tqdm=True,
        dataloader_pin_memory=False, bf16=training.bf16,
        use_cpu=not torch.accelerator.is_available(),
    )  # fmt: skip
    trainer = Trainer(
        new_model(training, tokenizer), arguments, data_collator=default_data_collator,
        train_dataset=Sequences(mixed({code: sequences[code] for code in codes}, training)), eval_dataset=held_out,
    )  # fmt: skip
    last = get_last_checkpoint(str(out / "steps")) if (out / "steps").is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    trainer.model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "training.yaml").write_text(yaml.safe_dump(asdict(training), sort_keys=False), encoding="utf-8")
    write_losses(trainer.state.log_history, out / "loss.csv")


def write_losses(history: list[dict[str, float]], path: Path) -> None:
    """Write the held-out loss of each language, in nats a token, by step."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "language", "loss"])
        for entry in history:
            for name, value in entry.items():
                if name.startswith("eval_") and name.endswith("_loss"):
                    writer.writerow([int(entry["step"]), name[len("eval_") : -len("_loss")], round(value, 4)])


def main() -> None:
    """Parse and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--shares", type=yaml.safe_load, help="instead of the config's")
    parser.add_argument("--seed", type=int, help="instead of the config's")
    parser.add_argument("--tokens", type=int, help="instead of the config's")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    given = {name: value for name in ("shares", "seed", "tokens") if (value := getattr(arguments, name)) is not None}
    training = replace(Training(**yaml.safe_load(arguments.config.read_text(encoding="utf-8"))), **given)
    if abs(sum(training.shares.values()) - 1) > 1e-6:
        parser.error(f"the shares of languages add up to {sum(training.shares.values()):g}, not to 1")
    train(training, arguments.out)


if __name__ == "__main__":
    main()
