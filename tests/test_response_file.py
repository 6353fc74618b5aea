import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import interlingua as il
from conftest import SENTENCES, count_hooks, make_model
from interlingua.errors import InputError, OutOfMemoryError, StorageError
from interlingua.experts import holding, record, record_poolings, record_responses
from interlingua.experts.response_file import JOURNAL, LOCK, MATRIX

TEXTS = [f"{sentence} {i}" for sentences in SENTENCES.values() for i in range(5) for sentence in sentences]


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(record, "BLOCK_BYTES", 320 * 4 * 12)


def recorded(model, folder=None, **options):
    return np.array(record_responses(model, TEXTS, token_budget=120, folder=folder, **options).values)


def count_batches(model, monkeypatch):
    """Count forward passes from here on."""
    calls, forward = [], model.body.forward

    def counted(*arguments, **options):
        calls.append(options["input_ids"].shape)
        return forward(*arguments, **options)

    monkeypatch.setattr(model.body, "forward", counted)
    return calls


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("hold", ["memory", "device", "disk", "auto"])
def test_where_responses_are_held_changes_nothing(llama, tmp_path, hold, dtype):
    usual = recorded(llama, hold="memory")
    held = record_responses(llama, TEXTS, token_budget=120, hold=hold, dtype=dtype, folder=tmp_path / "r").values
    assert isinstance(held, torch.Tensor if hold == "device" else np.memmap if hold in ("disk", "auto") else np.ndarray)
    values = held.float().numpy() if isinstance(held, torch.Tensor) else held.astype(np.float32)
    expected = torch.from_numpy(usual).to(getattr(torch, dtype)).float().numpy()
    np.testing.assert_array_equal(values, expected)
    assert (tmp_path / "r" / MATRIX).is_file() == (hold in ("disk", "auto"))


def test_poolings_of_one_pass_equal_those_of_several(llama, tmp_path, monkeypatch):
    alone = {pooling: recorded(llama, pooling=pooling) for pooling in ("mean", "max", "last")}
    calls = count_batches(llama, monkeypatch)
    recorded(llama)
    once = len(calls)
    together = record_poolings(llama, TEXTS, ["max", "mean", "last"], token_budget=120, folder=tmp_path / "r")
    assert len(calls) == 2 * once
    for pooling, values in alone.items():
        np.testing.assert_array_equal(together[pooling].values, values)


def test_a_finished_recording_is_not_read_again(llama, tmp_path, monkeypatch, bars):
    first = recorded(llama, tmp_path / "r")
    calls = count_batches(llama, monkeypatch)
    again = recorded(llama, tmp_path / "r")
    assert not calls
    assert bars.shown[-1].seen[-1] == bars.shown[-1].total > 0
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("change", ["sentences", "max_length", "special_tokens", "pooling", "model", "budget"])
def test_blocks_of_another_recording_are_not_used(llama, tmp_path, monkeypatch, change):
    recorded(llama, tmp_path / "r")
    model = make_model("llama", seed=1) if change == "model" else llama
    texts = TEXTS[::-1] if change == "sentences" else TEXTS
    options = {"token_budget": 60 if change == "budget" else 120}
    options |= {"max_length": 9} if change == "max_length" else {}
    options |= {"special_tokens": True} if change == "special_tokens" else {}
    options |= {"pooling": "max"} if change == "pooling" else {}
    calls = count_batches(model, monkeypatch)
    values = np.array(record_responses(model, texts, folder=tmp_path / "r", **options).values)
    assert calls
    np.testing.assert_array_equal(values, record_responses(model, texts, **options).values)


def test_a_damaged_block_is_recorded_again_and_no_other(llama, tmp_path, monkeypatch, small_blocks):
    usual = recorded(llama, tmp_path / "r")
    lines = (tmp_path / "r" / JOURNAL).read_text().splitlines()
    assert len(lines) > 5, "several blocks"
    with (tmp_path / "r" / MATRIX).open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    calls = count_batches(llama, monkeypatch)
    np.testing.assert_array_equal(recorded(llama, tmp_path / "r"), usual)
    assert sum(rows for rows, _ in calls) < len(TEXTS) / 2


@pytest.mark.parametrize("cut", [1, 7, 40, 10_000])
def test_a_journal_that_was_not_written_to_its_end_costs_only_what_it_lacks(llama, tmp_path, small_blocks, cut):
    usual = recorded(llama, tmp_path / "r")
    journal = tmp_path / "r" / JOURNAL
    text = journal.read_bytes()
    journal.write_bytes(text[: max(0, len(text) - cut)])
    np.testing.assert_array_equal(recorded(llama, tmp_path / "r"), usual)
    np.testing.assert_array_equal(recorded(llama, tmp_path / "r"), usual)
    whole = [json.loads(line) for line in journal.read_text().splitlines() if line.endswith("}")]
    assert len(whole) >= len(text.splitlines())


def blocks_in(folder):
    journal = folder / JOURNAL
    return len(journal.read_text().splitlines()) if journal.exists() else 0


CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
import conftest, interlingua.experts.record as record
from test_response_file import TEXTS
record.BLOCK_BYTES = 320 * 4 * 12
model, forward = conftest.make_model("llama"), None
forward = model.body.forward
def slow(*arguments, **options):
    time.sleep(0.02)
    return forward(*arguments, **options)
model.body.forward = slow
print("ready", flush=True)
record.record_responses(model, TEXTS, token_budget=120, folder=sys.argv[2])
"""


@pytest.mark.slow
def test_a_recording_killed_at_random_moments_goes_on_to_the_same_bits(tmp_path, small_blocks, monkeypatch):
    model = make_model("llama")
    folder, random = tmp_path / "r", np.random.default_rng()
    for _ in range(2):
        arguments = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(folder)]
        child = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        enough = blocks_in(folder) + random.integers(1, 3)
        while blocks_in(folder) < enough:
            assert child.poll() is None
            time.sleep(0.001)
        time.sleep(random.uniform(0, 0.1))  # anywhere in a block
        child.send_signal(signal.SIGKILL)
        child.wait()
    calls = count_batches(model, monkeypatch)
    resumed = recorded(model, folder)
    left = sum(rows for rows, _ in calls)
    np.testing.assert_array_equal(resumed, recorded(model))
    assert left < len(TEXTS), "what was finished is not recorded again"


def test_two_recordings_into_one_folder_are_an_error(llama, tmp_path):
    from filelock import FileLock

    (tmp_path / "r").mkdir()
    with FileLock(tmp_path / "r" / LOCK), pytest.raises(StorageError, match="another process is recording into"):
        recorded(llama, tmp_path / "r")


def test_a_folder_with_other_files_is_left_alone(llama, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds other files \(thesis.txt\); name another folder"):
        recorded(llama, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("call", ["posix_fallocate", "pwrite"])
def test_a_full_disk_is_one_line_and_loses_nothing(llama, tmp_path, monkeypatch, small_blocks, call):
    original, calls = getattr(os, call), []
    hooks = count_hooks(llama)  # transformers leaves its own once hidden states were asked for

    def full(*arguments):
        calls.append(arguments)
        if call == "posix_fallocate" or len(calls) > 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(
            StorageError, match=r"the disk of '.*' is full: the responses need .* GB are free\. Finished"
        ):
            recorded(llama, tmp_path / "r")
    assert count_hooks(llama) == hooks
    forwards = count_batches(llama, monkeypatch)
    np.testing.assert_array_equal(recorded(llama, tmp_path / "r"), recorded(llama))
    assert forwards


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_one_line(llama, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot write to"):
        recorded(llama, tmp_path / "r")


def test_a_file_in_the_place_of_the_folder_is_one_line(llama, tmp_path):
    (tmp_path / "r").write_text("")
    with pytest.raises(InputError, match=r"cannot write to '.*r'"):
        recorded(llama, tmp_path / "r")


def out_of_memory_above(model, monkeypatch, tokens, error):
    forward, sizes = model.body.forward, []

    def small_only(*arguments, **options):
        sizes.append(options["input_ids"].numel())
        if sizes[-1] > tokens:
            raise error
        return forward(*arguments, **options)

    monkeypatch.setattr(model.body, "forward", small_only)
    return sizes


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_batches_are_halved_when_memory_runs_out(monkeypatch, tmp_path, error):
    model = make_model("llama")
    usual = recorded(model)
    sizes = out_of_memory_above(model, monkeypatch, 50, error)
    with pytest.warns(UserWarning, match=r"out of memory on cpu with \d+ tokens; going on with"):
        values = recorded(model, tmp_path / "r")
    np.testing.assert_allclose(values, usual, atol=2e-5)
    assert sizes.index(min(sizes)) > 0
    assert sum(size > 50 for size in sizes) < 5, "a budget that fits is kept"
    budgets = [json.loads(line)["budget"] for line in (tmp_path / "r" / JOURNAL).read_text().splitlines()[1:]]
    assert max(budgets) <= 60, "and found in the journal"


def test_a_sentence_that_does_not_fit_alone_is_an_error(monkeypatch):
    model = make_model("llama")
    out_of_memory_above(model, monkeypatch, 20, torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.warns(UserWarning), pytest.raises(OutOfMemoryError, match=r"with one sentence of \d+ tokens"):
        recorded(model)
    assert count_hooks(model) == 0


def test_another_error_is_not_taken_for_want_of_memory(monkeypatch):
    model = make_model("llama")
    out_of_memory_above(model, monkeypatch, 20, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        recorded(model)


GB = 10**9


@pytest.mark.parametrize(
    ("size", "memory", "disk", "folder", "place"),
    [
        (3 * GB, 8 * GB, 0, False, "memory"),
        (5 * GB, 8 * GB, 0, False, None),
        (5 * GB, 8 * GB, 9 * GB, True, "disk"),
        (3 * GB, 8 * GB, 9 * GB, True, "disk"),
        (3 * GB, 8 * GB, 1 * GB, True, "memory"),
    ],
)
def test_the_place_is_chosen_by_what_is_free(monkeypatch, tmp_path, size, memory, disk, folder, place):
    monkeypatch.setattr(holding.psutil, "virtual_memory", lambda: type("M", (), {"available": memory}))
    monkeypatch.setattr(holding.shutil, "disk_usage", lambda path: type("D", (), {"free": disk}))
    where = tmp_path / "new" / "folder" if folder else None
    if place is None:
        with pytest.raises(StorageError, match=r"5\.0 GB, more than half of the memory that is free; name a folder"):
            holding.choose(size, torch.device("cpu"), where)
    else:
        assert holding.choose(size, torch.device("cpu"), where) == place


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hold": "cloud"}, "responses cannot be held in 'cloud'; use auto, device, memory, disk"),
        ({"dtype": "int8"}, "responses cannot be kept in 'int8'; use float32, float16, bfloat16"),
        ({"hold": "disk"}, "held on disk in a folder; name one"),
    ],
)
def test_a_wrong_place_or_type_is_an_error(llama, options, message):
    with pytest.raises(InputError, match=message):
        recorded(llama, **options)


def test_responses_beyond_float16_say_so():
    model = make_model("llama")
    with torch.no_grad():
        model.hf.get_submodule("model.layers.1.mlp.up_proj").weight[5] *= 1e6
    with pytest.raises(il.InterlinguaError, match=r"neuron 5 of up_proj in layer 1 .* keep responses in float32"):
        recorded(model, dtype="float16")
