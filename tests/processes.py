"""Processes of Ray, stopped in the middle of a cell: only then is it sure that what kills them loses the cell."""

import os
import re
import signal
import time
from pathlib import Path

from interlingua.study.cell_store import RUNNING, CellStore


def stop_in(task, folder):
    """Stop a process of this one in the middle of a cell, and return it: killed then, it has not finished the cell."""
    while True:
        for process, title in _processes_of(task):
            if _is_running(title, folder):
                os.kill(process, signal.SIGSTOP)
                if _is_running(title, folder):
                    return process
                os.kill(process, signal.SIGCONT)
        time.sleep(0.05)


def _is_running(title, folder):
    states = CellStore(folder).states()
    return any(state == RUNNING and title.startswith(f"ray::{record.name}") for state, record in states)


def _processes_of(task):
    """Return the processes of this one that Ray has given a cell, and their titles, in which is the cell's name."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            title, process = path.read_text(), int(path.parent.name)
            if title.startswith(f"ray::{task}") and os.getpid() in ancestors(process):
                yield process, title
        except OSError:
            continue


def ancestors(process):
    found = []
    while process > 1:
        process = int(re.search(r"^PPid:\s*(\d+)", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)[1])
        found.append(process)
    return found
