"""interlingua: find, change and measure the neurons of a language model that carry a language.

Everything that a user needs is here; the rooms behind it are `corpora`, `models`, `experts`, `interventions`,
`measures`, `alignment`, `study`, `analysis` and `report`. Data flows one way through them, and forks behind the
measures: into `study` and `analysis`, or into `alignment`. Names are imported when first used, so that
`import interlingua` and `interlingua --help` do not wait for torch.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from interlingua.lazy import imported_when_used

if TYPE_CHECKING:
    from interlingua.alignment import (
        METHODS,
        Aligner,
        Candidate,
        Comparison,
        EditGrid,
        EmbeddedProbe,
        MtebEncoder,
        Reading,
        Recipe,
        Settings,
        align,
        compare,
    )
    from interlingua.analysis import claims, correlation, geometry_summary, overlap
    from interlingua.corpora import PairCorpus, ParallelCorpus, Source, TextCorpus, open_corpus
    from interlingua.errors import InterlinguaError
    from interlingua.experts import FINDERS, Experts, find_experts, find_experts_by_pooling, record_responses
    from interlingua.interventions import (
        INTERVENTIONS,
        Intervention,
        ablate,
        add,
        aura,
        bake,
        compose,
        contrastive_vector,
        dampen,
        layer_by_layer,
        linear_transport,
        mean_shift,
        neutralise,
        random_control,
        set_to_mean,
        swap,
    )
    from interlingua.measures import (
        bitext,
        cross_space,
        embed,
        embed_layers,
        generate,
        generate_seeds,
        geometry,
        identify,
        language_shares,
        paraphrase,
        perplexity,
        projection,
        retrieval,
    )
    from interlingua.models import LanguageModel, load_model
    from interlingua.pretraining import seen_languages
    from interlingua.progress import disable_progress_bars, enable_progress_bars
    from interlingua.study import Cluster, Run, StudyConfig, StudyError, load_config, open_run, run_study

__version__ = version("interlingua")

_NAMES_OF_ROOM = {
    "alignment": (
        "METHODS", "Aligner", "Candidate", "Comparison", "EditGrid", "EmbeddedProbe", "MtebEncoder", "Reading",
        "Recipe", "Settings", "align", "compare",
    ),
    "analysis": ("claims", "correlation", "geometry_summary", "overlap"),
    "corpora": ("PairCorpus", "ParallelCorpus", "Source", "TextCorpus", "open_corpus"),
    "errors": ("InterlinguaError",),
    "experts": ("FINDERS", "Experts", "find_experts", "find_experts_by_pooling", "record_responses"),
    "interventions": (
        "INTERVENTIONS", "Intervention", "ablate", "add", "aura", "bake", "compose", "contrastive_vector", "dampen",
        "layer_by_layer", "linear_transport", "mean_shift", "neutralise", "random_control", "set_to_mean", "swap",
    ),
    "measures": (
        "bitext", "cross_space", "embed", "embed_layers", "generate", "generate_seeds", "geometry", "identify",
        "language_shares", "paraphrase", "perplexity", "projection", "retrieval",
    ),
    "models": ("LanguageModel", "load_model"),
    "pretraining": ("seen_languages",),
    "progress": ("disable_progress_bars", "enable_progress_bars"),
    "study": ("Cluster", "Run", "StudyConfig", "StudyError", "load_config", "open_run", "run_study"),
}  # fmt: skip
_ROOM_OF = {name: room for room, names in _NAMES_OF_ROOM.items() for name in names}

__all__ = [  # noqa: RUF022
    "PairCorpus", "ParallelCorpus", "Source", "TextCorpus", "open_corpus",
    "seen_languages",
    "InterlinguaError",
    "FINDERS", "Experts", "find_experts", "find_experts_by_pooling", "record_responses",
    "INTERVENTIONS", "Intervention", "ablate", "add", "aura", "bake", "compose", "contrastive_vector", "dampen",
    "layer_by_layer", "linear_transport", "mean_shift", "neutralise", "random_control", "set_to_mean", "swap",
    "bitext", "claims", "correlation", "cross_space", "embed", "embed_layers", "generate", "generate_seeds", "geometry",
    "geometry_summary", "identify", "language_shares", "overlap", "paraphrase", "perplexity", "projection", "retrieval",
    "LanguageModel", "load_model", "disable_progress_bars", "enable_progress_bars",
    "METHODS", "Aligner", "Candidate", "Comparison", "EditGrid", "EmbeddedProbe", "MtebEncoder", "Reading", "Recipe",
    "Settings", "align", "compare",
    "Cluster", "Run", "StudyConfig", "StudyError", "load_config", "open_run", "run_study",
]  # fmt: skip


__getattr__ = imported_when_used(__name__, _ROOM_OF)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
