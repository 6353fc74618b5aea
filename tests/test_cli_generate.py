"""The command `generate` as a user meets it."""

import pytest

import interlingua as il


def test_generate_writes_texts_with_their_languages(run_cli, checkpoint, tmp_path):
    import json

    on = ("generate", "--model", checkpoint, "--dtype", "float32", "-n", 3, "--max-new-tokens", 12)
    code, printed, _ = run_cli(*on, "--out", tmp_path / "texts.jsonl")
    assert code == 0
    assert "3 texts: " in printed
    assert "Languages by langid 1.1.6" in printed
    rows = [json.loads(line) for line in (tmp_path / "texts.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = il.generate(il.load_model(checkpoint, dtype="float32"), n=3, max_new_tokens=12)
    assert [row["text"] for row in rows] == texts
    identified = il.identify(texts).table()
    assert [row["language"] for row in rows] == identified.language.tolist()
    assert [row["posterior"] for row in rows] == pytest.approx(identified.posterior.tolist())
    code, _, errors = run_cli(*on, "--out", tmp_path / "texts.txt")
    assert (code, "should end in .jsonl" in errors) == (2, True)
    code, _, errors = run_cli(*on, "--out", tmp_path / "other.jsonl", "--identifier", "cld")
    assert (code, "unknown identifier 'cld'" in errors) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["texts.jsonl"]


def test_generate_goes_on_from_a_file_from_standard_input_and_in_a_terminal(run_cli, checkpoint, tmp_path, monkeypatch):
    import io

    prompts = ["el gato", "a dog"]
    (tmp_path / "prompts.txt").write_text("el gato\na dog\n")
    on = ("generate", "--model", checkpoint, "--dtype", "float32", "--max-new-tokens", 8)
    texts = il.generate(il.load_model(checkpoint, dtype="float32"), prompts=prompts, max_new_tokens=8, temperature=0.5)
    code, printed, _ = run_cli(*on, "--temperature", 0.5, "--prompts", tmp_path / "prompts.txt")
    assert code == 0
    assert printed == f"--- 1 el gato\n{texts[0]}\n--- 2 a dog\n{texts[1]}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a dog\n")))
    code, piped, _ = run_cli(*on, "--temperature", 0.5, "--prompt", "el gato", "--prompts", "-")
    assert piped == printed
    code, alone, _ = run_cli(*on, "--prompt", "el gato")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    code, streamed, _ = run_cli(*on, "--prompt", "el gato")
    assert (code, streamed) == (0, alone)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--top-p", "2"], "top_p above 0 and at most 1"),
        (["--chat"], "give a --prompt"),
        (["--prompts", "nothing.txt"], "cannot read 'nothing.txt'"),
        (["--prompts", "gap.txt"], "line 2 of 'gap.txt' is empty"),
        (["--out", "texts.txt"], "should end in .jsonl"),
    ],
)
def test_generate_checks_its_options_before_it_loads_the_model(run_cli, monkeypatch, tmp_path, arguments, message):
    monkeypatch.setattr("interlingua.models.load_model", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gap.txt").write_text("a\n\nb\n")
    code, _, errors = run_cli("generate", *arguments)
    assert code == 2
    assert message in errors
