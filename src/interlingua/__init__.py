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
        Encoder,
        HeldOut,
        Hits,
        LinearAlignment,
        MtebEncoder,
        Reading,
        Recipe,
        Settings,
        Sif,
        Spaces,
        Spread,
        align,
        compare,
        find_hits,
        load_encoder,
    )
    from interlingua.analysis import claims, correlation, geometry_summary, overlap
    from interlingua.corpora import (
        CorpusWarning,
        PairCorpus,
        ParallelCorpus,
        Source,
        TextCorpus,
        load_bitexts,
        open_corpus,
    )
    from interlingua.errors import InterlinguaError
    from interlingua.experts import (
        FINDERS,
        Experts,
        NeuronScores,
        Responses,
        ResponseStatistics,
        Routing,
        find_experts,
        find_experts_by_pooling,
        record_responses,
    )
    from interlingua.interventions import (
        INTERVENTIONS,
        AffineEdit,
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
        make_intervention,
        mean_shift,
        neutralise,
        random_control,
        set_to_mean,
        swap,
    )
    from interlingua.languages import language_name, parse_language
    from interlingua.measures import (
        Embeddings,
        Identified,
        Identifier,
        PerplexityResult,
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
    from interlingua.models import LanguageModel, NeuronIndex, NeuronLinear, find_neurons, load_model
    from interlingua.pretraining import seen_languages
    from interlingua.progress import disable_progress_bars, enable_progress_bars
    from interlingua.report import write_report
    from interlingua.study import Cluster, Run, StudyConfig, StudyError, load_config, open_run, run_study

__version__ = version("interlingua")

_NAMES_OF_ROOM = {
    "alignment": (
        "METHODS", "Aligner", "Candidate", "Comparison", "EditGrid", "EmbeddedProbe", "Encoder", "HeldOut", "Hits",
        "LinearAlignment", "MtebEncoder", "Reading", "Recipe", "Settings", "Sif", "Spaces", "Spread", "align",
        "compare", "find_hits", "load_encoder",
    ),
    "analysis": ("claims", "correlation", "geometry_summary", "overlap"),
    "corpora": ("CorpusWarning", "PairCorpus", "ParallelCorpus", "Source", "TextCorpus", "load_bitexts", "open_corpus"),
    "errors": ("InterlinguaError",),
    "experts": (
        "FINDERS", "Experts", "NeuronScores", "ResponseStatistics", "Responses", "Routing", "find_experts",
        "find_experts_by_pooling", "record_responses",
    ),
    "interventions": (
        "INTERVENTIONS", "AffineEdit", "Intervention", "ablate", "add", "aura", "bake", "compose",
        "contrastive_vector", "dampen", "layer_by_layer", "linear_transport", "make_intervention", "mean_shift",
        "neutralise", "random_control", "set_to_mean", "swap",
    ),
    "languages": ("language_name", "parse_language"),
    "measures": (
        "Embeddings", "Identified", "Identifier", "PerplexityResult", "bitext", "cross_space", "embed",
        "embed_layers", "generate", "generate_seeds", "geometry", "identify", "language_shares", "paraphrase",
        "perplexity", "projection", "retrieval",
    ),
    "models": ("LanguageModel", "NeuronIndex", "NeuronLinear", "find_neurons", "load_model"),
    "pretraining": ("seen_languages",),
    "progress": ("disable_progress_bars", "enable_progress_bars"),
    "report": ("write_report",),
    "study": ("Cluster", "Run", "StudyConfig", "StudyError", "load_config", "open_run", "run_study"),
}  # fmt: skip
_ROOM_OF = {name: room for room, names in _NAMES_OF_ROOM.items() for name in names}

__all__ = [  # noqa: RUF022
    "language_name", "parse_language",
    "seen_languages",
    "InterlinguaError",
    "disable_progress_bars", "enable_progress_bars",
    "CorpusWarning", "PairCorpus", "ParallelCorpus", "Source", "TextCorpus", "load_bitexts", "open_corpus",
    "LanguageModel", "NeuronIndex", "NeuronLinear", "find_neurons", "load_model",
    "FINDERS", "Experts", "NeuronScores", "ResponseStatistics", "Responses", "Routing", "find_experts",
    "find_experts_by_pooling", "record_responses",
    "INTERVENTIONS", "AffineEdit", "Intervention", "ablate", "add", "aura", "bake", "compose", "contrastive_vector",
    "dampen", "layer_by_layer", "linear_transport", "make_intervention", "mean_shift", "neutralise", "random_control",
    "set_to_mean", "swap",
    "Embeddings", "Identified", "Identifier", "PerplexityResult", "bitext", "cross_space", "embed", "embed_layers",
    "generate", "generate_seeds", "geometry", "identify", "language_shares", "paraphrase", "perplexity", "projection",
    "retrieval",
    "claims", "correlation", "geometry_summary", "overlap",
    "METHODS", "Aligner", "Candidate", "Comparison", "EditGrid", "EmbeddedProbe", "Encoder", "HeldOut", "Hits",
    "LinearAlignment", "MtebEncoder", "Reading", "Recipe", "Settings", "Sif", "Spaces", "Spread", "align", "compare",
    "find_hits", "load_encoder",
    "Cluster", "Run", "StudyConfig", "StudyError", "load_config", "open_run", "run_study",
    "write_report",
]  # fmt: skip


__getattr__ = imported_when_used(__name__, _ROOM_OF)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
