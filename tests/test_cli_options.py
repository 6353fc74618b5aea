"""Options: those that the docs name are there, and every command that loads a model can say how."""

import re
import sys
from pathlib import Path

import pytest
import typer

import interlingua as il
from interlingua import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LOADING = {
    "--model", "--device", "--dtype", "--quantize", "--device-map", "--revision", "--trust-remote-code", "--compile",
}  # fmt: skip
LOADS = ("align", "bake", "compare", "embed", "experts", "explore", "generate", "perplexity", "study")
CALL = re.compile(r"interlingua (?P<command>corpus show|[a-z]+)(?P<rest>.*?)(?=interlingua [a-z]|$)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*|(?<![\w-])-[a-z]\b(?!-)")


def commands():
    """Return the options of each command, by its name."""
    found = {}

    def walk(command, name):
        for word, below in getattr(command, "commands", {}).items():
            walk(below, f"{name} {word}".strip())
        options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        found[name] = {option for option in options if option.startswith("-")} | {"--help"}

    walk(typer.main.get_command(cli.app), "")
    return found


def calls(page):
    """Yield each call of a command that a page shows, in a block, in a line of a table or between backticks."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [
        line for block in re.findall(r"^```sh.*?^```", text, re.MULTILINE | re.DOTALL) for line in block.splitlines()
    ]
    lines += [line for line in text.splitlines() if line.startswith("| `interlingua ")]
    lines += [" ".join(span.split()) for span in re.findall(r"(?<!`)`(interlingua [^`]+)`", text)]
    for line in lines:
        for call in CALL.finditer(line.partition("  #")[0]):
            yield call["command"], set(OPTION.findall(call["rest"]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_options_that_a_page_names_are_those_of_its_commands(page):
    there = commands()
    for command, options in calls(page):
        assert command in there, f"there is no command '{command}'"
        assert options <= there[command], f"'{command}' has no {', '.join(options - there[command])}"


def test_the_page_of_commands_has_them_all_and_its_sentence_on_loading_is_true():
    page = ROOT / "docs" / "reference" / "command-line.md"
    there = commands()
    assert {command for command, _ in calls(page)} == {name for name in there if name not in ("", "corpus")}
    sentence = re.search(r"Commands that load a model take(.*?)\.\n\n", page.read_text(encoding="utf-8"), re.DOTALL)
    assert set(OPTION.findall(sentence[1])) == LOADING
    assert {name for name, options in there.items() if options >= LOADING} == set(LOADS)
    assert {name for name, options in there.items() if options & LOADING} == set(LOADS)


@pytest.mark.parametrize("command", LOADS)
def test_how_a_model_is_loaded_arrives(command, monkeypatch, tmp_path, corpus_folder, experts):
    class Arrived(Exception):
        pass

    def load_model(name, **options):
        raise Arrived({"name": name, **options})

    monkeypatch.setattr("interlingua.models.load_model", load_model)
    (tmp_path / "text.txt").write_text("el gato\n")
    il.set_to_mean(experts, "es", k=5).save_pretrained(tmp_path / "es")
    needed = {
        "align": ("--corpus", corpus_folder, "--out", tmp_path / "a"),
        "bake": ("--intervention", tmp_path / "es", "--out", tmp_path / "b"),
        "compare": ("--corpus", corpus_folder, "--out", tmp_path / "c"),
        "embed": (tmp_path / "text.txt", "--out", tmp_path / "e.npy"),
        "experts": ("--corpus", corpus_folder, "--out", tmp_path / "e"),
        "explore": (),
        "generate": (),
        "perplexity": (tmp_path / "text.txt",),
        "study": ("--corpus", corpus_folder, "--out", tmp_path / "s"),
    }[command]
    given = (
        "--model", "mine", "--device", "cpu", "--dtype", "float16", "--quantize", "4bit", "--device-map", "auto",
        "--revision", "v2", "--trust-remote-code", "--compile", "off",
    )  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["interlingua", command, *map(str, needed), *given])
    with pytest.raises(Arrived) as arrived:
        cli.main()
    expected = {
        "name": "mine", "device": "cpu", "dtype": "float16", "quantization": "4bit", "device_map": "auto",
        "revision": "v2", "trust_remote_code": True, "compile": "off",
    }  # fmt: skip
    assert expected.items() <= arrived.value.args[0].items()
