"""Which neurons carry which language.

`record` runs the model over sentences and keeps one number per neuron and sentence, where `holding` finds room for it
and, on disk, `response_file` lets a stopped recording go on; `ranking` scores every neuron as a classifier of every
language; `where_seen` does so for neurons that see a part of the sentences, those of mixtures of experts, by what
`routing` counts; `find` records and ranks; `finders` are the ways to choose neurons; `experts` holds the scores and
answers questions.
"""

from typing import TYPE_CHECKING

from interlingua.experts.experts import Experts
from interlingua.experts.finders import FINDERS
from interlingua.experts.response_file import remove_recording
from interlingua.experts.routing import Routing
from interlingua.experts.statistics import NeuronScores, ResponseStatistics
from interlingua.lazy import imported_when_used

if TYPE_CHECKING:
    from interlingua.experts.find import find_experts, find_experts_by_pooling
    from interlingua.experts.ranking import auroc_by_language, score_neurons
    from interlingua.experts.record import Responses, record_poolings, record_responses

__all__ = [
    "FINDERS",
    "Experts",
    "NeuronScores",
    "ResponseStatistics",
    "Responses",
    "Routing",
    "auroc_by_language",
    "find_experts",
    "find_experts_by_pooling",
    "record_poolings",
    "record_responses",
    "remove_recording",
    "score_neurons",
]

__getattr__ = imported_when_used(
    __name__,
    {
        "Responses": "record",
        "auroc_by_language": "ranking",
        "find_experts": "find",
        "find_experts_by_pooling": "find",
        "record_poolings": "record",
        "record_responses": "record",
        "score_neurons": "ranking",
    },
)
