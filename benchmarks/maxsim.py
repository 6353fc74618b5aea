"""What matching mapped tokens adds to an aligner's cosine: MaxSim (Khattab and Zaharia 2020, "ColBERT").

    python benchmarks/maxsim.py --aligner FOLDER --pairs FOLDER [--language jpn_Jpan ...] [--limit 300]

Pairs of each language with English are retrieved by cosine, and the ten nearest ordered anew by cosine plus a weight
times how well their tokens match, each mapped as a sentence is: the mean over tokens of the highest cosine with a token
of the other sentence, both ways. Gains are over cosine alone, with intervals of a paired bootstrap over pairs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

import interlingua as il
from interlingua.alignment.judge import INTERVAL, bootstrapped
from interlingua.alignment.linear import unit_length
from interlingua.corpora import load_bitexts
from interlingua.models.batching import Batch, for_each_batch, tokenise

WEIGHTS = (0, 0.5, 1, 2)
NEAREST = 10


def mapped_tokens(aligner: il.Aligner, sentences: list[str]) -> list[np.ndarray]:
    """Return what an aligner maps each token of a sentence to, but those that the tokenizer adds: [tokens, outputs]."""
    matrix, offset = aligner.alignment.weight_and_bias()
    model, result = aligner.model, [np.empty(0)] * len(sentences)

    def read(batch: Batch) -> None:
        asked = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        with torch.inference_mode():
            states = model.body(**asked, output_hidden_states=True, use_cache=False).hidden_states
        joined = torch.cat([states[layer] for layer in aligner.layers], dim=-1).float().numpy()
        for row, tokens, counted in zip(batch.rows, joined, batch.attention_mask.bool() & ~batch.special, strict=True):
            result[row] = tokens[counted.numpy()] @ matrix.T + offset

    for_each_batch(tokenise(model.tokenizer, sentences, 512), model.device, read)
    return result


def rescored(queries: list[np.ndarray], candidates: list[np.ndarray]) -> np.ndarray:
    """Return whether each query finds the candidate of its own number, by each weight: bool [queries, weights]."""
    of_queries, of_candidates = (
        unit_length(np.stack([x.mean(axis=0) for x in side])) for side in (queries, candidates)
    )
    cosines = of_queries @ of_candidates.T
    found = np.empty((len(queries), len(WEIGHTS)), dtype=bool)
    for i, nearest in enumerate(np.argsort(-cosines, axis=1)[:, :NEAREST]):
        alike = [unit_length(queries[i]) @ unit_length(candidates[j]).T for j in nearest]
        matches = np.array([(pair.max(axis=0).mean() + pair.max(axis=1).mean()) / 2 for pair in alike])
        for n, weight in enumerate(WEIGHTS):
            found[i, n] = nearest[np.argmax(cosines[i, nearest] + weight * matches)] == i
    return found


def main() -> None:
    """Retrieve and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aligner", type=Path, required=True)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--language", nargs="*")
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    aligner = il.Aligner.from_pretrained(arguments.aligner)
    found = []
    codes = arguments.language or aligner.alignment.languages
    for corpus in load_bitexts([arguments.pairs], codes, arguments.limit).values():
        left, right = (mapped_tokens(aligner, list(side)) for side in (corpus.left, corpus.right))
        there, back = rescored(left, right), rescored(right, left)
        found.append((there.astype(float) + back) / 2)
        print(corpus.languages, np.round(found[-1].mean(axis=0), 4), flush=True)
    drawn = np.mean([bootstrapped(part, 1000, i) for i, part in enumerate(found)], axis=0)
    top1 = np.mean([part.mean(axis=0) for part in found], axis=0)
    print("| weight | top-1 | gain |\n|---|---|---|")
    for n, weight in enumerate(WEIGHTS):
        low, high = np.percentile(drawn[:, n] - drawn[:, 0], INTERVAL)
        print(f"| {weight} | {top1[n]:.4f} | {top1[n] - top1[0]:+.4f} [{low:+.4f}, {high:+.4f}] |")


if __name__ == "__main__":
    main()
