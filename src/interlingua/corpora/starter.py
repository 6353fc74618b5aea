"""The bundled corpus: 23 languages, written for this project (see data/starter/README.md)."""

from __future__ import annotations

from importlib.resources import as_file, files

from interlingua.corpora.folder import EVALUATION_SPLIT, PROBE_SPLIT, read_folder
from interlingua.corpora.parallel import ParallelCorpus
from interlingua.errors import CorpusError


def read_starter(split: str) -> ParallelCorpus:
    """Read the split `dev` or `devtest` of the starter corpus: 100 sentences each, in 23 languages."""
    if split not in (PROBE_SPLIT, EVALUATION_SPLIT):
        raise CorpusError(f"corpus 'starter' has no split '{split}'; it has {PROBE_SPLIT}, {EVALUATION_SPLIT}")
    with as_file(files("interlingua.corpora") / "data" / "starter") as folder:
        return read_folder(folder, split, name="starter")
