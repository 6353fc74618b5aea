"""What is read: corpora, one file per source.

`parallel` holds the type, `folder` and `starter` read it from a user's folder and from the package, and
`registry` finds the right one for a name or a path. A corpus is checked when it is opened.
"""

from interlingua.corpora.parallel import ParallelCorpus
from interlingua.corpora.registry import CORPORA, load_corpus

__all__ = ["CORPORA", "ParallelCorpus", "load_corpus"]
