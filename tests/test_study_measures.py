"""Every measure of a study: its table is what the measure gives by hand, and the claims find what they need."""

import numpy as np
import pandas as pd
import pytest

import interlingua as il
from conftest import listening
from interlingua.analysis import behaviour, summary
from interlingua.report import write_report
from interlingua.study import StudyConfig
from interlingua.study.conditions import conditions

GENERATION = {"texts": 4, "seeds": [0, 1], "max_new_tokens": 6}
PERPLEXITY = {"characters": 1200, "stride": 32, "window": 64}

pytestmark = pytest.mark.slow  # for the study that all of them read


@pytest.fixture(scope="module")
def bitext_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bitext")
    for name, lines in (
        ("spa_Latn-eng_Latn.spa_Latn.txt", ("el gato", "un perro", "llueve")),
        ("spa_Latn-eng_Latn.eng_Latn.txt", ("the cat", "a dog", "it rains")),
    ):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def config(checkpoint, corpus_folder, bitext_folder):
    return StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), targets=["es", "ja"], k=[20], dtype="float32",
        kinds=["set-to-mean", {"kind": "dampen", "factor": 0.3, "strength": 0.5}],
        generation=GENERATION, perplexity=PERPLEXITY, paraphrase={"limit": 8, "languages": ["es", "ja"]},
        bitext={"corpora": [str(bitext_folder)]},
        projection={"sentences": 3, "n_neighbors": 5}, correlation={"resamples": 100},
        sweep={"k": [0, 40], "retrieval": True},
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(config, tmp_path_factory):
    return il.run_study(config, tmp_path_factory.mktemp("runs") / "study")


@pytest.fixture(scope="module")
def model(checkpoint):
    return il.load_model(checkpoint, dtype="float32")


@pytest.fixture(scope="module")
def spanish(model, corpus_folder):
    return il.set_to_mean(il.find_experts(model, il.open_corpus(corpus_folder).parallel()), "es", 20)


def of(table, condition, target="spa_Latn", kind="set-to-mean", k=20):
    return table.query("condition == @condition and target == @target and kind == @kind and k == @k")


def test_generation_is_what_the_room_gives(run, model, spanish):
    with spanish.applied_to(model):
        texts = il.generate_seeds(model, 4, [0, 1], max_new_tokens=6)
    assert of(run.tables["texts"], "steered").text.tolist() == texts.text.tolist()
    expected = il.language_shares(il.identify(list(texts.text)), ["es"]).iloc[0]
    row = of(run.tables["generation"], "steered").iloc[0]
    assert (row.n, row.share, row.posterior) == (8, expected.share, expected.posterior)
    original = run.tables["generation"].query("condition == 'original'")
    assert original.target.tolist() == ["spa_Latn", "jpn_Jpan"], "the same texts, judged for every target"


def test_perplexity_is_what_the_room_gives(run, config, model, spanish):
    text = il.open_corpus("starter").text("es", characters=1200).text
    drawn = next(condition for condition in conditions(config) if condition.name == "random")
    control = il.random_control(spanish, model.neurons, drawn.seed)
    for condition, edit in (("steered", spanish), ("random", control)):
        with edit.applied_to(model):
            expected = il.perplexity(model, text, stride=32, max_length=64)
        row = of(run.tables["perplexity"], condition).iloc[0]
        assert row.tokens == expected.tokens
        assert row.log_perplexity == pytest.approx(expected.log_perplexity, rel=1e-6)  # sums of float32
    original = run.tables["perplexity"].query("condition == 'original'").set_index("target")
    expected = il.perplexity(model, text, stride=32, max_length=64)
    assert original.log_perplexity["spa_Latn"] == pytest.approx(expected.log_perplexity, rel=1e-6)


def test_paraphrase_is_what_the_room_gives_and_the_control_is_a_table_of_its_own(run, model, spanish):
    pairs = il.open_corpus("starter").pairs("es", limit=8)

    def embedded():
        both = il.embed(model, [*pairs.left, *pairs.right])
        return {"spa_Latn": (both[:8], both[8:])}

    before = embedded()
    with spanish.applied_to(model):
        after = embedded()
    mixed = {"spa_Latn": (before["spa_Latn"][0], after["spa_Latn"][1])}
    sides = {"pre": before, "post": after, "mixed": mixed}
    expected = {condition: il.paraphrase(pairs).top1.item() for condition, pairs in sides.items()}
    table = run.tables["paraphrase"].query("language == 'spa_Latn'")
    assert set(table.condition) == {"pre", "post", "mixed"}
    assert table.query("condition == 'pre'").top1.item() == expected["pre"]
    assert of(table, "post").top1.item() == expected["post"]
    assert of(table, "mixed").top1.item() == expected["mixed"]
    assert set(run.tables["paraphrase_random"].condition) == {"post", "mixed"}


def test_bitext_is_measured_both_ways_in_every_condition(run, model):
    table = run.tables["bitext"]
    sides = [il.embed(model, lines) for lines in (["el gato", "un perro", "llueve"], ["the cat", "a dog", "it rains"])]
    expected = il.bitext({("spa_Latn", "eng_Latn"): (sides[0], sides[1])}).top1
    assert table.query("condition == 'original'").top1.tolist() == expected.tolist()
    assert len(table) == 2 * (1 + 2 * 2 * 2)


def test_correlation_is_that_of_the_tables(run):
    expected = il.correlation(run.tables["retrieval"], run.tables["geometry"], resamples=100)
    columns = ["condition", "target", "kind", "k", "correlation"]
    found = run.tables["correlation"].set_index(columns).sort_index()
    np.testing.assert_array_equal(
        found.r.to_numpy(float, na_value=np.nan),
        expected.set_index(columns).sort_index().r.to_numpy(float, na_value=np.nan),
    )
    assert len(found) == 2 * 2 * 2 * 4


def test_the_map_has_the_original_and_the_steered_space(run):
    table = run.tables["projection"]
    assert set(table.condition) == {"steered"}
    assert table.groupby(["target", "kind"]).size().tolist() == [2 * 4 * 3] * 4
    assert set(table.space) == {"original", "steered"}
    corpus = il.open_corpus(run.config.corpus).parallel("devtest")
    assert [corpus[code][row] for code, row in zip(table.language, table.sentence, strict=True)] == list(table.text)


def test_a_map_that_may_be_passed_on_holds_no_sentence(checkpoint, tmp_path):
    config = StudyConfig(
        model=str(checkpoint), corpus="starter", languages=["en", "es"], limit=4, k=[5], dtype="float32",
        measures=["projection"], projection={"sentences": 3, "text": False},
    )  # fmt: skip
    run = il.run_study(config, tmp_path / "run")
    assert "text" not in run.tables["projection"]
    page = write_report(run).read_text(encoding="utf-8")
    corpus = il.open_corpus("starter").parallel("devtest", limit=4)
    assert not [line for code in corpus.languages for line in corpus[code] if line in page]


def test_sweep_has_further_k_and_picks_one_for_each_target_and_kind(run):
    table = run.tables["sweep"]
    assert table.groupby(["target", "kind"]).k.apply(list).tolist() == [[0, 20, 40]] * 4
    assert table.groupby(["target", "kind"]).picked.sum().tolist() == [1] * 4
    assert set(run.tables["retrieval"].k) == {0, 20}, "a k of the sweep has tables of its own"
    assert set(run.tables["sweep_retrieval"].k) == set(run.tables["sweep_geometry"].k) == {40}
    top1 = {}
    for name in ("retrieval", "sweep_retrieval"):
        pairs = run.tables[name].query("query == 'spa_Latn' and candidate != 'spa_Latn' and condition != 'random'")
        for row in pairs[
            pairs.target.isna() | ((pairs.target == "spa_Latn") & (pairs.kind == "set-to-mean"))
        ].itertuples():
            top1.setdefault(row.k, []).append(row.top1)
    gains = table[(table.target == "spa_Latn") & (table.kind == "set-to-mean")].set_index("k").gain
    for k in (0, 20, 40):
        assert gains[k] == pytest.approx(np.mean(top1[k]) - np.mean(top1[0]))
    assert run.tables["claims"].set_index("claim").verdict["C15"].iloc[0] != "not measured"


def test_claims_are_judged_from_the_tables(run):
    claims = run.tables["claims"]
    tables = {name: table for name, table in run.tables.items() if name != "claims"}
    expected = il.claims(tables)
    assert claims.verdict.tolist() == expected.verdict.tolist()
    assert claims.claim.unique().tolist() == [f"C{i}" for i in range(1, 18)]
    assert not claims.numbers.str.contains("table .* is missing").any()
    assert len(run.tables["geometry_summary"])
    assert len(run.tables["overlap_summary"]) == 1


def test_the_kinds_stand_side_by_side(run, few_figures):
    table = summary(run.tables, run.config.targets)
    assert set(table.kind.dropna()) == {"set-to-mean", "dampen factor=0.3 strength=0.5"}
    assert len(table) == 2 * (1 + 2 * 2)
    written = behaviour(run.tables, run.config.targets)
    row = of(written, "steered").iloc[0]
    assert row.share == of(run.tables["generation"], "steered").share.item()
    assert row.mixed == pytest.approx(of(run.tables["paraphrase"], "mixed").top1.mean())
    original = written.query("condition == 'original'")
    assert original.paraphrase.nunique() == 1
    assert len(original) == 2
    html = write_report(run).read_text(encoding="utf-8")
    for target in ("Spanish", "Japanese"):
        for title in (f"steered to {target}, k = 20", f"steered to {target} by dampen factor=0.3 strength=0.5, k = 20"):
            assert f"Change of top-1 accuracy for every pair of languages, {title}" in html
    assert "(dampen factor=0.3 strength=0.5)" in html


def test_k_0_is_computed_once_with_the_original(config, tmp_path):
    few = config.model_copy(
        update={
            "k": (0,),
            "measures": ("generation", "perplexity", "paraphrase", "bitext", "geometry"),
            "targets": ("spa_Latn",),
        }
    )
    with listening() as said:
        run = il.run_study(few, tmp_path / "run")
    cells = [line for line in said if line.startswith("[")]
    assert not [line for line in cells if "random" in line and "generation" not in line]
    wide = run.tables["geometry"].query("measure == 'distance'").value.to_numpy().reshape(-1, 6)
    assert (wide == wide[0]).all()
    assert set(run.tables["paraphrase_random"].k) == {0}


def test_a_measure_alone_and_none_of_the_space(config, tmp_path):
    run = il.run_study(config.model_copy(update={"measures": ("perplexity",)}), tmp_path / "run")
    claims = {"claims", "claims_by_target"}
    grid = {"grid", "main_effects"}  # of two kinds
    assert set(run.tables) == {*claims, *grid, "experts", "overlap", "overlap_summary", "perplexity", "spread"}
    assert summary(run.tables, run.config.targets).empty
    write_report(run)


def test_a_target_without_text_has_no_perplexity_and_that_is_said(checkpoint, tmp_path):
    config = StudyConfig(
        model=str(checkpoint), limit=2, targets=["Korean"], k=[5], dtype="float32", measures=["perplexity"],
        languages=["ko", "en"], probe_languages=["ko", "en"], perplexity=PERPLEXITY,
    )  # fmt: skip
    with listening() as said:
        run = il.run_study(config, tmp_path / "run")
    assert "warning: no perplexity for Korean: corpus 'starter' has no text in it" in said
    assert "perplexity" not in run.tables


def test_text_is_cut_to_tokens(model):
    from interlingua.study.cells.perplexity import first_tokens

    paragraphs = ("abc", "de", "fghi")  # a token a letter
    assert [len(first_tokens(model, paragraphs, n)) for n in (1, 3, 4, 5, 6, 99)] == [1, 1, 2, 2, 3, 3]
    assert first_tokens(model, paragraphs, None) == paragraphs


def test_original_rows_are_there_for_every_target(run):
    for name in ("generation", "perplexity"):
        table = run.tables[name]
        assert isinstance(table, pd.DataFrame)
        assert set(table.query("condition == 'original'").target) == {"spa_Latn", "jpn_Jpan"}


def test_a_target_that_the_identifier_does_not_know_has_texts_and_no_share(checkpoint, corpus_folder, tmp_path):
    for split in ("dev", "devtest"):
        (tmp_path / "c" / split).mkdir(parents=True)
        for code, other in (("eng_Latn", "eng_Latn"), ("yor_Latn", "fra_Latn")):
            text = (corpus_folder / split / f"{other}.txt").read_text(encoding="utf-8")
            (tmp_path / "c" / split / f"{code}.txt").write_text(text, encoding="utf-8")
    config = StudyConfig(
        model=str(checkpoint), corpus=str(tmp_path / "c"), targets=["Yoruba"], k=[5], dtype="float32",
        measures=["generation", "projection"], generation=GENERATION,
    )  # fmt: skip
    with pytest.warns(UserWarning, match="does not know Yoruba"):
        run = il.run_study(config, tmp_path / "run")
    assert "generation" not in run.tables
    assert len(run.tables["texts"]) == 3 * 8
    assert len(run.tables["projection"]) == 2 * 2 * 4, "fewer points than neighbours asked for is not a failure"


def test_prompts_are_continued_and_every_targets_text_is_read(
    config, checkpoint, model, spanish, tmp_path, few_figures
):
    few = config.model_copy(
        update={
            "kinds": config.kinds[:1],
            "measures": ("generation", "perplexity"),
            "generation": config.generation.model_copy(update={"prompts": "prompts"}),
            "perplexity": config.perplexity.model_copy(update={"every_target": True}),
        }
    )
    run = il.run_study(few, tmp_path / "run")
    forcing = run.tables["forcing"]
    assert forcing.groupby(["condition", "target"]).prompt.nunique().tolist() == [8] * 6
    prompts = {
        code: il.open_corpus("prompts").text(code, min_length=1).paragraphs for code in sorted(set(forcing.prompt))
    }
    settings = {"max_new_tokens": 6, "temperature": 1.0, "top_p": 0.9, "top_k": 50, "seed": 0}
    with spanish.applied_to(model):
        texts = il.generate(model, prompts=[text for code in prompts for text in prompts[code]], **settings)
    found = il.identify(texts).table().language.to_numpy().reshape(8, 8)
    steered = of(forcing, "steered").set_index("prompt")
    assert steered.share[list(prompts)].tolist() == (found == "spa_Latn").mean(axis=1).tolist()
    matrix = (
        run.tables["perplexity_matrix"].query("condition == 'steered' and k == 20").set_index(["target", "language"])
    )
    assert set(matrix.index) == {(a, b) for a in few.targets for b in few.targets}
    text = il.open_corpus("starter").text("ja", characters=1200).text
    before = il.perplexity(model, text, stride=32, max_length=64).log_perplexity
    with spanish.applied_to(model):
        after = il.perplexity(model, text, stride=32, max_length=64).log_perplexity
    assert matrix.rise["spa_Latn", "jpn_Jpan"] == pytest.approx(after - before, abs=1e-4)
    claims = run.tables["claims"].set_index("claim").numbers["C2"]
    assert "over 2 targets" in claims
    assert "Rise of log perplexity by edits of each language" in write_report(run).read_text(encoding="utf-8")
