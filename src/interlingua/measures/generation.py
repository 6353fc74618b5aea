"""Free generation from the start token alone (paper, section 3.3; figure 3, top)."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from interlingua.errors import ActivationError, InputError
from interlingua.files import require_suffix, written_whole
from interlingua.measures.sampling import Sampler, Sampling
from interlingua.models.batching import tokenise
from interlingua.models.quiet import quiet_transformers
from interlingua.progress import progress_bar

if TYPE_CHECKING:
    from transformers import GenerationConfig
    from transformers.generation import BaseStreamer

    from interlingua.models import LanguageModel

BATCH_SIZE = 32
PAPER_TEXTS, PAPER_SEEDS = 256, tuple(range(8))
"""256 texts for each of eight seeds, 2,048 in all (section 3.3)."""


def generate(
    model: LanguageModel,
    n: int | None = None,
    *,
    prompts: Sequence[str] | None = None,
    chat: bool = False,
    seed: int = 0,
    max_new_tokens: int = 64,
    do_sample: bool = True,
    temperature: float = 1.0,
    top_p: float = 0.9,
    top_k: int = 50,
    min_p: float | None = None,
    repetition_penalty: float = 1.0,
    streamer: BaseStreamer | None = None,
) -> list[str]:
    """Sample texts from the model as it is now, from its start token alone or as continuations of prompts.

    The defaults are the paper's: temperature 1 and top_p 0.9, and top_k 50, which was transformers' own default in the
    version that the paper used. Each text draws from its own stream of random numbers, made from `seed` and its
    position, so that n and the batches do not change which numbers text i draws. In float32 the texts are then the
    same; in bfloat16 the logits of another batch size differ by rounding, and a text may part from there. What a
    checkpoint's `generation_config` asks for besides its end token (a repetition penalty, say) is ignored.

    Args:
        model: The model.
        n: How many texts, by default 8; of each prompt, or without sampling, by default 1.
        prompts: What is continued; by default the start token alone, as in the paper. Those of one length in tokens
            share a batch, so that none is padded.
        chat: Whether each prompt is what a user says to a chat model: the tokenizer's chat template is put around it,
            and the model answers.
        seed: Of the random numbers.
        max_new_tokens: How long a text may be, without its prompt.
        do_sample: Whether to sample; False takes the likeliest token each time.
        temperature: Divides the logits.
        top_p: Sample from the fewest tokens that hold this probability.
        top_k: Sample from this many tokens at most.
        min_p: Sample from tokens that have at least this part of the likeliest one's probability.
        repetition_penalty: Above 1, tokens that are there already become less likely (Keskar et al. 2019).
        streamer: Gets the tokens of a single text as they come, such as transformers' `TextStreamer`.

    Returns:
        n texts without special tokens, or for each prompt in turn its n continuations without the prompt.

    Raises:
        InputError: A setting is out of range, the tokenizer has no start token or no chat template, a prompt is empty
            or too long, or a streamer is given for several texts.

    Example:
        With a `model` in float32, text i is the same however many are asked for:

        >>> generate(model, n=3, seed=1, max_new_tokens=4)[0] == generate(model, n=1, seed=1, max_new_tokens=4)[0]
        True
    """
    from transformers import GenerationConfig, LogitsProcessorList

    sampling = Sampling(do_sample, temperature, top_p, top_k, min_p, repetition_penalty)
    if n is None:
        n = 8 if prompts is None and do_sample else 1
    if n < 1 or max_new_tokens < 1 or seed < 0:
        raise InputError(
            f"generation needs at least one text, one token and a seed of 0 or more, not {n}, {max_new_tokens}, {seed}"
        )
    if n > 1 and not do_sample:
        raise InputError(f"without sampling, {n} texts from one start are the same; ask for one")
    if chat and prompts is None:
        raise InputError("a chat begins with what the user says: give a prompt")
    starts = [[_start_token(model)]] * n if prompts is None else _tokens_of(model, prompts, chat, n)
    if streamer is not None and len(starts) != 1:
        raise InputError(f"a streamer takes one text, and {len(starts)} are asked for")
    longest = max(map(len, starts), default=1)
    if model.positions is not None and longest + max_new_tokens > model.positions:
        after = "the start token" if prompts is None else f"a prompt of {longest}"
        raise InputError(
            f"{max_new_tokens} new tokens after {after} are more than the {model.positions} positions of "
            f"{model.name}; ask for {model.positions - longest} at most"
        )
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=model.hf.generation_config.eos_token_id if model.hf.generation_config else None,
        pad_token_id=model.tokenizer.pad_token_id,
    )
    texts = [""] * len(starts)
    bar = nullcontext() if streamer is not None else progress_bar("Generating", total=len(starts), unit="text")
    with bar as shown:
        for rows in batches_of_one_length([len(start) for start in starts]):
            prompt = torch.tensor([starts[row] for row in rows], device=model.device)
            processors = LogitsProcessorList([_RequireNumbers(), *sampling.before()])
            if do_sample:
                streams = [torch.Generator(model.device).manual_seed(_stream(seed, row)) for row in rows]
                processors.append(Sampler(sampling, streams))
            with torch.inference_mode(), quiet_transformers(), _no_other_settings(model, config):
                output = model.hf.generate(  # ty: ignore
                    prompt,
                    attention_mask=torch.ones_like(prompt),
                    generation_config=config,
                    logits_processor=processors,
                    streamer=streamer,
                )
            written = model.tokenizer.batch_decode(output[:, prompt.shape[1] :], skip_special_tokens=True)
            for row, text in zip(rows, written, strict=True):
                texts[row] = text
            if shown is not None:
                shown.update(len(rows))
    return texts


def _tokens_of(model: LanguageModel, prompts: Sequence[str], chat: bool, n: int) -> list[list[int]]:
    """Return each prompt's tokens n times, with the special tokens that the tokenizer or its chat template adds."""
    if isinstance(prompts, str):
        raise InputError("prompts are a list of texts; put the one in brackets")
    starts = tokenise(model.tokenizer, prompts, sys.maxsize).ids
    if chat:
        if model.tokenizer.chat_template is None:
            raise InputError(
                f"the tokenizer of {model.name} has no chat template: it is no chat model, or its tokenizer came "
                "without one; leave chat out, and prompt it with text to go on from"
            )
        talks = [[{"role": "user", "content": prompt}] for prompt in prompts]
        template: Any = model.tokenizer.apply_chat_template
        starts = template(talks, add_generation_prompt=True, tokenize=True, return_dict=True)["input_ids"]
    return [ids for ids in starts for _ in range(n)]


def batches_of_one_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the rows of batches in which all starts have one length, in tokens.

    Example:
        >>> list(batches_of_one_length([1, 5, 1]))
        [[0, 2], [1]]
    """
    by_length: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        by_length.setdefault(length, []).append(row)
    for rows in by_length.values():
        yield from (rows[first : first + BATCH_SIZE] for first in range(0, len(rows), BATCH_SIZE))


def generate_seeds(
    model: LanguageModel,
    n: int = PAPER_TEXTS,
    seeds: Sequence[int] = PAPER_SEEDS,
    *,
    max_new_tokens: int = 64,
    temperature: float = 1.0,
    top_p: float = 0.9,
    top_k: int = 50,
) -> pd.DataFrame:
    """Sample n texts for each of several seeds; `identify` and `language_shares` measure their languages.

    Args:
        model: The model.
        n: How many texts a seed; the paper has 256.
        seeds: The seeds; the paper has eight.
        max_new_tokens: How long a text may be.
        temperature: Divides the logits.
        top_p: Sample from the fewest tokens that hold this probability.
        top_k: Sample from this many tokens at most.

    Returns:
        One row per text: seed, index (its position among those of its seed), text.

    Example:
        With a `model`:

        >>> texts = generate_seeds(model, 2, [0, 1], max_new_tokens=4)
        >>> texts[["seed", "index"]].to_numpy().tolist()
        [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    tables = []
    for seed in dict.fromkeys(seeds):
        texts = generate(
            model, n, seed=seed, max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p, top_k=top_k
        )
        tables.append(pd.DataFrame({"seed": seed, "index": range(n), "text": texts}))
    if not tables:
        raise InputError("generation needs at least one seed")
    return pd.concat(tables, ignore_index=True)


def write_texts(file: str | Path, texts: pd.DataFrame) -> None:
    """Write texts as JSON lines, whole or not at all.

    Args:
        file: Its suffix must be `.jsonl`.
        texts: One row per text, for example seed, index, text, language, posterior; what is missing becomes null.

    Raises:
        InputError: The suffix is not `.jsonl`.
    """
    path = Path(file)
    require_jsonl(path)
    rows = texts.astype(object).where(texts.notna(), None).to_dict("records")
    with written_whole(path) as temporary:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def require_jsonl(path: Path) -> None:
    """Raise an InputError for a file name that does not end in `.jsonl`."""
    require_suffix(path, ".jsonl", "texts are written as JSON lines")


@contextmanager
def _no_other_settings(model: LanguageModel, config: GenerationConfig) -> Generator[None]:
    """Put a generation config in the place of the model's own, from which `generate` fills what is not set."""
    hf: Any = model.hf
    previous = hf.generation_config
    hf.generation_config = config
    try:
        yield
    finally:
        hf.generation_config = previous


class _RequireNumbers:
    """Raise where the first logits are no numbers: sampling would go on with empty texts."""

    def __init__(self) -> None:
        self.checked = False

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not self.checked and scores.isnan().any():
            raise ActivationError("the model's logits are NaN; try dtype float32 or bfloat16, or another checkpoint")
        self.checked = True
        return scores


def _stream(seed: int, row: int) -> int:
    """Return a seed for one text: mixed, since torch's generator on CPU uses only 32 bits of what it is given."""
    return int(np.random.SeedSequence([seed, row]).generate_state(1)[0])


def _start_token(model: LanguageModel) -> int:
    """Return the model's documented start token: BOS, or EOS or the pad token where there is none."""
    for token in (model.tokenizer.bos_token_id, model.tokenizer.eos_token_id, model.tokenizer.pad_token_id):
        if token is not None:
            return token
    raise InputError(f"the tokenizer of {model.name} has no start token to generate from")
