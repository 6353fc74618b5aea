"""Find experts: record the responses to a probe, and rank every neuron as a classifier of each language."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlingua.errors import InputError
from interlingua.experts.experts import Experts
from interlingua.experts.holding import Hold, ResponseType
from interlingua.experts.record import record_poolings
from interlingua.experts.routing import Routing
from interlingua.experts.where_seen import score_where_seen
from interlingua.models.batching import tokenise
from interlingua.models.pooling import ACTIVE, Pooling, Recorded

if TYPE_CHECKING:
    from interlingua.corpora import ParallelCorpus
    from interlingua.models import LanguageModel

logger = logging.getLogger(__name__)


def find_experts(
    model: LanguageModel,
    probe: ParallelCorpus,
    *,
    pooling: Pooling = "mean",
    special_tokens: bool = False,
    max_length: int = 128,
    token_budget: int | None = None,
    hold: Hold = "auto",
    dtype: ResponseType = "float32",
    folder: str | Path | None = None,
    activity: bool = False,
) -> Experts:
    """Score every neuron of a model as a classifier of each language of a corpus (paper, section 3.2).

    The sentences of a language are its positives, those of all other languages of `probe` its negatives.

    Args:
        model: The model.
        probe: The probing set, for example the split `dev` of a corpus.
        pooling: How a response is pooled over the tokens of a sentence; see `record_responses`.
        special_tokens: Whether tokens that the tokenizer adds count.
        max_length: Sentences are cut to this many tokens.
        token_budget: Padded tokens a batch; by default what suits the device.
        hold: Where the responses are held; see `record_poolings`.
        dtype: In which type the responses are kept.
        folder: For responses on disk; see `find_experts_by_pooling`.
        activity: Also record how often each neuron is above 0, which the finder `lape` needs.

    Raises:
        InputError: The probe has one language only.
        ActivationError: A response is NaN or infinite.

    Example:
        With a `model` of 320 neurons and a `probe` of six sentences in four languages:

        >>> found = find_experts(model, probe)
        >>> found.languages, found.auroc.shape
        (('eng_Latn', 'spa_Latn', 'fra_Latn', 'jpn_Jpan'), (4, 320))
    """
    found = find_experts_by_pooling(
        model, probe, [pooling], special_tokens=special_tokens, max_length=max_length, token_budget=token_budget,
        hold=hold, dtype=dtype, folder=folder, activity=activity,
    )  # fmt: skip
    return found[pooling]


def find_experts_by_pooling(
    model: LanguageModel,
    probe: ParallelCorpus,
    poolings: Sequence[Pooling],
    *,
    special_tokens: bool = False,
    max_length: int = 128,
    token_budget: int | None = None,
    hold: Hold = "auto",
    dtype: ResponseType = "float32",
    folder: str | Path | None = None,
    activity: bool = False,
) -> dict[Pooling, Experts]:
    """Find experts from responses that are pooled in several ways, reading each sentence once.

    Args:
        model: The model.
        probe: The probing set.
        poolings: `mean`, `max`, `last`; see `record_responses`.
        special_tokens: Whether tokens that the tokenizer adds count.
        max_length: Sentences are cut to this many tokens.
        token_budget: Padded tokens a batch; by default what suits the device.
        hold: Where the responses are held; see `record_poolings`.
        dtype: In which type the responses are kept.
        folder: For responses on disk; with it, a recording that was stopped goes on where it was. It can be removed
            (`remove_recording`) as soon as the experts are saved.
        activity: Also record how often each neuron is above 0, which the finder `lape` needs.

    Raises:
        InputError: The probe has one language only.
        ActivationError: A response is NaN or infinite.
        StorageError: The responses fit nowhere.

    Example:
        With a `model` of 320 neurons and a `probe` of six sentences in four languages:

        >>> found = find_experts_by_pooling(model, probe, ["mean", "max"])
        >>> found["max"].made_from["pooling"]
        'max'
    """
    languages = probe.languages
    if len(languages) < 2:
        raise InputError(
            f"experts of {languages[0]} need sentences of other languages to compare with; the probe has none"
        )
    sentences = [sentence for code in languages for sentence in probe[code]]
    wanted: list[Recorded] = [*poolings]
    if activity:
        wanted.append(ACTIVE)
    recorded = record_poolings(
        model,
        sentences,
        wanted,
        special_tokens=special_tokens,
        max_length=max_length,
        token_budget=token_budget,
        hold=hold,
        dtype=dtype,
        folder=folder,
    )
    labels = np.repeat(np.arange(len(languages)), len(probe))
    active = None
    if activity:
        tokens = tokenise(model.tokenizer, sentences, model.longest(max_length))
        special = [0 if special_tokens else sum(mask) for mask in tokens.special]
        counts = np.array([len(ids) for ids in tokens.ids]) - special
        active = _of_tokens(recorded.pop(ACTIVE).values, labels, counts)
    routing = _routing(model, recorded[poolings[0]].routed, labels, len(languages))
    found: dict[Pooling, Experts] = {}
    for pooling in poolings:
        responses = recorded[pooling]
        scores = score_where_seen(
            responses.values, labels, len(languages), model.neurons, responses.routed, model.device
        )
        made_from = {
            **model.identity(),
            "corpus": probe.name,
            "split": probe.split,
            "corpus_sha256": probe.fingerprint(),
            "pooling": pooling,
            "special_tokens": special_tokens,
            "max_length": max_length,
            "response_type": dtype,
            "truncated": responses.truncated,
            "tokens": responses.tokens,
        }
        found[pooling] = Experts(
            languages, model.neurons, scores.auroc, scores.average_precision, scores.statistics, len(probe), made_from,
            activity=active, routing=routing,
        )  # fmt: skip
    return found


def _routing(model: LanguageModel, routed: np.ndarray, labels: np.ndarray, languages: int) -> Routing | None:
    """Return what the expert MLPs saw, if there are any, and warn of those that saw nothing of a language."""
    if not model.neurons.expert_mlps:
        return None
    routing = Routing.counted(routed, labels, languages)
    unseen = (routing.sentences == 0).any(axis=0)
    if unseen.any():
        logger.warning(
            "%d of %d expert MLPs saw no token of some language of the probe, such as %s: their neurons are at chance",
            unseen.sum(), len(unseen), list(model.neurons.expert_mlps)[unseen.argmax()],
        )  # fmt: skip
    return routing


def _of_tokens(shares: Any, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the share of each language's tokens from those of its sentences: float32 [languages, neurons]."""
    rows = []
    for language in range(labels.max() + 1):
        chosen = labels == language
        weights = counts[chosen] / counts[chosen].sum()
        values = shares[np.flatnonzero(chosen)]
        values = values.float().cpu().numpy() if hasattr(values, "cpu") else values.astype(np.float32)
        rows.append(weights.astype(np.float32) @ values)
    return np.stack(rows)
