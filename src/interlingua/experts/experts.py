"""The experts of each language: scores of all neurons, and the questions one asks of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, replace
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from interlingua.artifact import Artifact, HubArtifact, damaged, load_artifact, save_artifact
from interlingua.errors import InputError, LanguageError
from interlingua.experts.card_of_experts import OF_CARD, card_of_experts
from interlingua.experts.finders import FINDERS, NO_EVIDENCE
from interlingua.experts.routing import Routing
from interlingua.experts.statistics import CHANCE, STATISTICS, NeuronScores, ResponseStatistics
from interlingua.files import written_whole
from interlingua.languages import parse_language
from interlingua.models.neurons import NeuronIndex, NeuronLinear
from interlingua.valid import require_array

SPREAD = ["language", "layer", "module", "k", "experts", "share"]


class ExpertsFields(BaseModel):
    """What the manifest of experts has."""

    languages: list[str]
    linears: list[tuple[str, int, str, int, int, bool] | tuple[str, int, str, int, int, bool, bool]]
    sentences: int
    made_from: dict[str, Any]
    ranked_by: str


@dataclass(frozen=True)
class Experts(HubArtifact):
    """How well each neuron tells each language from the others, and what it answers to that language.

    Attributes:
        languages: FLORES-200 codes.
        neurons: The index of the model's neurons.
        auroc: Expertise: float64 [languages, neurons].
        average_precision: The other common score: float64 [languages, neurons].
        statistics: Of the responses to each language and to the others: float32 [languages, neurons] each.
        sentences: How many sentences each language was probed with.
        made_from: Model, corpus and options, for the manifest of whatever is made of this.
        activity: The share of a language's tokens at which each neuron is above 0, where it was recorded: float32
            [languages, neurons].
        ranked_by: The finder by which neurons are ranked, `auroc` (the paper's) or another of `FINDERS`.
        ranking: Its scores, where it is not `auroc`: float64 [languages, neurons].
        routing: What each expert MLP saw of the probe, in a model with mixtures of experts.

    Example:
        With six neurons and three languages; neuron 1 is the best for Spanish, then neuron 3:

        >>> experts.top("Spanish", 2).tolist()
        [1, 3]
        >>> experts.table("Spanish", 2)[["neuron", "layer", "module", "unit", "auroc", "mean", "other_mean"]]
           neuron  layer   module  unit  auroc  mean  other_mean
        0       1      0  up_proj     1  1.000   9.0         1.0
        1       3      0  up_proj     3  0.875   3.5         1.5
        >>> experts.overlap(2)
           language     other  k  shared
        0  eng_Latn  spa_Latn  2       0
        1  eng_Latn  jpn_Jpan  2       1
        2  spa_Latn  jpn_Jpan  2       0
    """

    languages: tuple[str, ...]
    neurons: NeuronIndex
    auroc: np.ndarray
    average_precision: np.ndarray
    statistics: ResponseStatistics
    sentences: int
    made_from: Mapping[str, Any]
    activity: np.ndarray | None = None
    ranked_by: str = "auroc"
    ranking: np.ndarray | None = None
    routing: Routing | None = None

    def row(self, language: str) -> int:
        """Return the row of a language in `auroc` and the statistics.

        Raises:
            LanguageError: The language was not probed.
        """
        code = parse_language(language)
        if code not in self.languages:
            raise LanguageError(f"no experts for {code}; the probe had {', '.join(self.languages)}")
        return self.languages.index(code)

    def rank_by(self, finder: str) -> Experts:
        """Return the same experts, ranked by another finder: whatever is made of them takes its top k from that.

        Args:
            finder: A name in `FINDERS`, which `interlingua list finders` explains.

        Raises:
            InputError: There is no such finder, or it needs `activity`, which was not recorded.
        """
        if finder not in FINDERS:
            raise InputError(f"unknown finder '{finder}'; use {', '.join(FINDERS)}")
        if finder == "auroc":  # what experts hold anyway
            made_from = {name: value for name, value in self.made_from.items() if name != "ranked_by"}
            return replace(self, ranked_by=finder, ranking=None, made_from=made_from)
        return self.with_ranking(finder, FINDERS[finder](self.scores))

    def with_ranking(self, name: str, ranking: np.ndarray) -> Experts:
        """Return the same experts, ranked by your scores.

        Args:
            name: What the ranking is called.
            ranking: Finite numbers [languages, neurons], the highest first.

        Raises:
            InputError: They have another shape, or are not finite numbers.
        """
        try:
            ranking = np.asarray(ranking)
            if np.issubdtype(ranking.dtype, np.integer):
                ranking = ranking.astype(np.float64)
            require_array(name, ranking, self.auroc.shape)
        except ValueError as error:
            raise InputError(f"cannot rank experts: {error}") from None
        return replace(self, ranked_by=name, ranking=ranking, made_from={**self.made_from, "ranked_by": name})

    def among(self, neurons: NeuronIndex) -> Experts:
        """Return the same experts of some linear layers alone, as they would be found if only these were recorded.

        Args:
            neurons: The index of these layers, for example `model.at("inner").neurons` where all outputs were recorded.

        Raises:
            InputError: Some of these neurons were not recorded, or the experts are ranked by your scores.

        Example:
            Without the last linear layer of each block, neurons 4 and 5 of six:

            >>> inner = NeuronIndex(tuple(linear for linear in experts.neurons.linears if not linear.output))
            >>> experts.among(inner).auroc.shape
            (3, 4)
        """
        first = dict(zip(self.neurons.linears, self.neurons.offsets.tolist(), strict=False))
        if missing := [linear.place for linear in neurons.linears if linear not in first]:
            raise InputError(f"the responses of {missing[0]} were not recorded with these experts")
        taken = np.concatenate([first[linear] + np.arange(linear.units) for linear in neurons.linears])
        statistics = {name: array[:, taken] for name, array in self.statistics.arrays().items()}
        found = replace(
            self.rank_by("auroc"),
            neurons=neurons,
            auroc=self.auroc[:, taken],
            average_precision=self.average_precision[:, taken],
            statistics=ResponseStatistics(**statistics),
            activity=None if self.activity is None else self.activity[:, taken],
            made_from={**self.made_from, "neurons": neurons.fingerprint},
        )
        return found.rank_by(self.ranked_by)

    @property
    def scores(self) -> NeuronScores:
        """What finders choose neurons from."""
        coverage = self.routing.coverage(self.neurons, self.sentences) if self.routing else None
        return NeuronScores(self.auroc, self.average_precision, self.statistics, self.activity, coverage)

    def selectivity(self, language: str) -> np.ndarray:
        """Return by how much each neuron's AUROC for a language exceeds its highest for another: float64 [neurons].

        Above 0 where the neuron is the language's own; a neuron that many languages share is near 0.
        """
        row = self.row(language)
        return self.auroc[row] - np.delete(self.auroc, row, axis=0).max(axis=0)

    def top(self, language: str, k: int) -> np.ndarray:
        """Return the k neurons of highest score for a language, best first: int64 [k].

        Equal neurons stand in the order of the network: layer, module, unit.

        Raises:
            InputError: k is negative, or more than there are neurons.
        """
        row = self.row(language)
        ranked = self._ranked(row, k)
        least = NO_EVIDENCE.get(self.ranked_by, -np.inf)
        above = int((self._scores_of(row) > least).sum())
        if k > above:
            warnings.warn(
                f"only {above:,} neurons have a score above {least:g} by {self.ranked_by} for {language}, fewer than "
                f"k = {k:,}",
                stacklevel=2,
            )
        return ranked

    def _ranked(self, row: int, k: int) -> np.ndarray:
        scores = self._scores_of(row)
        if not 0 <= k <= len(scores):
            raise InputError(f"k must be between 0 and the number of neurons, {len(scores):,}; it is {k:,}")
        return np.argsort(-scores, kind="stable")[:k]

    def _scores_of(self, row: int) -> np.ndarray:
        return self.auroc[row] if self.ranking is None else self.ranking[row]

    def table(self, language: str, k: int = 20) -> pd.DataFrame:
        """Return the top k neurons of a language, best first, with the columns of `to_pandas`."""
        return self._describe(self.row(language), self._ranked(self.row(language), k))

    def to_pandas(self, languages: Sequence[str] | None = None) -> pd.DataFrame:
        """Return all neurons for all or some languages, in the order of the network.

        Columns: language, neuron, layer, module, unit, auroc, average_precision, selectivity, and the statistics of the
        responses (`ResponseStatistics`).
        """
        codes = self.languages if languages is None else languages
        return pd.concat([self._all_of(self.row(code)) for code in codes], ignore_index=True)

    def to_parquet(self, path: str | Path) -> None:
        """Write what `to_pandas` returns to a Parquet file, one language at a time."""
        with written_whole(Path(path)) as temporary, ExitStack() as stack:
            writer = None
            for row in range(len(self.languages)):
                table = pa.Table.from_pandas(self._all_of(row), preserve_index=False)
                writer = writer or stack.enter_context(pq.ParquetWriter(temporary, table.schema))
                writer.write_table(table)

    def _all_of(self, row: int) -> pd.DataFrame:
        everywhere = self._describe(row, np.arange(len(self.neurons)))
        everywhere.insert(0, "language", self.languages[row])
        return everywhere

    def _describe(self, row: int, neurons: np.ndarray) -> pd.DataFrame:
        """Return where neurons are, and their scores and statistics for one language."""
        return self.neurons.locate(neurons).assign(
            auroc=self.auroc[row, neurons],
            average_precision=self.average_precision[row, neurons],
            selectivity=self.selectivity(self.languages[row])[neurons],
            **{name: array[row, neurons] for name, array in self.statistics.arrays().items()},
        )

    def spread(self, k: int) -> pd.DataFrame:
        """Return how the top k of each language spread over the network: language, layer, module, k, experts, share."""
        where = pd.concat(
            self.neurons.locate(self._ranked(row, k)).assign(language=code) for row, code in enumerate(self.languages)
        )
        counts = where.groupby(["language", "layer", "module"], sort=True).size().reset_index(name="experts")
        return counts.assign(k=k, share=counts.experts / max(k, 1))[SPREAD]

    def overlap(self, k: int) -> pd.DataFrame:
        """Return how many of the top k neurons each pair of languages shares: language, other, k, shared."""
        top = {code: set(self._ranked(row, k).tolist()) for row, code in enumerate(self.languages)}
        pairs = [(a, b, k, len(top[a] & top[b])) for a, b in combinations(self.languages, 2)]
        return pd.DataFrame(pairs, columns=["language", "other", "k", "shared"])

    def overlap_matrix(self, k: int) -> pd.DataFrame:
        """Return the same as a square table, its diagonal k: languages x languages."""
        matrix = pd.DataFrame(k, index=self.languages, columns=self.languages)
        for pair in self.overlap(k).to_dict("records"):
            for row, column in permutations([pair["language"], pair["other"]]):
                matrix.loc[row, column] = pair["shared"]
        return matrix

    def summary(self, k: int) -> pd.DataFrame:
        """Return, per language, the mean and lowest AUROC of its top k, and how they spread over the layers.

        Columns: language, k, mean_auroc, lowest_auroc, mean_average_precision, mean_selectivity, above_chance,
        median_layer, and one share per kind of module.
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
                    "mean_average_precision": self.average_precision[i, top].mean() if k else float("nan"),
                    "mean_selectivity": self.selectivity(code)[top].mean() if k else float("nan"),
                    "above_chance": int((self.auroc[i] > CHANCE).sum()),
                    "median_layer": where.layer.median(),
                    **{f"share_{kind}": share for kind, share in kinds.items()},
                }
            )
        return pd.DataFrame(rows)

    def _save_pretrained(self, save_directory: Path) -> None:
        description = {
            "languages": list(self.languages),
            "sentences": self.sentences,
            "made_from": dict(self.made_from),
            "ranked_by": self.ranked_by,
            "linears": [list(astuple(linear)) for linear in self.neurons.linears],
        }
        routed = {f"routed_{name}": array for name, array in vars(self.routing).items()} if self.routing else {}
        optional = {"activity": self.activity, "ranking": self.ranking, **routed}
        arrays = {
            "auroc": self.auroc,
            "average_precision": self.average_precision,
            **self.statistics.arrays(),
            **{name: array for name, array in optional.items() if array is not None},
        }
        save_artifact(save_directory, "experts", Artifact(arrays, description), self._card())

    @classmethod
    def _read(cls, folder: Path) -> Experts:
        artifact = load_artifact(folder, "experts", ExpertsFields)
        description = artifact.description
        neurons = NeuronIndex(tuple(NeuronLinear(*linear) for linear in description["linears"]))
        arrays = dict(artifact.arrays)
        shape = (len(description["languages"]), len(neurons))
        try:
            for name in ("auroc", "average_precision"):
                require_array(name, arrays[name], shape, low=0, high=1)
            for name in (*STATISTICS, *(name for name in ("activity", "ranking") if name in arrays)):
                require_array(name, arrays[name], shape)
            routed = [f"routed_{name}" for name in ("sentences", "tokens")] if neurons.expert_mlps else []
            for name in routed:
                require_array(name, arrays[name], (shape[0], len(neurons.expert_mlps)), integers=True, low=0)
        except (KeyError, ValueError) as error:
            raise damaged(folder, error.args[0]) from None
        ranked_by, ranking = description["ranked_by"], arrays.get("ranking")
        if ranking is None and ranked_by in ("average-precision", "average_precision"):  # of 0.1: it kept no ranking
            ranked_by, ranking = "average-precision", arrays["average_precision"]
        elif ranking is None and ranked_by != "auroc":
            raise damaged(folder, f"it is ranked by {ranked_by} and has no ranking")
        return cls(
            tuple(description["languages"]),
            neurons,
            arrays["auroc"],
            arrays["average_precision"],
            ResponseStatistics(**{name: arrays[name] for name in STATISTICS}),
            description["sentences"],
            description["made_from"],
            arrays.get("activity"),
            ranked_by,
            ranking,
            Routing(*(arrays[name] for name in routed)) if routed else None,
        )

    def _card(self) -> str:
        return card_of_experts(
            self.made_from, self.languages, self.ranked_by, self.summary(min(OF_CARD, len(self.neurons))),
            f"{len(self.neurons):,} MLP neurons", f"{self.sentences:,} sentences",
        )  # fmt: skip
