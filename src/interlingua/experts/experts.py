"""The experts of each language: scores of all neurons, and the questions one asks of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from interlingua.artifact import Artifact, load_artifact, pull_artifact, push_artifact, save_artifact
from interlingua.errors import InputError, LanguageError
from interlingua.experts.ranking import auroc_by_language
from interlingua.experts.record import Pooling, record_responses
from interlingua.experts.statistics import ResponseStatistics, response_statistics
from interlingua.languages import language_name, parse_language
from interlingua.models.neurons import NeuronIndex, NeuronLinear
from interlingua.progress import ProgressCallback, silent

if TYPE_CHECKING:
    from interlingua.corpora import ParallelCorpus
    from interlingua.models import LanguageModel

CHANCE = 0.5


@dataclass(frozen=True)
class Experts:
    """How well each neuron tells each language from the others, and what it answers to that language.

    Attributes:
        languages: FLORES-200 codes.
        neurons: The index of the model's neurons.
        auroc: Expertise: float64 [languages, neurons].
        statistics: Of the responses to each language and to the others: float32 [languages, neurons] each.
        sentences: How many sentences each language was probed with.
        made_from: Model, corpus and options, for the manifest of whatever is made of this.
    """

    languages: tuple[str, ...]
    neurons: NeuronIndex
    auroc: np.ndarray
    statistics: ResponseStatistics
    sentences: int
    made_from: Mapping[str, Any]

    def row(self, language: str) -> int:
        """Return the row of a language in `auroc` and the statistics.

        Raises:
            LanguageError: The language was not probed.
        """
        code = parse_language(language)
        if code not in self.languages:
            raise LanguageError(f"no experts for {code}; the probe had {', '.join(self.languages)}")
        return self.languages.index(code)

    def top(self, language: str, k: int) -> np.ndarray:
        """Return the k neurons of highest AUROC for a language, best first: int64 [k].

        Equal neurons stand in the order of the network: layer, module, unit.

        Raises:
            InputError: k is negative, or more than there are neurons.
        """
        row = self.row(language)
        ranked = self._ranked(row, k)
        above_chance = int((self.auroc[row] > CHANCE).sum())
        if k > above_chance:
            warnings.warn(
                f"only {above_chance:,} neurons are above chance (AUROC 0.5) for {language}, fewer than k = {k:,}",
                stacklevel=2,
            )
        return ranked

    def _ranked(self, row: int, k: int) -> np.ndarray:
        scores = self.auroc[row]
        if not 0 <= k <= len(scores):
            raise InputError(f"k must be between 0 and the number of neurons, {len(scores):,}; it is {k:,}")
        return np.argsort(-scores, kind="stable")[:k]

    def table(self, language: str, k: int = 20) -> pd.DataFrame:
        """Return the top k neurons of a language: neuron, layer, module, unit, auroc, mean."""
        row = self.row(language)
        top = self._ranked(row, k)
        return self.neurons.locate(top).assign(auroc=self.auroc[row, top], mean=self.statistics.mean[row, top])

    def overlap(self, k: int) -> pd.DataFrame:
        """Return how many of the top k neurons each pair of languages shares: language, other, k, shared."""
        top = {code: set(self._ranked(row, k).tolist()) for row, code in enumerate(self.languages)}
        pairs = [(a, b, k, len(top[a] & top[b])) for a, b in combinations(self.languages, 2)]
        return pd.DataFrame(pairs, columns=["language", "other", "k", "shared"])

    def summary(self, k: int) -> pd.DataFrame:
        """Return, per language, the mean and lowest AUROC of its top k, and how they spread over the layers.

        Columns: language, k, mean_auroc, lowest_auroc, above_chance, median_layer, and one share per kind of module.
        """
        rows = []
        for i, code in enumerate(self.languages):
            top = self._ranked(i, k)
            where = self.neurons.locate(top)
            kinds = {linear.kind: 0.0 for linear in self.neurons.linears}
            kinds.update(where.module.value_counts(normalize=True))
            rows.append(
                {
                    "language": code,
                    "k": k,
                    "mean_auroc": self.auroc[i, top].mean() if k else float("nan"),
                    "lowest_auroc": self.auroc[i, top].min() if k else float("nan"),
                    "above_chance": int((self.auroc[i] > CHANCE).sum()),
                    "median_layer": where.layer.median(),
                    **{f"share_{kind}": share for kind, share in kinds.items()},
                }
            )
        return pd.DataFrame(rows)

    def save(self, folder: str | Path) -> None:
        """Write the experts to a folder: safetensors, a manifest and a card."""
        description = {
            "languages": list(self.languages),
            "sentences": self.sentences,
            "made_from": dict(self.made_from),
            "linears": [[x.name, x.layer, x.kind, x.units, x.start, x.output] for x in self.neurons.linears],
        }
        arrays = {"auroc": self.auroc, **self.statistics.arrays()}
        save_artifact(Path(folder), "experts", Artifact(arrays, description), self._card())

    @classmethod
    def load(cls, folder: str | Path) -> Experts:
        """Read what `save` wrote.

        Raises:
            ArtifactError: The folder holds no experts, or is damaged.
        """
        artifact = load_artifact(Path(folder), "experts")
        description = artifact.description
        neurons = NeuronIndex(tuple(NeuronLinear(*linear) for linear in description["linears"]))
        arrays = dict(artifact.arrays)
        return cls(
            tuple(description["languages"]),
            neurons,
            arrays.pop("auroc"),
            ResponseStatistics(**arrays),
            description["sentences"],
            description["made_from"],
        )

    def push_to_hub(self, repo_id: str, *, private: bool = False, revision: str | None = None) -> str:
        """Save to a repository `owner/name` on the Hugging Face Hub, and return the address of the commit."""
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "experts"
            self.save(folder)
            return push_artifact(folder, repo_id, private=private, revision=revision)

    @classmethod
    def from_hub(cls, repo_id: str, revision: str | None = None) -> Experts:
        """Read what `push_to_hub` wrote; `revision` pins a commit, tag or branch.

        Raises:
            ArtifactError: It cannot be had, or is damaged.
        """
        return cls.load(pull_artifact(repo_id, revision))

    def _card(self) -> str:
        names = ", ".join(f"{language_name(code)} ({code})" for code in self.languages)
        return (
            f"# Language experts of {self.made_from['model']}\n\nAUROC and mean response of {len(self.neurons):,} MLP "
            f"neurons for {names}, from {self.sentences:,} sentences a language of {self.made_from['corpus']}.\n\n"
            '```python\nimport interlingua as il\n\nexperts = il.Experts.load(".")\n'
            f'experts.table("{self.languages[0]}")\n```\n'
        )


def find_experts(
    model: LanguageModel,
    probe: ParallelCorpus,
    *,
    pooling: Pooling = "mean",
    special_tokens: bool = False,
    max_length: int = 128,
    progress: ProgressCallback = silent,
) -> Experts:
    """Score every neuron of a model as a classifier of each language of a corpus (paper, section 3.2).

    The sentences of a language are its positives, those of all other languages of `probe` its negatives.

    Args:
        model: The model.
        probe: The probing set, for example the split `dev` of a corpus.
        pooling: How a response is pooled over the tokens of a sentence; see `record_responses`.
        special_tokens: Whether tokens that the tokenizer adds count.
        max_length: Sentences are cut to this many tokens.
        progress: Called with what is done.

    Raises:
        InputError: The probe has one language only.
        ActivationError: A response is NaN or infinite.
    """
    languages = probe.languages
    if len(languages) < 2:
        raise InputError(
            f"experts of {languages[0]} need sentences of other languages to be told from; the probe has none"
        )
    sentences = [sentence for code in languages for sentence in probe[code]]
    responses = record_responses(
        model,
        sentences,
        pooling=pooling,
        special_tokens=special_tokens,
        max_length=max_length,
        progress=progress,
    )
    labels = np.repeat(np.arange(len(languages)), len(probe))
    auroc = auroc_by_language(responses.values, labels, len(languages), progress)
    made_from = {
        **model.identity(),
        "corpus": probe.name,
        "split": probe.split,
        "corpus_sha256": probe.fingerprint(),
        "pooling": pooling,
        "special_tokens": special_tokens,
        "max_length": max_length,
        "truncated": responses.truncated,
        "tokens": responses.tokens,
    }
    statistics = response_statistics(responses.values, len(languages), progress)
    return Experts(languages, model.neurons, auroc, statistics, len(probe), made_from)
