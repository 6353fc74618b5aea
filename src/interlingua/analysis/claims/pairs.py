"""C6, C7 and C16: paraphrases and bitext (paper, sections 6 and 5; tables 3, 5 and 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from interlingua.analysis.claims.effect import Effect
from interlingua.analysis.evidence import Edit, NotMeasured, edits, originals, records, table_of, unpacked
from interlingua.analysis.schema import DRAW, EDIT, MIXED, POST, PRE, STEERED, UNIFORM, Tables, groups
from interlingua.intervals import newcombe, paired

PAIR = ["corpus", "query", "candidate"]


def paraphrases_kept(tables: Tables) -> Iterator[Effect]:
    """C6: in the target language, post lies at most a few points below pre; a gain is kept too."""
    for edit, change, interval, words in _against_pre(tables, POST):
        yield Effect.of(edit, change, interval, words)


def mixed_falls(tables: Tables) -> Iterator[Effect]:
    """C7: in the target language, mixed lies below pre."""
    for edit, change, (low, high), words in _against_pre(tables, MIXED):
        yield Effect.of(edit, -change, (-high, -low), words)


def bitext_gains(tables: Tables) -> Iterator[Effect]:
    """C16: with the target as query, top-1 rises on the mean over corpora, and in each."""
    before = originals(tables, "bitext", PAIR, ["n", "top1"])
    hits = _bitext_hits(tables)
    some = False
    for edit, rows in edits(tables, "bitext", PAIR, ["n", "top1"]):
        both = rows[rows["query"] == edit.target].merge(before, on=PAIR, suffixes=("", "_before"))
        if both.empty:
            continue
        some = True
        gains = both.assign(change=both.top1 - both.top1_before)
        low, high = _of_mean(gains.change.to_numpy(), np.array([_ends(edit, row, hits) for row in records(both)]))
        each = gains.groupby("corpus", sort=False)[["top1", "top1_before", "change"]].mean()
        words = "; ".join(f"{name} {row.top1:.3f}, originally {row.top1_before:.3f}" for name, row in each.iterrows())
        yield Effect.of(edit, gains.change.mean(), (low, high), words, bool((each.change > 0).all()))
    if not some:
        raise NotMeasured("the table bitext has no pair whose query is a target")


def _against_pre(tables: Tables, condition: str) -> Iterator[tuple[Edit, float, tuple[float, float], str]]:
    """Yield each edit's change of top-1 from `pre` in the target language, its interval, and the other languages."""
    table = table_of(tables, "paraphrase", ["condition", "language"], ["n", "top1"])
    pre = {row["language"]: row for row in records(table[(table.condition == PRE) & (table.n > 0)])}
    hits = _paraphrase_hits(tables)
    some = False
    for edit, rows in _edits(tables, condition):
        found = {row["language"]: row for row in records(rows[rows.n > 0]) if row["language"] in pre}
        if edit.target not in found:
            continue
        some = True
        after, before = found[edit.target], pre[edit.target]
        if (key := (edit, condition, edit.target)) in hits:
            interval = paired(hits[None, PRE, edit.target], hits[key])
        else:
            interval = newcombe(before["top1"], before["n"], after["top1"], after["n"])
        words = f"{condition} {after['top1']:.3f}, pre {before['top1']:.3f}"
        others = [row["top1"] - pre[code]["top1"] for code, row in found.items() if code != edit.target]
        if others:
            words += f"; in {len(others)} other languages {np.mean(others):+.3f} (from {min(others):+.3f})"
        yield edit, after["top1"] - before["top1"], interval, words
    if not some:
        raise NotMeasured("the table paraphrase has no target's language, before and after an edit")


def _edits(tables: Tables, condition: str, name: str = "paraphrase") -> Iterator[tuple[Edit, pd.DataFrame]]:
    """Yield the edits of a table of paraphrases, whose condition says which model queries and candidates are from."""
    for title, match in ((name, STEERED), (f"{name}_random", UNIFORM), (f"control_{name}", "")):
        if title not in tables:
            continue
        table = tables[title]
        chosen = table[(table.condition == condition) & (table.k > 0)]
        for (target, kind, k, *draw), rows in groups(chosen, EDIT if match else DRAW):
            yield Edit(target, kind, k, *(draw or [match])), rows


def _paraphrase_hits(tables: Tables) -> dict[tuple[Edit | None, str, str], np.ndarray]:
    """Return which sentences found their paraphrase: bool [pairs] by edit (None for the original model's)."""
    if "paraphrase_hits" not in tables:
        return {}
    table = tables["paraphrase_hits"]
    found: dict[tuple[Edit | None, str, str], np.ndarray] = {
        (None, PRE, row["language"]): unpacked(row) for row in records(table[table.condition == PRE])
    }
    for condition in (POST, MIXED):
        for edit, rows in _edits(tables, condition, "paraphrase_hits"):
            found |= {(edit, condition, row["language"]): unpacked(row) for row in records(rows)}
    return found


def _bitext_hits(tables: Tables) -> dict[tuple[Edit | None, ...], np.ndarray]:
    """Return which queries found their translation: bool [queries] by edit (None for the original), corpus and pair."""
    if "bitext_hits" not in tables:
        return {}
    labels = [*PAIR, "n", "bits"]
    parts = [(None, originals(tables, "bitext_hits", labels, [])), *edits(tables, "bitext_hits", labels, [])]
    return {(edit, *(row[name] for name in PAIR)): unpacked(row) for edit, rows in parts for row in records(rows)}


def _ends(edit: Edit, row: Mapping[str, Any], hits: Mapping[tuple, np.ndarray]) -> tuple[float, float]:
    """Return the interval of a pair's change: over the same queries where it is known which were found."""
    pair = tuple(row[name] for name in PAIR)
    if (edit, *pair) in hits:
        return paired(hits[(None, *pair)], hits[(edit, *pair)])
    return newcombe(row["top1_before"], row["n_before"], row["top1"], row["n"])


def _of_mean(changes: np.ndarray, ends: np.ndarray) -> tuple[float, float]:
    """Return the interval of a mean of independent changes from the interval of each (Zou and Donner 2008)."""
    below = np.sqrt(np.square(changes - ends[:, 0]).sum()) / len(changes)
    above = np.sqrt(np.square(ends[:, 1] - changes).sum()) / len(changes)
    return float(changes.mean() - below), float(changes.mean() + above)
