"""What the expert MLPs of a mixture saw of a probe: only the tokens that the router sent them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interlingua.models.neurons import NeuronIndex


@dataclass(frozen=True)
class Routing:
    """How much of each language every expert MLP saw, in the order of `NeuronIndex.expert_mlps`.

    Attributes:
        sentences: Of how many sentences it saw a token that counts: int64 [languages, expert MLPs].
        tokens: How many such tokens it saw: int64 [languages, expert MLPs].
    """

    sentences: np.ndarray
    tokens: np.ndarray

    @classmethod
    def counted(cls, routed: np.ndarray, labels: np.ndarray, languages: int) -> Routing:
        """Count what was routed.

        Args:
            routed: Of each sentence, how many tokens went to each expert MLP: int [sentences, expert MLPs].
            labels: The language of each sentence, from 0: int [sentences].
            languages: How many languages there are.
        """
        of_language = [routed[labels == language] for language in range(languages)]
        return cls(
            np.stack([(part > 0).sum(axis=0) for part in of_language]), np.stack([p.sum(axis=0) for p in of_language])
        )

    def coverage(self, neurons: NeuronIndex, sentences: int) -> np.ndarray:
        """Return of which share of all pairs of a sentence of a language and one of another each neuron saw both.

        Args:
            neurons: The index.
            sentences: How many there are of each language.

        Returns:
            Float64 [languages, neurons]; 1 where a neuron is of no expert MLP.

        Example:
            One expert that saw 4 of 4 sentences of the first language, and 2 of the second:

            >>> from interlingua.models import NeuronLinear
            >>> neurons = NeuronIndex((NeuronLinear("mlp.experts.0.down_proj", 0, "down_proj", 1),))
            >>> Routing(np.array([[4], [2]]), np.array([[9], [5]])).coverage(neurons, sentences=4).tolist()
            [[0.5], [0.5]]
        """
        others = self.sentences.sum(axis=0) - self.sentences
        pairs = self.sentences * others / (sentences**2 * (len(self.sentences) - 1))
        shares = np.ones((len(pairs), len(neurons)))
        for mlp, ids in enumerate(neurons.expert_mlps.values()):
            shares[:, ids] = pairs[:, [mlp]]
        return shares

    def table(self, neurons: NeuronIndex, languages: Sequence[str]) -> pd.DataFrame:
        """Return the counts as a tidy table: language, layer, expert, sentences, tokens."""
        where = neurons.locate([ids[0] for ids in neurons.expert_mlps.values()])[["layer", "expert"]]
        parts = [
            where.assign(language=code, sentences=self.sentences[row], tokens=self.tokens[row])
            for row, code in enumerate(languages)
        ]
        return pd.concat(parts, ignore_index=True)[["language", "layer", "expert", "sentences", "tokens"]]
