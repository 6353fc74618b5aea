"""Closed-form alignments against independent computations, and their choice and use on tiny models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg
from scipy.spatial.transform import Rotation
from sklearn.covariance import LedoitWolf

import interlingua as il
from conftest import listening
from interlingua.alignment.centring import centring
from interlingua.alignment.choose import TOLERANCE, simplest_of_the_best
from interlingua.alignment.edits import EditGrid
from interlingua.alignment.held_out import HeldOut, make_folds
from interlingua.alignment.identity import identity
from interlingua.alignment.judge import find_hits
from interlingua.alignment.language_directions import language_directions
from interlingua.alignment.methods import METHODS, NEED_LANGUAGE, Recipe, concatenated
from interlingua.alignment.procrustes import procrustes
from interlingua.alignment.score_file import ScoreFile
from interlingua.alignment.search import search_recipes
from interlingua.alignment.settings import Settings
from interlingua.alignment.spaces import embed_to_disk
from interlingua.alignment.wccn import wccn
from interlingua.alignment.weighted_wccn import weighted_wccn
from interlingua.alignment.whitening import whitening
from interlingua.errors import InputError, LanguageError

CODES = ("eng_Latn", "spa_Latn", "jpn_Jpan")


def make_probe(sentences=40, dimensions=6, seed=0, noise=0.3):
    """Return a shared meaning plus each language's offset plus noise, most of it in two directions."""
    random = np.random.default_rng(seed)
    meaning = random.normal(size=(sentences, dimensions))
    loud = np.array([8.0, 4.0, *[1.0] * (dimensions - 2)])
    return {
        code: meaning + 3 * random.normal(size=dimensions) + noise * loud * random.normal(size=(sentences, dimensions))
        for code in CODES
    }


def unit(vectors):
    return vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("shrinkage", [0.01, "ledoit-wolf"])
def test_wccn_is_the_definition_written_out_sentence_by_sentence(shrinkage):
    probe = make_probe()
    centred = {code: unit(space - space.mean(axis=0)) for code, space in probe.items()}
    deviations = []
    for i in range(40):
        members = np.array([centred[code][i] for code in CODES])
        deviations += list(members - members.mean(axis=0))
    within = sum(np.outer(d, d) for d in deviations) / len(deviations)
    if shrinkage == "ledoit-wolf":
        regular = LedoitWolf(assume_centered=True).fit(np.array(deviations)).covariance_
    else:
        regular = within + shrinkage * np.linalg.eigvalsh(within).mean() * np.eye(6)
    expected = np.linalg.inv(linalg.sqrtm(regular).real)
    fitted = wccn(probe, shrinkage=shrinkage)
    np.testing.assert_allclose(fitted.matrices[0], expected, rtol=1e-8)
    np.testing.assert_allclose(fitted.means[1], probe["spa_Latn"].mean(axis=0))


@given(st.integers(0, 1000), st.floats(0, 1), st.floats(0, 1), st.booleans(), st.sampled_from([40, 200]))
def test_weighted_wccn_weights_the_generalised_eigenvectors_of_both_covariances(
    seed, alpha, beta, per_language, sentences
):
    probe = make_probe(sentences, seed=seed)
    stacked = np.array(list(probe.values()))
    mean = stacked.mean(axis=1, keepdims=True) if per_language else stacked.mean(axis=(0, 1), keepdims=True)
    centred = np.array([unit(space) for space in stacked - mean])
    of_sentences = centred.mean(axis=0)
    within = np.einsum("lsi,lsj->ij", centred - of_sentences, centred - of_sentences) / (3 * sentences)
    between = np.cov(of_sentences.T, bias=True)
    values, vectors = linalg.eigh(between, within + 0.1 * np.trace(within) / 6 * np.eye(6))
    shrunk = 0.3 if sentences == 200 else 0.5
    b = (1 - shrunk) * values + shrunk * values.mean()
    weights = (b / (1 + b)) ** alpha * (1 + b) ** -beta
    matrix = weighted_wccn(probe, shrinkage=0.1, per_language=per_language, alpha=alpha, beta=beta).matrices[0]
    np.testing.assert_allclose(matrix.T @ matrix, (vectors * weights**2) @ vectors.T, rtol=1e-6, atol=1e-8)


def test_weighted_wccn_without_weights_has_the_cosines_of_wccn():
    probe = make_probe()
    plain, weighted = (fit.apply(probe["eng_Latn"]) for fit in (wccn(probe), weighted_wccn(probe, alpha=0, beta=0)))
    np.testing.assert_allclose(weighted @ weighted.T, plain @ plain.T, atol=1e-8)


def test_whitening_makes_every_direction_vary_alike_and_leaves_none_turned():
    probe = make_probe()
    centred = np.concatenate([unit(space - space.mean(axis=0)) for space in probe.values()])
    matrix = whitening(probe, shrinkage=1e-12).matrices[0]
    mapped = centred @ matrix.T
    np.testing.assert_allclose(mapped.T @ mapped / len(mapped), np.eye(6), atol=1e-8)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-10)


def test_procrustes_finds_the_rotations_that_made_the_languages():
    space = make_probe()["eng_Latn"][:, :3]
    turns = dict(zip(CODES, [np.eye(3), *Rotation.random(2, rng=0).as_matrix()], strict=True))
    probe = {code: space @ turn.T + 7 for code, turn in turns.items()}
    mapped = procrustes(probe).apply_to_spaces(probe, with_language=True)
    for code in CODES:
        np.testing.assert_allclose(mapped[code], space - space.mean(axis=0), atol=1e-10)
    with pytest.raises(LanguageError, match="give the language"):
        procrustes(probe).apply(space)
    with pytest.raises(LanguageError, match="pivot deu_Latn"):
        procrustes(probe, pivot="German")


def test_procrustes_takes_the_slower_driver_where_the_faster_one_does_not_converge(monkeypatch):
    probe = make_probe()
    expected = procrustes(probe).matrices

    def fails(space, target):
        raise linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr(linalg, "orthogonal_procrustes", fails)
    np.testing.assert_allclose(procrustes(probe).matrices, expected, atol=1e-10)


def test_removing_all_directions_of_the_means_makes_them_equal_and_keeps_the_rest():
    probe = make_probe()
    fitted = language_directions(probe)
    means = np.array([space.mean(axis=0) for space in fitted.apply_to_spaces(probe, with_language=False).values()])
    np.testing.assert_allclose(means, 0, atol=1e-10)
    values = np.sort(np.linalg.eigvalsh(fitted.matrices[0]))
    np.testing.assert_allclose(values, [0, 0, 1, 1, 1, 1], atol=1e-10)
    with pytest.raises(InputError, match="1 to 2 directions"):
        language_directions(probe, directions=3)


@given(st.integers(0, 10_000))
def test_centring_ignores_any_offset_of_a_language_and_identity_does_nothing(seed):
    probe = make_probe(seed=seed)
    moved = {**probe, "spa_Latn": probe["spa_Latn"] + 100}
    np.testing.assert_allclose(
        centring(moved).apply(moved["spa_Latn"], "es"), centring(probe).apply(probe["spa_Latn"], "es"), atol=1e-9
    )
    np.testing.assert_array_equal(identity(probe).apply(probe["spa_Latn"]), probe["spa_Latn"])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_affine_and_says_what_it_cannot_do(method):
    probe = make_probe()
    fitted = METHODS[method](probe)
    weight, bias = fitted.weight_and_bias("Spanish")
    np.testing.assert_allclose(fitted.apply(probe["spa_Latn"], "es"), probe["spa_Latn"] @ weight.T + bias, atol=1e-12)
    with pytest.raises(LanguageError, match="not in the probe"):
        fitted.apply(probe["spa_Latn"], "German")
    with pytest.raises(InputError, match="at least two languages"):
        METHODS[method]({"eng_Latn": np.eye(3)})
    with pytest.raises(InputError, match="equal shape"):
        METHODS[method]({"eng_Latn": np.eye(3), "spa_Latn": np.eye(4)})


def test_a_fit_on_some_sentences_aligns_others_better_than_nothing_does():
    both = make_probe(sentences=400, dimensions=12, noise=0.6)
    fit_on, judge_on = ({3: {c: space[part] for c, space in both.items()}} for part in (slice(200), slice(200, None)))
    top1 = {
        method: find_hits(Recipe(method, (3,)), fit_on, judge_on).top1()
        for method in ("identity", "language-directions", "wccn")
    }
    assert top1["identity"] < top1["language-directions"] < top1["wccn"]


def test_align_is_the_search_and_the_choice_and_the_fit_of_compare(llama, tmp_path):
    probe, evaluation = (
        il.open_corpus("starter").parallel(split, languages=["en", "es", "ja", "de"], limit=60)
        for split in ("dev", "devtest")
    )
    grid = EditGrid(kinds=("set-to-mean",), k=(20,), strengths=(1.0,), sentences=30, languages=3)
    settings = Settings(edits=grid, draws=1, sizes=(), resamples=10)
    compared = il.compare(llama, probe, evaluation, tmp_path, settings=settings)
    fitted, aligner = compared.chosen.fit(), il.align(llama, probe, layers=range(3), methods=list(METHODS), edits=grid)
    assert fitted.made_from == aligner.made_from
    assert fitted.made_from["recipe"] == str(compared.chosen.recipe)
    assert fitted.made_from["held_out_top1"] == compared.chosen.top1
    np.testing.assert_array_equal(fitted.alignment.matrices, aligner.alignment.matrices)
    np.testing.assert_array_equal(fitted.alignment.means, aligner.alignment.means)
    code = None if aligner.alignment.needs_language else "jpn_Jpan"
    np.testing.assert_array_equal(fitted.encode(["雨です。"], code), aligner.encode(["雨です。"], code))


def test_what_cannot_be_searched_is_said_before_anything_is_embedded(llama, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("interlingua.alignment.spaces.embed_blocks", None)
    other = il.open_corpus("starter").parallel("devtest", languages=corpus.languages, limit=6)
    for wrong, message in (
        ({"layers": (99,)}, "between -3 and 2; 99"),
        ({"folds": 9}, "make 2 to 3 folds"),
        ({"methods": ("magic",)}, "unknown method 'magic'"),
        ({"max_blocks": 0}, "at least one block"),
        ({"dimensions": 0}, "at least one dimension"),
    ):
        with pytest.raises(InputError, match=message):
            il.align(llama, corpus, folder=tmp_path / "a", **wrong)
        with pytest.raises(InputError, match=message):
            il.compare(llama, corpus, other, tmp_path / "c", settings=Settings(**wrong))
    assert not list(tmp_path.iterdir())


def test_a_scoring_whose_neighbourhoods_are_larger_than_a_fold_is_left_out(llama, tmp_path):
    few = {split: il.open_corpus("starter").parallel(split, languages=["en", "es"], limit=18)
           for split in ("dev", "devtest")}  # fmt: skip
    settings = Settings(layers=(1,), methods=("centring",), edits=None, draws=1, sizes=(), resamples=10)
    with listening() as said:
        found = il.compare(llama, few["dev"], few["devtest"], tmp_path, settings=settings)
    assert said.count("warning: csls is left out: it needs folds of 10 sentences, not 6") == 1
    assert set(found.tables["candidates"].scoring) == {"cosine", "margin"}
    aligner = il.align(llama, few["dev"], layers=[1], methods=["identity", "centring"], edits=None)
    assert aligner.made_from["held_out_top1"] == found.chosen.top1


def test_the_choice_takes_the_best_layer_and_method_and_needs_no_language_unless_all_do():
    noise = np.random.default_rng(1)
    probe = {0: {code: noise.normal(size=(60, 12)) for code in CODES}, 4: make_probe(60, 12, noise=0.5)}
    methods = [method for method in METHODS if method not in NEED_LANGUAGE]
    tried = search_recipes(HeldOut(probe), methods)
    recipe = simplest_of_the_best(tried)
    assert recipe.method == "wccn"
    assert 4 in recipe.layers
    free = {other: top1 for other, top1 in tried.items() if not other.per_language}
    assert free[recipe] >= max(free.values()) - TOLERANCE
    needing = {other: top1 for other, top1 in tried.items() if other.per_language}
    assert simplest_of_the_best(needing) in needing
    assert simplest_of_the_best({other: 1 + top1 for other, top1 in needing.items()} | free) == recipe
    assert {(0,), (4,), (0, 4)} <= {other.layers for other in tried}
    assert search_recipes(HeldOut(probe), methods, per_language=False) == free, "what a choice needs, and no less"
    only = search_recipes(HeldOut(probe), ["procrustes"], per_language=False)
    assert all(other.per_language for other in only)
    assert simplest_of_the_best(only).method == "procrustes"


def test_the_held_out_score_is_that_of_the_scoring(llama, monkeypatch):
    """By cosine everything is made to look worse, so that CSLS is chosen: its score must be the one that is kept."""
    probe = il.open_corpus("starter").parallel("dev", languages=["en", "es", "ja"], limit=40)
    of_folds = HeldOut.of_folds

    def worse_by_cosine(held_out, recipe):
        scores = of_folds(held_out, recipe)
        return {name: [0.5 * s if name == "cosine" else s for s in folds] for name, folds in scores.items()}

    monkeypatch.setattr(HeldOut, "of_folds", worse_by_cosine)
    aligner = il.align(llama, probe, layers=[1], methods=["centring"], max_blocks=1)
    embedded = il.embed_layers(llama, [s for c in probe.languages for s in probe[c]], layers=[1], special_tokens=False)
    spaces = {1: dict(zip(probe.languages, np.split(embedded.of_layer[1], 3), strict=True))}
    right = HeldOut(spaces, scorings=["csls"]).top1(Recipe("centring", (1,)), "csls")
    assert aligner.scoring == aligner.made_from["scoring"] == "csls"
    assert aligner.made_from["held_out_top1"] == pytest.approx(right)


def test_concatenated_layers_are_read_as_they_come():
    probe = {0: make_probe(), 1: {code: 1000 * space for code, space in make_probe(seed=1).items()}}
    fitted = Recipe("centring", (0, 1)).fit(probe)
    mapped = fitted.apply(concatenated(probe, (0, 1))["eng_Latn"])
    assert mapped.shape == (40, 12)
    lengths = np.linalg.norm(mapped[:, :6], axis=1).mean(), np.linalg.norm(mapped[:, 6:], axis=1).mean()
    assert 0.3 < lengths[0] / lengths[1] < 3


@given(st.integers(4, 60), st.integers(0, 1000))
def test_folds_hold_each_sentence_once(sentences, seed):
    folds = make_folds(sentences, 2, seed)
    assert sorted(np.concatenate(folds)) == list(range(sentences))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: make_folds(3), "make 2 to 1 folds"),
        (lambda: Recipe("magic", (0,)), "unknown method 'magic'"),
        (lambda: Recipe("wccn", ()), "at least one layer"),
        (lambda: Recipe("procrustes", (0,)), "set per_language"),
        (lambda: wccn(make_probe(), shrinkage=0), "above 0"),
        (lambda: wccn(dict.fromkeys(CODES, make_probe()["eng_Latn"])), "do not differ"),
    ],
)
def test_wrong_input_is_said(wrong, message):
    with pytest.raises(InputError, match=message):
        wrong()


def test_experts_are_found_on_other_sentences_than_edits_are_scored_on():
    probe = il.open_corpus("starter").parallel("dev", languages=["ja", "es", "en", "de"], limit=20)
    embedded, rest = EditGrid(sentences=100, languages=2, targets=("de", "en")).parts(probe)
    assert embedded.languages == rest.languages == ("deu_Latn", "eng_Latn")
    assert len(embedded) == len(rest) == 10
    assert not set(embedded["deu_Latn"]) & set(rest["deu_Latn"])
    assert EditGrid().targets_in(probe) == ("eng_Latn",)
    with pytest.raises(InputError, match="unknown kind 'wish'"):
        EditGrid(kinds=("wish",))


def test_embeddings_on_disk_are_those_in_memory_and_are_made_once(llama, corpus, tmp_path, monkeypatch):
    spaces = embed_to_disk(llama, corpus.sentences, tmp_path, layers=[0, -1])
    assert list(spaces) == [0, 2]
    for layer in (0, 2):
        expected = il.embed(llama, corpus["jpn_Jpan"], layer=layer, special_tokens=False)
        np.testing.assert_array_equal(spaces[layer]["jpn_Jpan"], expected)
    everything = embed_to_disk(llama, corpus.sentences, tmp_path, layers=[0], special_tokens=True)
    np.testing.assert_array_equal(everything[0]["jpn_Jpan"], il.embed(llama, corpus["jpn_Jpan"], layer=0))
    assert not np.array_equal(everything[0]["jpn_Jpan"], spaces[0]["jpn_Jpan"]), "files of their own"
    for damaged in tmp_path.glob("fra_Latn*"):
        damaged.write_bytes(damaged.read_bytes()[:50])
    assert list(embed_to_disk(llama, corpus.sentences, tmp_path, layers=[0])) == [0]
    monkeypatch.setattr("interlingua.alignment.spaces.embed_blocks", None)
    again = embed_to_disk(llama, corpus.sentences, tmp_path, layers=[0])
    expected = il.embed(llama, corpus["fra_Latn"], layer=0, special_tokens=False)
    np.testing.assert_array_equal(again[0]["fra_Latn"], expected)


def test_scores_outlive_the_process_even_where_a_line_was_cut_off(tmp_path):
    path = tmp_path / "scores.jsonl"
    ScoreFile(path)["a"] = [0.5, float("nan")]
    with path.open("a") as file:
        file.write('["b", 0.')
    scores = ScoreFile(path)
    assert scores["a"][0] == 0.5
    assert "b" not in scores
    scores["c"] = 1
    assert ScoreFile(path)["c"] == 1
