"""Damage of every kind to a run folder: the study mends it, or it is named in a line."""

import errno
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

import interlingua as il
from interlingua.errors import InterlinguaError
from interlingua.report import answer, write_report
from interlingua.study import StudyConfig
from interlingua.study.cell_store import CellStore

DAMAGES = {
    "absent": lambda data: None,
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "other bytes": lambda data: bytes(byte ^ 90 for byte in data),
    "one bit": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
}
OTHER_TEXTS = {
    "{}": lambda data: b"{}",
    "[1]": lambda data: b"[1]",
    "null": lambda data: b"null",
    "deep": lambda data: b"[" * 100_000,
    "digits": lambda data: b'{"seconds": ' + b"9" * 5000 + b"}",
}


@pytest.fixture(scope="module")
def finished(checkpoint, corpus_folder, tmp_path_factory):
    config = StudyConfig(
        model=str(checkpoint), corpus=str(corpus_folder), k=[5], targets=["es"], measures=["retrieval", "geometry"],
        control={"draws": 1},
    )  # fmt: skip
    run = il.run_study(config, tmp_path_factory.mktemp("hostile") / "run")
    return config, run, {name: table.copy() for name, table in run.tables.items()}


def files_of(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix in (".json", ".parquet", ".yaml", ".safetensors")
        and "figures" not in path.parts
    )


def read_all(folder):
    """Do all that reads a run folder, and return how often it said what is wrong in a line."""
    said = 0
    for read in (
        lambda: CellStore(folder).states(),
        lambda: answer(il.open_run(folder)),
        lambda: {name: len(table) for name, table in il.open_run(folder).tables.items()},
        lambda: il.open_run(folder).config,
        lambda: il.open_run(folder).manifest["probe"],
    ):
        try:
            read()
        except InterlinguaError as error:
            said += 1
            assert len(str(error)) < 600
    return said


@pytest.mark.slow
@pytest.mark.parametrize("kind", DAMAGES | OTHER_TEXTS)
def test_any_file_of_a_run_may_be_damaged_and_the_study_mends_it(finished, tmp_path, kind):
    config, run, tables = finished
    by_kind = {name.partition("/")[0] + name[-5:]: name for name in files_of(run.folder)}  # one file of each sort
    if kind in OTHER_TEXTS:  # which are other bytes to what reads no text
        by_kind = {sort: name for sort, name in by_kind.items() if name.endswith((".json", ".yaml"))}
    for name in by_kind.values():
        folder = tmp_path / "run"
        shutil.copytree(run.folder, folder)
        damaged = (DAMAGES | OTHER_TEXTS)[kind]((folder / name).read_bytes())
        (folder / name).unlink()
        if damaged is not None:
            (folder / name).write_bytes(damaged)
        read_all(folder)
        again = il.run_study(config, folder)
        assert set(again.tables) == set(tables)
        for title, table in tables.items():
            pd.testing.assert_frame_equal(again.tables[title], table, check_exact=True, obj=f"{title}, {name} {kind}")
        assert read_all(folder) == 0
        shutil.rmtree(folder)


def test_a_table_whose_numbers_were_changed_is_not_reported_and_is_put_together_again(finished, tmp_path):
    config, run, tables = finished
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    path = folder / "results" / "retrieval.parquet"
    tables["retrieval"].assign(top1=0.99).to_parquet(path, index=False)
    with pytest.raises(InterlinguaError, match="it is not as the study wrote it; run the study again"):
        write_report(il.open_run(folder))
    assert il.run_study(config, folder).tables["retrieval"].equals(tables["retrieval"])
    path.unlink()
    with pytest.raises(InterlinguaError, match=r"retrieval\.parquet' cannot be read"):
        answer(il.open_run(folder))
    assert il.run_study(config, folder).tables["retrieval"].equals(tables["retrieval"])


def test_a_run_of_an_earlier_version_without_checksums_is_still_reported(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[1].folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest.pop("tables")) == set(finished[2])
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert answer(il.open_run(folder)) == answer(finished[1])
    assert np.isfinite(il.open_run(folder).tables["retrieval"].top1).all()


def test_a_full_disk_ends_a_study_at_once_and_says_what_was_being_written(
    checkpoint, corpus_folder, tmp_path, monkeypatch
):
    config = StudyConfig(model=str(checkpoint), corpus=str(corpus_folder), k=[5], measures=["retrieval", "geometry"])
    written = []

    def full(tensors, path, *rest):
        written.append(path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("interlingua.study.cell_store.save_file", full)
    with pytest.raises(InterlinguaError, match=r"cannot write '.*embeddings.*': No space left on device; make room"):
        il.run_study(config, tmp_path / "run")
    assert len(written) == 1
    states = [state for state, _ in CellStore(tmp_path / "run").states()]
    assert "failed" not in states
    monkeypatch.undo()
    assert len(il.run_study(config, tmp_path / "run").tables["retrieval"])
