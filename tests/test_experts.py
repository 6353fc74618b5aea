import json

import numpy as np
import pandas as pd
import pytest

import interlingua as il
from interlingua.errors import ArtifactError, InputError, LanguageError
from interlingua.experts import record_responses


def test_means_are_those_of_the_languages_own_sentences(llama, corpus, experts):
    for code in corpus.languages:
        responses = record_responses(llama, corpus[code]).values
        np.testing.assert_allclose(experts.statistics.mean[experts.row(code)], responses.mean(axis=0), atol=2e-5)


def test_top_is_ordered_by_auroc_then_place_in_the_network(experts):
    scores = experts.auroc[experts.row("spa_Latn")]
    expected = sorted(range(len(scores)), key=lambda m: (-scores[m], m))
    assert experts.top("Spanish", 40).tolist() == expected[:40]
    assert len(np.unique(scores)) < len(scores), "the case has ties"


def test_table_says_where_each_expert_is(experts, llama):
    table = experts.table("spa_Latn", 5)
    for row in table.itertuples():
        name = f"model.layers.{row.layer}.mlp.{row.module}"
        position = [x.name for x in llama.neurons.linears].index(name)
        assert llama.neurons.offsets[position] + row.unit == row.neuron
    assert (table.auroc.diff().dropna() <= 0).all()


def test_overlap_counts_shared_neurons(experts):
    table = experts.overlap(50).set_index(["language", "other"])
    shared = set(experts.top("eng_Latn", 50)) & set(experts.top("fra_Latn", 50))
    assert table.shared["eng_Latn", "fra_Latn"] == len(shared)
    assert len(table) == 6


def test_summary_shares_add_up(experts):
    table = experts.summary(30)
    np.testing.assert_allclose(table.filter(like="share_").sum(axis=1), 1)
    assert (table.mean_auroc >= table.lowest_auroc).all()


def test_more_experts_than_are_above_chance_is_a_warning(experts):
    above = int((experts.auroc[experts.row("spa_Latn")] > 0.5).sum())
    with pytest.warns(UserWarning, match=f"only {above} neurons have a score above 0.5 by auroc"):
        experts.top("spa_Latn", above + 1)


@pytest.mark.parametrize("k", [-1, 321])
def test_an_impossible_k_is_an_error(experts, k):
    with pytest.raises(InputError, match="k must be between 0 and the number of neurons, 320"):
        experts.top("spa_Latn", k)


def test_a_language_that_was_not_probed_is_an_error(experts):
    with pytest.raises(LanguageError, match="no experts for deu_Latn; the probe had eng_Latn"):
        experts.top("German", 5)


def test_one_language_alone_is_an_error(llama, corpus):
    with pytest.raises(InputError, match="need sentences of other languages"):
        il.find_experts(llama, corpus.only(["Spanish"]))


def test_save_and_load_give_the_same_bits(experts, tmp_path):
    experts.save_pretrained(tmp_path / "experts")
    loaded = il.Experts.from_pretrained(tmp_path / "experts")
    assert (loaded.auroc == experts.auroc).all()
    assert (loaded.statistics.mean == experts.statistics.mean).all()
    assert loaded.neurons.fingerprint == experts.neurons.fingerprint
    assert loaded.made_from == experts.made_from
    assert loaded.top("es", 9).tolist() == experts.top("es", 9).tolist()


@pytest.mark.parametrize("damage", ["flip a bit", "cut short", "remove", "bad manifest"])
def test_a_damaged_folder_is_an_error(experts, tmp_path, damage):
    experts.save_pretrained(tmp_path / "e")
    arrays, manifest = tmp_path / "e" / "experts.safetensors", tmp_path / "e" / "manifest.json"
    data = bytearray(arrays.read_bytes())
    if damage == "flip a bit":
        data[-9] ^= 1
        arrays.write_bytes(data)
    elif damage == "cut short":
        arrays.write_bytes(data[: len(data) // 2])
    elif damage == "remove":
        arrays.unlink()
    else:
        manifest.write_text(json.dumps({"sha256": 3}))
    with pytest.raises(ArtifactError, match=r"damaged|holds no experts"):
        il.Experts.from_pretrained(tmp_path / "e")


def test_average_precision_can_rank_instead(experts):
    by_precision = experts.rank_by("average-precision")
    scores = experts.average_precision[experts.row("es")]
    assert by_precision.top("es", 40).tolist() == sorted(range(len(scores)), key=lambda m: (-scores[m], m))[:40]
    assert il.set_to_mean(by_precision, "es", 40).content_hash() != il.set_to_mean(experts, "es", 40).content_hash()
    with pytest.raises(InputError, match="unknown finder 'f1'; use auroc, average-precision"):
        experts.rank_by("f1")


@pytest.mark.parametrize(
    ("ranking", "message"),
    [(np.zeros((4, 7)), "has the shape"), (np.full((4, 320), np.nan), "not finite"), ([[1.0], [1.0, 2.0]], "shape"),
     (np.full((4, 320), "best"), "has the type"), (3, "has the shape")],
)  # fmt: skip
def test_a_ranking_that_is_none_is_an_error(experts, ranking, message):
    with pytest.raises(InputError, match=f"cannot rank experts: .*{message}"):
        experts.with_ranking("my_scores", ranking)


@pytest.mark.parametrize("kind", [int, np.uint8, np.float32, float])
def test_a_ranking_of_ones_own_is_saved_as_it_is_called(experts, kind, tmp_path):
    ranking = np.arange(4 * 320).reshape(4, 320) % 7 * np.ones(1, kind)
    ranked = experts.with_ranking("my_scores", ranking.astype(kind))
    ranked.save_pretrained(tmp_path / "e")
    again = il.Experts.from_pretrained(tmp_path / "e")
    assert again.ranked_by == again.made_from["ranked_by"] == "my_scores"
    assert again.top("es", 40).tolist() == np.argsort(-ranking[1].astype(float), kind="stable")[:40].tolist()


def test_selectivity_is_the_lead_over_the_next_language(experts):
    row = experts.row("es")
    for neuron in range(0, 320, 37):
        others = [experts.auroc[c, neuron] for c in range(len(experts.languages)) if c != row]
        assert experts.selectivity("es")[neuron] == experts.auroc[row, neuron] - max(others)


def test_spread_counts_every_expert_once(experts, llama):
    table = experts.spread(50)
    assert (table.groupby("language").experts.sum() == 50).all()
    rows = table[(table.language == "spa_Latn") & (table.layer == 1) & (table.module == "down_proj")]
    where = llama.neurons.locate(experts.top("es", 50))
    assert rows.experts.sum() == ((where.layer == 1) & (where.module == "down_proj")).sum()


def test_the_overlap_matrix_is_the_table(experts):
    matrix, table = experts.overlap_matrix(50), experts.overlap(50)
    assert (np.diag(matrix) == 50).all()
    assert (matrix == matrix.T).all(axis=None)
    for row in table.itertuples():
        assert matrix.loc[row.language, row.other] == row.shared


def test_parquet_has_all_neurons_of_all_languages(experts, tmp_path):
    experts.to_parquet(tmp_path / "experts.parquet")
    table = pd.read_parquet(tmp_path / "experts.parquet")
    pd.testing.assert_frame_equal(table, experts.to_pandas())
    assert len(table) == len(experts.languages) * 320
    spanish = table[table.language == "spa_Latn"]
    np.testing.assert_array_equal(spanish.auroc, experts.auroc[experts.row("es")])
    assert spanish.iloc[200].unit == experts.neurons.locate([200]).unit[0]


def test_poolings_together_give_the_experts_of_each(llama, corpus):
    together = il.find_experts_by_pooling(llama, corpus, ["mean", "max"])
    for pooling, found in together.items():
        alone = il.find_experts(llama, corpus, pooling=pooling)
        np.testing.assert_array_equal(found.auroc, alone.auroc)
        assert found.made_from == alone.made_from
