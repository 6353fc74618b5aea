"""Which neurons carry which language.

`record` runs the model over sentences and keeps one number per neuron and sentence, where `holding` finds room for it
and, on disk, `response_file` lets a stopped recording go on; `ranking` scores every neuron as a classifier of every
language; `experts` holds the scores and answers questions about them.
"""

from interlingua.experts.experts import Experts, find_experts, find_experts_by_pooling
from interlingua.experts.ranking import auroc_by_language, score_neurons
from interlingua.experts.record import record_poolings, record_responses
from interlingua.experts.response_file import remove_recording

__all__ = [
    "Experts",
    "auroc_by_language",
    "find_experts",
    "find_experts_by_pooling",
    "record_poolings",
    "record_responses",
    "remove_recording",
    "score_neurons",
]
