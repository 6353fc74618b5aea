"""Every code block of the documentation runs, page by page, and prints what is shown below it.

On a page, blocks run in order, in one namespace and one empty folder:

- `studies/` of the repository is there;
- `python` is executed; `sh` lines are commands of the command line; `yaml` is a study's config;
- a block with a title is written to the file of that name, and not run;
- `text` is what the block before it printed: a line `...` stands for any lines, and decimals may differ in their last
  digit or by an eighth, since machines round differently and one sentence of a few may be retrieved or not.

A block without a language is not code: a formula, or a map.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Document, Example, Region
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from browser import errors_of, needs_browser, open_browser, requests_of, wait

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
BLOCK = re.compile(r'(?P<language>\w+)(?: title="(?P<title>[^"]+)")?[ \t]*$\n', re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?![\w.])")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class Blocks:
    """Parses a page's blocks, and runs each when its turn comes."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.lex = RawFencedCodeBlockLexer(BLOCK)
        self.run_python = PythonEvaluator()
        self.capsys = capsys
        self.printed = ""

    def __call__(self, document: Document) -> Iterator[Region]:
        for region in self.lex(document):
            region.parsed = region.lexemes["source"]
            region.evaluator = self.evaluate
            yield region

    def evaluate(self, example: Example) -> None:
        language, title, source = (example.region.lexemes[name] for name in ("language", "title", "source"))
        if language == "text" and title is None:
            where = f"{Path(example.path).name}, line {example.line}"
            assert matches(source.splitlines(), self.printed.splitlines()), f"{where} printed:\n{self.printed}"
            return
        self.capsys.readouterr()
        if title is not None:
            Path(title).parent.mkdir(parents=True, exist_ok=True)
            Path(title).write_text(source, encoding="utf-8")
        elif language == "python":
            self.run_python(example)
        elif language == "sh":
            for command in source.replace("\\\n", " ").splitlines():
                run_command(command)
        elif language == "yaml":
            load_study(source)
        else:
            raise AssertionError(f"line {example.line}: nobody runs a block of {language}")
        self.printed = self.capsys.readouterr().out


def run_command(command: str) -> None:
    """Run a line of shell: a command of interlingua in this process, and nothing else."""
    from interlingua.cli import console, main

    name, *arguments = shlex.split(command, comments=True)
    assert name == "interlingua", f"only interlingua's commands are run, not {command}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *arguments])
        # Not by COLUMNS, which a dumb terminal does not look at.
        for printed_to in (console.out, console.err):
            patch.setattr(printed_to, "_width", 100)
            patch.setattr(printed_to, "_height", 50)
        try:
            main()
        except SystemExit as exit_:
            assert not exit_.code, f"{command} exited with {exit_.code}"


def load_study(source: str) -> None:
    import yaml

    from interlingua.study import StudyConfig

    StudyConfig(**yaml.safe_load(source))


def matches(shown: list[str], printed: list[str]) -> bool:
    """Tell whether lines are those shown, where a shown line `...` stands for any number of them."""
    if not shown:
        return not any(line.strip() for line in printed)
    if shown[0].strip() == "...":
        return any(matches(shown[1:], printed[i:]) for i in range(len(printed) + 1))
    if printed and not printed[0].strip() and shown[0].strip():
        return matches(shown, printed[1:])
    if not shown[0].strip():
        return matches(shown[1:], printed)
    return bool(printed) and same(shown[0], printed[0]) and matches(shown[1:], printed[1:])


def same(shown: str, printed: str) -> bool:
    """Tell whether two lines are the same but for spaces and small differences of decimals."""
    if NUMBER.sub("0", shown).split() != NUMBER.sub("0", printed).split():
        return False
    return all(near(a, b) for a, b in zip(NUMBER.findall(shown), NUMBER.findall(printed), strict=True))


def near(shown: str, printed: str) -> bool:
    expected, found = (float(number.replace(",", "")) for number in (shown, printed))
    digits = len(shown.partition(".")[2])
    tolerance = max(2.001 * 10.0**-digits, abs(expected) / 8) if digits else 0
    return abs(expected - found) <= tolerance


def marked(page: str) -> object:
    real = re.search(r'load_model\("gemma3-270m"|^dtype: float32$', read(DOCS / page), re.MULTILINE)
    return pytest.param(page, marks=[pytest.mark.real_model] if real else [], id=page)


@pytest.fixture
def folder(request, tmp_path, monkeypatch, few_figures):
    """Return a working folder with the published studies alone; where a page runs the real model, skip if it is absent,
    and load it once. Reports draw one figure of each kind.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").symlink_to(DOCS.parent / "studies")
    if request.node.get_closest_marker("real_model"):
        request.getfixturevalue("kept_loaded")
    return tmp_path


@pytest.mark.parametrize("page", [marked(page) for page in PAGES])
def test_the_blocks_of_a_page_run_and_print_what_is_shown(page, folder, capsys):
    document = Document.parse(str(DOCS / page), Blocks(capsys))
    for example in document.examples():
        example.evaluate()


def test_output_is_compared_but_for_small_differences_of_decimals():
    assert matches(["a  0.58", "...", "1,000 b"], ["a 0.57", "", "x", "y", "1,000 b"])
    assert not matches(["a 0.58"], ["a 0.66"])
    assert not matches(["1,000 b"], ["1,001 b"])
    assert not matches(["a"], ["a", "b"])


def test_every_public_name_is_in_the_reference():
    import interlingua as il

    listed = re.findall(r"^::: [\w.]+\.(\w+)$", "".join(map(read, DOCS.glob("reference/*.md"))), re.MULTILINE)
    assert set(il.__all__) <= set(listed)


def test_every_command_is_in_the_documentation():
    from typer.main import get_command

    from interlingua.cli import app

    everything = "".join(map(read, DOCS.rglob("*.md")))
    for name in get_command(app).commands:  # ty: ignore
        assert re.search(rf"interlingua {name}\b", everything), name


def test_the_options_that_pages_name_are_those_of_the_commands():
    """In every line of code that calls a command, and in sentences with `interlingua COMMAND --option`."""
    from typer.main import get_command

    from interlingua.cli import app

    commands = get_command(app).commands  # ty: ignore
    named = set()
    for path in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]:
        text = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8"))
        for command, rest in re.findall(r"\binterlingua ([a-z]+)\b([^\n`|]*)", text):
            if command in commands and command != "corpus":
                known = {name for option in commands[command].params for name in (*option.opts, *option.secondary_opts)}
                for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rest.split(" #")[0]):
                    assert option in {*known, "--help"}, f"{path.name}: interlingua {command} has no {option}"
                    named.add(option)
    assert len(named) > 15


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (extra `docs`)")
    site = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(site)]
    built = subprocess.run(command, cwd=DOCS.parent, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return site


@needs_browser
def test_the_search_works_on_pages_opened_from_disk(site):
    from selenium.webdriver import ActionChains

    browser = open_browser()
    try:
        browser.get((site / "rooms" / "report.html").as_uri())
        wait(browser, "document.readyState === 'complete'")
        ActionChains(browser).send_keys("s").pause(0.5).send_keys("perplexity").perform()
        wait(browser, "document.querySelectorAll('.md-search-result__item').length > 2")
        assert [url for url in requests_of(browser) if not url.startswith("file:")] == []
        assert errors_of(browser) == []
    finally:
        browser.quit()


def test_the_documentation_builds_and_asks_nothing_of_a_network(site):
    pages = {path.relative_to(site).as_posix(): read(path) for path in site.rglob("*.html")}
    assert {"index.html", "protocol.html", "reference/measures.html"} <= set(pages)
    for name, page in pages.items():
        assert not re.findall(r'(?:src|<link[^>]* href)="?(?:https?:)?//[^"]+', page), name
