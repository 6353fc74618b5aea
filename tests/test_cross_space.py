"""One space seen from another, against plain numpy and scipy, and what a study says of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, cosine

import interlingua as il
from interlingua.analysis import landing, landing_and_gain
from interlingua.errors import ActivationError, InputError

CODES = ("spa_Latn", "eng_Latn", "jpn_Jpan")


def space(seed, n=9, d=5):
    random = np.random.default_rng(seed)
    return {code: random.normal(size=(n, d)) + random.normal(size=d) for code in CODES}


@given(st.integers(0, 10_000))
def test_it_is_what_scipy_gives(seed):
    edited, original = space(seed), space(seed + 1)
    for row in il.cross_space(edited, original).itertuples():
        means = edited[row.language].mean(axis=0), original[row.other].mean(axis=0)
        assert row.distance == pytest.approx(cosine(*means), abs=1e-12)
        found = cdist(edited[row.language], original[row.other], "cosine").argmin(axis=1)
        assert row.top1 == pytest.approx((found == np.arange(9)).mean())


def test_a_space_among_itself_is_geometry_and_retrieval():
    one = space(0)
    table = il.cross_space(one, one)
    pairs = table[table.language < table.other].set_index(["language", "other"]).distance
    expected = il.geometry({code: one[code] for code in sorted(one)}).query("measure == 'distance_of_means'")
    assert pairs.sort_index().tolist() == pytest.approx(expected.value.tolist())
    assert table[table.language == table.other].distance.max() < 1e-12
    accuracies = il.retrieval(one).set_index(["query", "candidate"]).top1
    assert table.set_index(["language", "other"]).top1.to_dict() == accuracies.to_dict()


def test_wrong_spaces_are_named():
    with pytest.raises(InputError, match="same number of sentences"):
        il.cross_space(space(0), space(1, n=8))
    with pytest.raises(InputError, match="both spaces need a language"):
        il.cross_space({}, space(1))
    zero = space(1)
    zero["eng_Latn"][2] = 0
    with pytest.raises(ActivationError, match="eng_Latn of the reference"):
        il.cross_space(space(0), zero)


def test_landing_counts_the_languages_at_the_targets_old_place():
    original = space(3)
    landed = {code: original["spa_Latn"] + 0.01 * original[code] for code in CODES}
    edit = {"target": "spa_Latn", "kind": "set-to-mean", "k": 5}
    parts = [
        il.cross_space(original, original).assign(condition="original", target=None, kind=None, k=0),
        il.cross_space(landed, original).assign(condition="steered", **edit),
        il.cross_space(original, original).assign(condition="random", **edit),
    ]
    drawn = il.cross_space(landed, original).assign(**edit, match="own-mean", draw=1)
    table = landing({"cross_space": pd.concat(parts, ignore_index=True), "control_cross_space": drawn})
    assert table.condition.tolist() == ["steered", "random", "control"]
    assert table["at_target"].tolist() == [2, 0, 2]
    assert table.languages.tolist() == [2, 2, 2]
    assert table.top1.tolist()[0] == 1.0
    assert (table.distance < table.distance_before).tolist() == [True, False, True]
    assert landing({}).empty


@pytest.mark.slow
def test_a_study_measures_it_for_every_edit_and_draw(checkpoint, corpus_folder, tmp_path):
    config = il.StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[20], targets=["es"], measures=["retrieval", "geometry"],
        control={"draws": 2, "match": ["uniform", "own-mean"]},
    )  # fmt: skip
    run = il.run_study(config, tmp_path / "run")
    table = run.tables["landing"]
    assert table.condition.tolist() == ["steered", "random", "control", "control", "control"]
    assert (table.languages == 3).all()
    original = run.tables["cross_space"].query("condition == 'original' and language == other")
    assert original.distance.max() < 1e-6
    assert (tmp_path / "run" / "results" / "control_cross_space.parquet").is_file()


def test_landing_stands_beside_the_gain_of_each_target():
    conditions = [
        {"condition": "original", "target": None, "kind": None, "k": 0},
        {"condition": "steered", "target": "spa_Latn", "kind": "set-to-mean", "k": 5},
        {"condition": "steered", "target": "eng_Latn", "kind": "set-to-mean", "k": 5},
    ]
    original = space(3)
    spaces = [original, {code: original["spa_Latn"] + 0.01 * original[code] for code in CODES}, original]
    pairs = [(a, b) for a in CODES for b in CODES]
    crossed = [il.cross_space(s, original).assign(**c) for s, c in zip(spaces, conditions, strict=True)]
    top1 = [
        pd.DataFrame(pairs, columns=["query", "candidate"]).assign(top1=value, **c)
        for value, c in zip((0.2, 0.5, 0.1), conditions, strict=True)
    ]
    table = landing_and_gain({"cross_space": pd.concat(crossed), "retrieval": pd.concat(top1)})
    assert table.target.tolist() == ["spa_Latn", "eng_Latn"]
    assert table.share.tolist() == [1, 0]
    assert table.gain.tolist() == pytest.approx([0.3, -0.1])
    assert landing_and_gain({"cross_space": pd.concat(crossed)}).empty
