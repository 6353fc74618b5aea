"""The Python of README and CONTRIBUTING runs as printed; on the default model with fewer sentences, shorter texts."""

import re
from functools import partial
from pathlib import Path

import pytest

import interlingua as il
from interlingua.corpora import Source

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.real_model
def test_the_python_of_the_readme_runs_as_printed(kept_loaded, tmp_path, monkeypatch):
    text = README.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (yaml,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    few = ["eng_Latn", "spa_Latn", "jpn_Jpan"]
    parallel = Source.parallel
    smaller = {"languages": few, "limit": 4}
    monkeypatch.setattr(Source, "parallel", lambda self, split, **given: parallel(self, split, **{**smaller, **given}))
    monkeypatch.setattr(il, "generate", partial(il.generate, max_new_tokens=8))
    monkeypatch.chdir(tmp_path)
    Path("study.yaml").write_text(
        f"{yaml}limit: 4\nlanguages: {few}\nmeasures: [retrieval, geometry]\ncontrol: {{draws: 1}}\n"
    )
    names: dict = {}
    exec(code, names)
    assert len(names["model"].neurons) == 85_248
    assert len(names["spanish"]) == 2000
    assert set(names["run"].tables["retrieval"].k) == {0, 500, 2000}
    assert Path("ckpt/config.json").is_file()
    assert Path("spanish/intervention.safetensors").is_file()


def test_the_commands_of_the_readme_exist_with_their_options():
    from typer.main import get_command

    from interlingua.cli import app

    shell = "".join(re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL))
    lines = re.findall(r"^interlingua (.*)", shell, flags=re.MULTILINE)
    assert lines
    commands = get_command(app).commands  # ty: ignore
    for line in lines:
        name, *words = line.split()
        command = commands[name]
        if hasattr(command, "commands"):  # a group, as `corpus`
            command = command.commands[words[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_the_links_of_readme_and_contributing_lead_somewhere():
    for page in (README, README.with_name("CONTRIBUTING.md")):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (README.parent / link).exists(), f"{page.name}: {link}"


def test_the_example_of_contributing_is_an_intervention(experts, llama, monkeypatch):
    from interlingua.interventions.registry import INTERVENTIONS, explain, make_intervention

    text = README.with_name("CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(code.splitlines()) <= 22
    names: dict = {"__name__": "disguise"}
    exec(code, names)
    monkeypatch.setitem(INTERVENTIONS, "disguise", names["disguise"])
    edit = make_intervention("disguise", experts, "Spanish", {"k": 9})
    ids, _, shift = edit.by_neuron(llama.neurons)
    forwards = dict(zip(*il.mean_shift(experts, "Spanish", 9).by_neuron(llama.neurons)[::2], strict=True))
    assert [forwards[i] for i in ids] == (-shift).tolist()
    assert explain(INTERVENTIONS["disguise"])[1].startswith("Source: an example")
