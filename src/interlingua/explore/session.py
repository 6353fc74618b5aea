"""What the page works on: a model with its experts, and a lock that keeps one visitor's edit from another's text."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlingua.errors import InputError
from interlingua.interventions import edited
from interlingua.models.neurons import SITES, Site

if TYPE_CHECKING:
    from interlingua.alignment import Aligner
    from interlingua.corpora import ParallelCorpus
    from interlingua.experts import Experts
    from interlingua.interventions import Intervention
    from interlingua.models import LanguageModel


class Memory:
    """The latest results by key: what the unedited model writes is the same beside every edit."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._results: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """Return a result, or None."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def put(self, key: Hashable, result: object) -> None:
        """Keep a result; the one that was not asked for longest goes."""
        with self._lock:
            self._results[key] = result
            if len(self._results) > self._size:
                self._results.popitem(last=False)

    def get_or_make(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return a result, made now where it is not there."""
        if (result := self.get(key)) is None:
            self.put(key, result := make())
        return result


@dataclass(frozen=True)
class Session:
    """One model that any number of visitors share.

    Attributes:
        model: The model.
        experts: Its experts by site, as they were recorded.
        probe: Parallel sentences that responses are shown for and an aligner is fitted on.
        examples: Parallel sentences that the page proposes.
        corpus: The name of the corpus whose running text is read for perplexity.
        folder: Where exported folders go.
        targets: The languages to steer to, the first of them shown first.
        k: How many experts an edit has at first.
        sources: The folder that the experts of a site were loaded from, where they were.
        aligner: A map behind the model; None where it is to be fitted when it is first needed.
        memory: Results of before.
    """

    model: LanguageModel
    experts: Mapping[Site, Experts]
    probe: ParallelCorpus
    examples: ParallelCorpus
    corpus: str
    folder: Path
    targets: tuple[str, ...]
    k: int = 2000
    sources: Mapping[Site, Path] = field(default_factory=dict)
    aligner: Aligner | None = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)
    _turn: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False, compare=False)

    @property
    def sites(self) -> tuple[Site, ...]:
        """Where neurons can be edited: the neurons of `inner` are among those of `outputs`."""
        return tuple(site for site in SITES if site in self.experts or (site == "inner" and "outputs" in self.experts))

    def experts_at(self, site: Site) -> Experts:
        """Return the experts of a site; those of `inner` are taken out of those of `outputs` when first asked for.

        Raises:
            InputError: There are none.
        """
        if site in self.experts:
            return self.experts[site]
        if site not in self.sites:
            raise InputError(f"no experts were found at the site '{site}'; use {', '.join(self.sites)}")
        neurons = self.model.at(site).neurons
        return self.memory.get_or_make(("experts", site), lambda: self.experts["outputs"].among(neurons))

    @contextmanager
    def running(self, edit: Intervention | None = None) -> Generator[LanguageModel]:
        """Keep every other thread from the model while the context lasts, and let it run with an edit.

        An edit is kept in the weights, so that who runs the model as it is must wait as well.
        """
        with self._turn, edited(self.model, edit):
            yield self.model
