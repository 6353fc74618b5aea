"""A corpus in which line i is the same sentence in every language."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from interlingua.corpora.checks import CorpusWarning, find_warnings, is_blank
from interlingua.errors import CorpusError, LanguageError
from interlingua.languages import parse_languages


@dataclass(frozen=True)
class ParallelCorpus:
    """The same sentences in several languages.

    Attributes:
        name: What the corpus was asked for as: a registered name or a path.
        split: Which part of it this is, for example `dev`.
        sentences: For each FLORES-200 code, its sentences; entry i is the same sentence in every language.
        dropped: How many sentences of the source were left out in every language, by reason.
        warnings: What was found when it was opened.

    Raises:
        CorpusError: No language, no sentence, an empty sentence, or languages of unequal length.

    Example:
        >>> corpus = ParallelCorpus("mine", "dev", {"eng_Latn": ("yes", "no"), "spa_Latn": ("sí", "no")})
        >>> corpus.languages, len(corpus), corpus["spa_Latn"][0]
        (('eng_Latn', 'spa_Latn'), 2, 'sí')
    """

    name: str
    split: str
    sentences: Mapping[str, tuple[str, ...]]
    dropped: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[CorpusWarning, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.sentences:
            raise CorpusError(f"corpus '{self.name}' has no language in split '{self.split}'")
        lengths = {code: len(lines) for code, lines in self.sentences.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{code} {n}" for code, n in sorted(lengths.items(), key=lambda item: item[1]))
            raise CorpusError(
                f"corpus '{self.name}' ({self.split}) is not aligned: line i must be the same sentence in every "
                f"language, but the numbers of lines differ: {listed}"
            )
        if not len(self):
            raise CorpusError(f"corpus '{self.name}' ({self.split}) has no sentences")
        for code, lines in self.sentences.items():
            for i, line in enumerate(lines):
                if is_blank(line):
                    raise CorpusError(
                        f"corpus '{self.name}' ({self.split}): line {i + 1} of {code} is empty; remove that line "
                        "in every language, so that the rest stays aligned"
                    )
        found = [warning for code, lines in self.sentences.items() for warning in find_warnings(code, lines)]
        object.__setattr__(self, "warnings", tuple(found))

    @property
    def languages(self) -> tuple[str, ...]:
        """The FLORES-200 codes, in the corpus's order."""
        return tuple(self.sentences)

    def __len__(self) -> int:
        return len(next(iter(self.sentences.values())))

    def __getitem__(self, code: str) -> tuple[str, ...]:
        self._require([code])
        return self.sentences[code]

    def only(self, languages: Sequence[str]) -> ParallelCorpus:
        """Return the corpus with these languages alone, in this order.

        Raises:
            LanguageError: The corpus lacks one of them.
        """
        codes = parse_languages(languages)
        self._require(codes)
        return replace(self, sentences={code: self.sentences[code] for code in codes})

    def every(self, n: int) -> ParallelCorpus:
        """Return the corpus with every n-th sentence of each language, from the first on."""
        return replace(self, sentences={code: lines[::n] for code, lines in self.sentences.items()})

    def first(self, limit: int | None) -> ParallelCorpus:
        """Return the corpus with the first `limit` sentences of each language (`None`: all of them)."""
        if limit is None:
            return self
        return replace(self, sentences={code: lines[:limit] for code, lines in self.sentences.items()})

    def without_duplicates(self) -> ParallelCorpus:
        """Return the corpus without the lines that repeat an earlier one in any language.

        A line goes in every language at once, so that alignment stays. `dropped` counts them, under `repeated`.

        Example:
            >>> sentences = {"eng_Latn": ("go", "run", "go"), "deu_Latn": ("geh", "lauf", "los")}
            >>> ParallelCorpus("mine", "dev", sentences).without_duplicates()["deu_Latn"]
            ('geh', 'lauf')
        """
        seen: dict[str, set[str]] = {code: set() for code in self.sentences}
        kept = []
        for i in range(len(self)):
            row = {code: lines[i] for code, lines in self.sentences.items()}
            if not any(line in seen[code] for code, line in row.items()):
                kept.append(i)
                for code, line in row.items():
                    seen[code].add(line)
        return replace(
            self,
            sentences={code: tuple(lines[i] for i in kept) for code, lines in self.sentences.items()},
            dropped={**self.dropped, "repeated": self.dropped.get("repeated", 0) + len(self) - len(kept)},
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 of the languages and sentences, which names this text whatever its path."""
        digest = hashlib.sha256()
        for code in sorted(self.sentences):
            digest.update("\n".join((code, *self.sentences[code], "\0")).encode())
        return digest.hexdigest()

    def description(self) -> dict[str, Any]:
        """Return what names it in a manifest: corpus, split, languages, sentences, sha256."""
        return {
            "corpus": self.name,
            "split": self.split,
            "languages": list(self.languages),
            "sentences": len(self),
            "sha256": self.fingerprint(),
        }

    def _require(self, codes: Sequence[str]) -> None:
        missing = [code for code in codes if code not in self.sentences]
        if missing:
            raise LanguageError(
                f"corpus '{self.name}' ({self.split}) has no {', '.join(missing)}; it has {', '.join(self.languages)}"
            )


def joined(corpora: Sequence[ParallelCorpus]) -> ParallelCorpus:
    """Return the sentences of several corpora as one, in the languages that all of them have.

    Raises:
        LanguageError: They have no two languages in common.

    Example:
        >>> one = ParallelCorpus("one", "dev", {"eng_Latn": ("yes",), "deu_Latn": ("ja",), "spa_Latn": ("sí",)})
        >>> two = ParallelCorpus("two", "dev", {"deu_Latn": ("nein",), "eng_Latn": ("no",)})
        >>> joined([one, two]).sentences
        {'eng_Latn': ('yes', 'no'), 'deu_Latn': ('ja', 'nein')}
    """
    if len(corpora) == 1:
        return corpora[0]
    name, split = ("+".join(dict.fromkeys(parts)) for parts in zip(*((c.name, c.split) for c in corpora), strict=True))
    codes = [code for code in corpora[0].languages if all(code in corpus.languages for corpus in corpora)]
    if len(codes) < 2:
        raise LanguageError(f"{name} have no two languages in common")
    return ParallelCorpus(name, split, {code: sum((corpus[code] for corpus in corpora), ()) for code in codes})
