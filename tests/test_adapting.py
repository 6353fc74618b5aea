"""Adapting without labels, against plain numpy and scipy, on pools with strays, and through a folder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg

import interlingua as il
from interlingua.alignment.adapting import FEWEST, PRIOR, centre_on, mutual_neighbours, self_train, spread_of
from interlingua.alignment.linear import LinearAlignment
from interlingua.alignment.weighted_wccn import weighted_wccn
from interlingua.errors import InputError


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def make_text(sentences, seed=0, dimensions=12, strays=0.0, noise=0.5):
    """Return two languages that share a meaning and differ most in two directions, some lines being strays."""
    random = np.random.default_rng(seed)
    loud = np.array([4.0, 3.0, *[1.0] * (dimensions - 2)])
    meaning = random.normal(size=(sentences, dimensions))
    text = {code: meaning + noise * loud * random.normal(size=meaning.shape) for code in ("eng_Latn", "spa_Latn")}
    lost = round(strays * sentences)
    text["spa_Latn"][:lost] = random.normal(size=(lost, dimensions)) * np.sqrt(1 + (noise * loud) ** 2)
    return text


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(2, 12), st.floats(-0.5, 0.5))
def test_mutual_neighbours_by_hand(seed, first, second, threshold):
    random = np.random.default_rng(seed)
    a, b = unit(random.normal(size=(first, 3))), unit(random.normal(size=(second, 3)))
    k = min(4, first, second)
    score = np.array([[x @ y - (np.mean(sorted(b @ x)[-k:]) + np.mean(sorted(a @ y)[-k:])) / 2 for y in b] for x in a])
    expected = [
        (i, j)
        for i in range(first)
        for j in range(second)
        if score[i, j] == score[i].max() == score[:, j].max() and score[i, j] > threshold
    ]
    assert [tuple(pair) for pair in mutual_neighbours(a, b, threshold).tolist()] == expected


def test_self_training_is_weighted_wccn_on_the_covariances_of_the_probe_and_of_the_pairs_found():
    probe = make_text(300, noise=0.2)
    alignment = weighted_wccn(probe, per_language=False)
    spread = spread_of(np.stack([*alignment.apply_to_spaces(probe, with_language=False).values()]))
    text = make_text(200, seed=1, noise=0.2)
    centred = centre_on(alignment, text)
    mapped = [unit(centred.apply(space, code)) for code, space in text.items()]
    expected = np.eye(12)
    for _ in range(2):
        rows, columns = mutual_neighbours(*(unit(side @ expected.T) for side in mapped), 0.0).T
        first, second = mapped[0][rows], mapped[1][columns]
        halves, means = (first - second) / 2, (first + second) / 2
        within, between = halves.T @ halves / len(halves), np.cov(means.T, bias=True)
        scale = np.trace(spread.within) / np.trace(within)
        share = len(rows) / (len(rows) + PRIOR * 12)
        both = [(1 - share) * a + share * scale * b for a, b in ((spread.within, within), (spread.between, between))]
        ridged = both[0] + 0.01 * np.trace(both[0]) / 12 * np.eye(12)
        values, vectors = linalg.eigh(both[1], ridged)
        b = (values + values.mean()) / 2
        expected = ((b / (1 + b)) ** 0.5 * (1 + b) ** -0.25)[:, None] * vectors.T
    found, pairs = self_train(centred, spread, text, threshold=0.0)
    assert pairs == len(rows) > FEWEST
    ours, theirs = (
        map_ @ mapped[0].T for map_ in (found.matrices[0] @ np.linalg.pinv(alignment.matrices[0]), expected)
    )
    np.testing.assert_allclose(ours.T @ ours, theirs.T @ theirs, rtol=1e-3, atol=1e-4)


def top1(alignment, text, of):
    first, second = (unit(alignment.apply(space, code)) for code, space in text.items())
    return float(((first @ second.T).argmax(axis=1) == np.arange(len(first)))[of].mean())


@pytest.mark.parametrize("strays", [0.1, 0.5, 0.9])
def test_text_with_strays_is_adapted_to_where_enough_pairs_stand_out_and_never_harmed_much(strays):
    probe, text = make_text(400, noise=0.15, dimensions=24), make_text(600, 1, 24, strays, noise=0.3)
    text = {code: space + 3 * (code == "spa_Latn") for code, space in text.items()}
    alignment = weighted_wccn(probe, per_language=False)
    spread = spread_of(np.stack([*alignment.apply_to_spaces(probe, with_language=False).values()]))
    centred = centre_on(alignment, text)
    adapted, pairs = self_train(centred, spread, text)
    pairs_of = np.arange(round(strays * 600), 600)
    assert top1(centred, text, pairs_of) > top1(alignment, text, pairs_of)
    assert top1(adapted, text, pairs_of) >= top1(centred, text, pairs_of) - 0.05
    assert (pairs >= FEWEST) == (adapted is not centred and pairs > 0)


def test_too_few_pairs_leave_the_map_as_it_is():
    text = make_text(FEWEST - 1)
    alignment = centre_on(LinearAlignment(tuple(text), np.zeros((2, 12)), np.eye(12)[None]), text)
    spread = spread_of(np.stack([*text.values()]))
    same, pairs = self_train(alignment, spread, text, threshold=-1.0)
    assert pairs == 0
    np.testing.assert_array_equal(same.matrices, alignment.matrices)
    np.testing.assert_allclose(same.means[0], text["eng_Latn"].mean(axis=0))


def test_an_aligner_says_what_it_was_adapted_to_and_keeps_it(llama, tmp_path):
    probe = il.open_corpus("starter").parallel("dev", languages=["en", "es", "ja"], limit=60)
    aligner = il.align(llama, probe, layers=[1, 2], max_blocks=2)
    other = il.open_corpus("starter").parallel("devtest", languages=["es", "de"], limit=60)
    text = {"Spanish": other["spa_Latn"], "German": other["deu_Latn"][:50]}
    centred, adapted = aligner.adapt(text, self_training=False), aligner.adapt(text, threshold=-1.0)
    assert "adapted_to" not in aligner.made_from
    assert centred.made_from["adapted_to"]["sentences"] == {"spa_Latn": 60, "deu_Latn": 50}
    assert not centred.made_from["adapted_to"]["self_training"]
    np.testing.assert_array_equal(centred.alignment.matrices, aligner.alignment.matrices)
    np.testing.assert_allclose(centred.alignment.apply(aligner.read(text["German"]), "de").mean(axis=0), 0, atol=1e-4)
    assert centred.alignment.languages == (*aligner.alignment.languages, "deu_Latn")
    adapted.save_pretrained(tmp_path / "adapted")
    again = il.Aligner.from_pretrained(tmp_path / "adapted", model=llama)
    assert again.made_from["adapted_to"] == adapted.made_from["adapted_to"]
    np.testing.assert_array_equal(again.encode(["el gato"], "es"), adapted.encode(["el gato"], "es"))
    aligner.save_pretrained(tmp_path / "plain")
    same = il.Aligner.from_pretrained(tmp_path / "plain", model=llama).adapt(text, threshold=-1.0)
    np.testing.assert_array_equal(same.alignment.matrices, adapted.alignment.matrices)
    with pytest.raises(InputError, match="self_training=False"):
        again.adapt(text)
    with pytest.raises(InputError, match="deu_Latn has 1 sentences"):
        aligner.adapt({"de": ["Ja."]})
