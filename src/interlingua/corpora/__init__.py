"""What is read: corpora of three shapes, one file per source.

`parallel`, `pairs` and `text` hold the shapes. `starter`, `flores`, `ntrex`, `tatoeba`, `bucc`, `pawsx` and `wikipedia`
are the named sources, each described as data (`source`); those of the Hugging Face Hub are fetched by `hub`. `folder`,
`layouts` and `tables` read a user's own. `registry` finds the right one for a name or a path. A corpus is checked when
it is opened (`checks`).
"""

from interlingua.corpora.checks import CorpusWarning
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.registry import CORPORA, load_corpus, load_pairs, load_text
from interlingua.corpora.source import CorpusSource
from interlingua.corpora.text import TextCorpus

__all__ = [
    "CORPORA",
    "CorpusSource",
    "CorpusWarning",
    "PairCorpus",
    "ParallelCorpus",
    "TextCorpus",
    "load_corpus",
    "load_pairs",
    "load_text",
]
