"""Which neurons carry which language.

`record` runs the model over sentences and keeps one number per neuron and sentence; `ranking` scores every neuron as a
classifier of every language; `experts` holds the scores and answers questions about them.
"""

from interlingua.experts.experts import Experts, find_experts
from interlingua.experts.ranking import auroc_by_language
from interlingua.experts.record import record_responses

__all__ = ["Experts", "auroc_by_language", "find_experts", "record_responses"]
