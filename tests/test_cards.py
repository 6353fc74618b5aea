"""Cards: what is saved says in a few kB what it is, of which model, under which terms, and how it is used."""

import json
import re

import numpy as np
import pytest
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

import interlingua as il
from conftest import make_model
from interlingua.alignment.onnx_graph import save_onnx
from interlingua.models.card import MOST_ROWS, table_of
from interlingua.models.terms import terms_of
from test_interventions import some_edit

FEW_KB = 5_000
GO_ON = ("LICENSE", "LICENCE.txt", "NOTICE.txt", "USE_POLICY.md", "USAGE.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model, its experts, an intervention, an aligner and its export, all made from `tiny`."""
    place = tmp_path_factory.mktemp("cards")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        make_model("llama").save_pretrained("tiny")
        for name in GO_ON:
            (place / "tiny" / name).write_text("the licence itself\n", encoding="utf-8")
        card = "---\nlicense: apache-2.0\nbase_model: somebody/tiny\n---\n"
        (place / "tiny" / "README.md").write_text(card, encoding="utf-8")
        model = il.load_model("tiny", dtype="float32")
        probe = il.open_corpus("starter").parallel("dev", languages=["en", "es", "ja"], limit=24)
        experts = il.find_experts(model, probe)
        experts.save_pretrained("experts")
        edit = il.set_to_mean(experts, "ja", k=20)
        edit.save_pretrained("edit")
        il.bake(model, edit).save_pretrained("baked")
        aligner = il.align(model, probe, methods=["wccn"], max_blocks=1, edits=None)
        aligner.save_pretrained("aligner")
        aligner.save_sentence_transformer("aligned")
    return place


@pytest.mark.parametrize("name", ["experts", "edit", "baked", "aligner", "aligned"])
def test_a_card_is_short_and_says_what_must_be_said(folder, name):
    path = folder / name / "README.md"
    card = ModelCard.load(path)
    assert path.stat().st_size < FEW_KB
    assert (card.data.base_model, card.data.license) == ("somebody/tiny", "apache-2.0")
    assert set(card.data.language) <= {"en", "es", "ja"}
    assert "ja" in card.data.language
    assert "interlingua" in card.data.tags
    assert "## Licence and terms" in card.text
    assert str(folder) not in card.content, "a card names no folder of this machine"


@pytest.mark.parametrize("name", ["experts", "edit", "baked", "aligner", "aligned"])
def test_the_snippet_of_a_card_runs_in_its_folder(folder, name, monkeypatch, capsys):
    monkeypatch.chdir(folder / name)
    if not (folder / name / "tiny").exists() and name in ("edit", "aligner"):
        (folder / name / "tiny").symlink_to(folder / "tiny")  # the model by the name that the user has for it
    snippet = re.search(r"```python\n(.+?)```", (folder / name / "README.md").read_text(), re.DOTALL)[1]
    exec(snippet, {})
    assert capsys.readouterr().out.strip()


def test_every_copy_of_the_weights_takes_the_licence_along(folder, tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setattr("torch.onnx.export", lambda *arguments, **options: None)
    save_onnx(tmp_path / "onnx", folder / "aligned", il.load_model(folder / "tiny", dtype="float32"), card="")
    for copy in (folder / "baked", folder / "aligned", tmp_path / "onnx"):
        assert [name for name in GO_ON if not (copy / name).is_file()] == []


def test_a_checkpoint_says_what_was_baked(folder, monkeypatch):
    config = json.loads((folder / "baked" / "config.json").read_text())
    (edit,) = config["baked_interventions"]
    assert (edit["kind"], edit["target"], edit["k"], edit["edited_neurons"]) == ("set-to-mean", "jpn_Jpan", 20, 20)
    assert edit["sha256"] == il.Intervention.from_pretrained(folder / "edit").content_hash()
    assert "- target: jpn_Jpan" in (folder / "baked" / "README.md").read_text()
    again = il.load_model(folder / "baked", dtype="float32")
    twice = il.bake(again, some_edit(again, "zero", shift=True))
    assert [edit["kind"] for edit in twice.hf.config.baked_interventions] == ["set-to-mean", "custom"]
    assert len(again.hf.config.baked_interventions) == 1, "the model that was given stays as it is"


def test_the_terms_of_gemma_go_with_every_checkpoint_of_it(tmp_path):
    model = make_model("gemma3")
    il.bake(model, some_edit(model, "zero", shift=True)).save_pretrained(tmp_path / "baked")
    assert "Gemma Terms of Use found at ai.google.dev/gemma/terms" in (tmp_path / "baked" / "NOTICE").read_text()
    card = ModelCard.load(tmp_path / "baked" / "README.md")
    assert card.data.license == "gemma"
    assert "ai.google.dev/gemma/terms" in card.text
    assert "trust_remote_code=True" in card.text
    assert terms_of(str(tmp_path / "baked")).licence == "gemma", "what is made of it is told of its terms too"


def test_the_terms_of_the_packaged_model_are_gemmas_and_of_others_not_made_up():
    assert (terms_of("gemma3-270m").base, terms_of("gemma3-270m").licence) == ("google/gemma-3-270m", "gemma")
    assert (terms_of("owner/name").base, terms_of("owner/name").licence) == ("owner/name", None)


def test_a_composed_edit_and_one_of_many_languages_have_cards(family_models, experts, tmp_path):
    llama = family_models["llama"]
    both = il.compose(il.set_to_mean(experts, "es", k=5), il.ablate(experts, "ja", k=5))
    both.save_pretrained(tmp_path / "both")
    text = (tmp_path / "both" / "README.md").read_text()
    assert "- first: kind set-to-mean, model tiny-llama" in text
    assert ModelCard.load(tmp_path / "both" / "README.md").data.language == ["es", "ja"]
    il.Intervention.of_neurons(llama.neurons, np.array([1]), scale=0.0, shift=0.0).save_pretrained(tmp_path / "own")
    assert len((tmp_path / "own" / "README.md").read_bytes()) < FEW_KB


@given(st.lists(st.text(alphabet=st.sampled_from("a|\\_*<b \n"), min_size=1), min_size=1, max_size=40))
def test_no_name_ends_a_cell_or_a_row_of_a_table(names):
    table = table_of(("language", "AUROC"), [(name, "0.9") for name in names]).split("\n\nAnd ")[0]
    rows = table.splitlines()
    assert len(rows) == 2 + min(len(names), MOST_ROWS)
    assert {len(re.split(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows} == {4}
