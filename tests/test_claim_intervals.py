"""Intervals of one edit: over sentences where hits are kept, and over what was seen in pre-training."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from claim_tables import (
    CODES,
    ORIGINAL,
    correlation,
    edit,
    paraphrase,
)
from interlingua.analysis.claims import effects
from interlingua.analysis.evidence import sentence_changes
from interlingua.measures.hits import packed


@given(st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=2, max_size=12))
def test_changes_of_sentences_are_plain_means(hits):
    half = len(hits) // 2
    before, after = hits[:half], hits[half : 2 * half]

    def table(rows):
        made = [("a", str(i), 9, packed(np.array(row))) for i, row in enumerate(rows)]
        return pd.DataFrame(made, columns=["query", "candidate", "n", "bits"])

    expected = np.mean(after, axis=0) - np.mean(before, axis=0)
    np.testing.assert_allclose(sentence_changes(table(before), table(after)[::-1]), expected)


def test_hits_of_the_same_sentences_narrow_the_interval():
    table = paraphrase(0.8, 0.79, 0.4, n=500)
    one = table[table.target.isna() | (table.target == "spa_Latn")]
    rows = []
    for row in one.to_dict("records"):
        hits = np.arange(500) < 500 * row["top1"]
        rows.append(
            {**{key: row[key] for key in ("condition", "target", "kind", "k", "language", "n")}, "bits": packed(hits)}
        )
    alone, over_pairs = (
        effects(tables)["C6"][0]
        for tables in ({"paraphrase": one}, {"paraphrase": one, "paraphrase_hits": pd.DataFrame(rows)})
    )
    assert alone.value == over_pairs.value == pytest.approx(-0.01)
    assert over_pairs.high - over_pairs.low < 0.5 * (alone.high - alone.low)


def test_an_interval_from_hits_is_over_sentences():
    random = np.random.default_rng(0)
    pairs = [pair for pair in itertools.product(CODES[:4], CODES[:4]) if pair[0] != pair[1]]
    hits = {name: random.random((len(pairs), 40)) < 0.5 for name in ("original", "steered")}
    tables = {"retrieval": [], "hits": []}
    for name, of_pairs in hits.items():
        columns = ORIGINAL if name == "original" else edit("steered", "spa_Latn")
        for (a, b), found in zip(pairs, of_pairs, strict=True):
            tables["retrieval"].append({**columns, "query": a, "candidate": b, "top1": found.mean()})
            tables["hits"].append({**columns, "query": a, "candidate": b, "n": 40, "bits": packed(found)})
    (effect,) = effects({name: pd.DataFrame(rows) for name, rows in tables.items()})["C5"]
    chosen = [a != "spa_Latn" for a, _ in pairs]
    changes = hits["steered"][chosen].mean(axis=0) - hits["original"][chosen].mean(axis=0)
    expected = stats.ttest_1samp(changes, 0).confidence_interval()
    assert (effect.low, effect.high) == pytest.approx((expected.low, expected.high))
    assert effect.value == pytest.approx(changes.mean())


def test_seen_candidates_are_judged_and_all_stand_beside():
    both = pd.concat([correlation(-0.6, among="seen"), correlation(-0.2, among="all")], ignore_index=True)
    first = effects({"correlation": both})["C9"][0]
    assert first.value == pytest.approx(0.6)
    assert first.words == "r = -0.60 over 5 candidates seen in pre-training, -0.20 over all; before the edit -0.50"
