"""Find how a frozen model is aligned best, and align it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from interlingua.alignment.aligner import Aligner
from interlingua.alignment.choose import TOLERANCE, choose
from interlingua.alignment.edits import EditGrid
from interlingua.alignment.embedded_probe import EmbeddedProbe
from interlingua.alignment.held_out import FOLDS
from interlingua.alignment.search import search
from interlingua.alignment.settings import MAX_BLOCKS, Settings
from interlingua.corpora import ParallelCorpus
from interlingua.models import LanguageModel

BEST = "weighted-wccn"


def middle_layers(model: LanguageModel) -> tuple[int, ...]:
    """Return the layers from a sixth to three fifths of a model's depth, where translations are near each other.

    Lower layers tell words apart, not sentences; higher ones turn to the next token, and cost more to reach.
    """
    depth = model.hf.config.get_text_config().num_hidden_layers
    return tuple(range(max(1, depth // 6), max(1, depth * 3 // 5) + 1))


def align(
    model: LanguageModel,
    probe: ParallelCorpus,
    *,
    layers: Sequence[int] | None = None,
    methods: Sequence[str] | None = None,
    max_blocks: int = MAX_BLOCKS,
    sif: bool = True,
    dimensions: int | None = None,
    edits: EditGrid | None = None,
    final_norm: bool = False,
    special_tokens: bool = False,
    tolerance: float = TOLERANCE,
    folds: int = FOLDS,
    seed: int = 0,
    folder: str | Path | None = None,
) -> Aligner:
    """Find the layers, intervention, map and scoring that align a model best, and fit them on the whole probe.

    This is `search`, `choose` and `Candidate.fit`; `compare` chooses the same and judges it on other sentences. The
    choice is by cross-validation inside the probe alone; the held-out top-1 that comes with the result is that of what
    was chosen, and so a little too high. Judge on other sentences. What is not simple (an intervention, several layers,
    another score than cosine) is taken only where it is better by more than the tolerance. The map needs no language at
    run time, unless every method asked for does (Procrustes); `Aligner.adapt` subtracts each language's own mean.

    Args:
        model: The model, which stays as it is.
        probe: Parallel sentences in two languages or more.
        layers: Hidden states to choose from, numbered from 0; by default those of `middle_layers`.
        methods: Names of `METHODS`; by default weighted WCCN alone. `compare` tries all.
        max_blocks: How many blocks a recipe may have: layers, by the mean over tokens or by SIF, each with its own map.
        sif: Whether layers are pooled by SIF too, with the token frequencies of the probe.
        dimensions: To how many dimensions the vectors of several blocks are reduced, by PCA; by default they are not.
        edits: Which interventions are tried before the map, `EditGrid()` for every kind; by default none.
        final_norm: Read the chosen layer, which is then only one, through the model's final norm (see
            `Candidate.fit`).
        special_tokens: Whether tokens that the tokenizer adds count in the mean over a sentence's tokens. The state of
            a start token is large and the same everywhere, so that with it short sentences are found much worse.
        tolerance: Differences of held-out top-1 up to this are none.
        folds: How many folds of sentences.
        seed: Of the folds.
        folder: Where the probe's embeddings and scores are kept; by default a temporary one.

    Raises:
        InputError: A layer or method is unknown, or the probe is too small.

    Example:
        >>> import interlingua as il
        >>> probe = il.open_corpus("starter").parallel("dev", languages=["en", "es", "ja"])
        >>> aligner = il.align(il.load_model(), probe)  # doctest: +SKIP
        >>> aligner.encode(["It rains."]) @ aligner.encode(["Llueve."]).T  # doctest: +SKIP
    """
    settings = Settings(
        layers=middle_layers(model) if layers is None else tuple(layers),
        methods=(BEST,) if methods is None else tuple(methods),
        scorings=("cosine", "csls"),
        max_blocks=1 if final_norm else max_blocks,
        sif=sif and not final_norm,
        dimensions=dimensions,
        edits=edits,
        special_tokens=special_tokens,
        tolerance=tolerance,
        folds=folds,
        seed=seed,
    )
    with TemporaryDirectory() as scratch:
        place = Path(scratch if folder is None else folder)
        embedded = EmbeddedProbe(model, probe, place, layers=settings.layers, sif=settings.sif, folds=folds, seed=seed)
        chosen = choose(search(embedded, settings).candidates, tolerance)
        return chosen.fit(final_norm=final_norm)
