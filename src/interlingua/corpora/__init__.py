"""What is read: corpora of three shapes, found by one function.

`open_corpus` (`registry`) finds a `Source` for a name, a path or a data set; its methods `parallel`, `pairs` and `text`
read a corpus of that shape; `bitexts` loads what several pair with English. A source is `named`, and then described as
data (`named_sources`, `starter`), or `local`: a folder (`folder`, `layouts`), a table (`tables`) or a text file. `hub`
and `hub_readers` fetch and read the data sets of the Hugging Face Hub. A corpus is checked when it is read (`checks`).
"""

from interlingua.corpora.bitexts import load_bitexts
from interlingua.corpora.checks import CorpusWarning
from interlingua.corpora.named import NamedSource
from interlingua.corpora.pairs import PairCorpus
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.registry import CORPORA, open_corpus
from interlingua.corpora.source import ENGLISH, Source
from interlingua.corpora.text import TextCorpus

__all__ = [
    "CORPORA",
    "ENGLISH",
    "CorpusWarning",
    "NamedSource",
    "PairCorpus",
    "ParallelCorpus",
    "Source",
    "TextCorpus",
    "load_bitexts",
    "open_corpus",
]
