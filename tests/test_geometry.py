import importlib

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist, cosine
from scipy.stats import sem

import interlingua as il
from interlingua.errors import ActivationError, InputError

CODES = ["eng_Latn", "spa_Latn", "fra_Latn", "jpn_Jpan"]


def spaces_of(seed, n=20, d=5):
    random = np.random.default_rng(seed)
    shared = random.normal(size=(n, d))
    return {code: shared + random.normal(size=(n, d)) + random.normal(size=d) for code in CODES}


def labelled(spaces, condition, target=None, kind=None, k=0):
    return il.geometry(spaces).assign(condition=condition, target=target, kind=kind, k=k)


@pytest.fixture
def study():
    """Return spaces by condition and target, and their geometry as a study writes it."""
    spaces = {("original", None): spaces_of(0)}
    for seed, target in enumerate(CODES[:3], start=1):
        spaces["steered", target] = spaces_of(seed)
    tables = [
        labelled(space, condition, target, "set-to-mean" if target else None, 100 if target else 0)
        for (condition, target), space in spaces.items()
    ]
    return spaces, pd.concat(tables, ignore_index=True)


def test_parts_of_the_sentences_change_nothing(monkeypatch):
    spaces = spaces_of(4)
    whole = il.geometry(spaces)
    module = importlib.import_module("interlingua.measures.geometry")  # the room has the function by that name
    monkeypatch.setattr(module, "SENTENCES_AT_ONCE", 3)
    pd.testing.assert_frame_equal(il.geometry(spaces), whole, rtol=1e-12, atol=1e-13)


def test_the_summary_equals_a_computation_by_hand(study):
    spaces, table = study
    summary = il.geometry_summary(table).set_index(["condition", "measure"])
    for condition in ("original", "steered"):
        by_target = {target: spaces["original", None] if condition == "original" else spaces["steered", target]
               for target in CODES[:3]}  # fmt: skip
        by_hand = {name: [] for name in summary.loc[condition].index}
        for target, space in by_target.items():
            means = {code: vectors.mean(axis=0) for code, vectors in space.items()}

            def pair(a, b, space=space):
                return np.mean([cosine(x, y) for x, y in zip(space[a], space[b], strict=True)])

            pairs = [(a, b) for i, a in enumerate(CODES) for b in CODES[i + 1 :]]
            others = [code for code in CODES if code != target]
            medoid = min(CODES, key=lambda code: sum(cosine(means[code], means[b]) for b in CODES if b != code))
            to_medoid = {code: 0 if code == medoid else cosine(means[code], means[medoid]) for code in CODES}
            by_hand["distance_all"].append(np.mean([pair(a, b) for a, b in pairs]))
            by_hand["distance_all_of_means"].append(np.mean([cosine(means[a], means[b]) for a, b in pairs]))
            by_hand["distance_to_target"].append(np.mean([pair(target, b) for b in others]))
            by_hand["distance_to_target_of_means"].append(np.mean([cosine(means[target], means[b]) for b in others]))
            every = {(a, b): cdist(space[a], space[b], "cosine").mean() for a in CODES for b in CODES}
            by_hand["distance_all_of_all_pairs"].append(np.mean([every[pair] for pair in pairs]))
            by_hand["distance_to_target_of_all_pairs"].append(np.mean([every[target, b] for b in others]))
            by_hand["target_to_medoid"].append(to_medoid[target])
            by_hand["others_to_medoid"].append(np.mean([to_medoid[code] for code in others]))
        for measure, values in by_hand.items():
            row = summary.loc[condition, measure]
            assert len(values) == row.targets == 3
            assert row["mean"] == pytest.approx(np.mean(values))
            assert row.standard_error == pytest.approx(sem(values), abs=1e-12)


def test_one_target_has_no_standard_error(study):
    _, table = study
    alone = il.geometry_summary(table[table.target.isna() | (table.target == "spa_Latn")])
    assert (alone.targets == 1).all()
    assert alone.standard_error.isna().all()
    assert alone["mean"].notna().all()


def test_the_summary_needs_targets(study):
    _, table = study
    with pytest.raises(InputError, match="no row of the table has one"):
        il.geometry_summary(table[table.target.isna()])
    with pytest.raises(InputError, match="deu_Latn is not among the languages"):
        il.geometry_summary(table.replace({"target": {"spa_Latn": "deu_Latn"}}))


def test_a_language_whose_mean_is_zero_has_no_direction():
    balanced = np.array([[1.0, 0.0], [-1.0, 0.0]])
    with pytest.raises(ActivationError, match="mean embedding of spa_Latn is zero"):
        il.geometry({"eng_Latn": np.eye(2), "spa_Latn": balanced})
