"""Runs the programs of the tasks, rall's and its peers', each in a process of its own on one core."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from timing import shared

__all__ = ["add_arguments", "command", "median", "own", "pythons", "run"]

HERE = Path(__file__).resolve().parent


def add_arguments(parser: argparse.ArgumentParser, venvs: bool = True) -> None:
    """What all that run programs ask for: ``--core``, and ``--venvs`` where there are peers among them."""
    parser.add_argument("--core", default="0", help="the core that each program is bound to")
    if venvs:
        parser.add_argument(
            "--venvs", type=Path, required=True,
            help="JSON: neuron, arbor, arbor-native and brian2 to Python executables, nrnmech-native to a library",
        )  # fmt: skip


def pythons(file: Path) -> dict[str, str]:
    """Python executables and libraries by name; rall's own is this one."""
    return {"rall": sys.executable, **json.loads(file.read_text())}


def command(key: str, script: str, known: Mapping[str, str]) -> list[str] | None:
    """Words of a command line.

    Parameters
    ----------
    key : str
        Whose Python.
    script : str
        A file of this folder or of the peers', and its arguments; ``{NAME}`` stands for what `known` has.
    known : mapping of str to str
        What `pythons` gives.

    Returns
    -------
    list of str or None
        None if something is not known.
    """
    if key not in known:
        return None
    try:
        file, *more = script.format(**known).split()
    except KeyError:
        return None
    path = HERE / file if (HERE / file).exists() else shared() / "peers" / file
    return [known[key], str(path), *more]


def own(script: str) -> list[str]:
    """Words of a command line that runs a script of this folder, given with its arguments."""
    file, *more = script.split()
    return [sys.executable, str(HERE / file), *more]


def run(words: Sequence[str], core: str | None) -> dict[str, Any] | None:
    """Run a program, single-threaded but for what it is told, and bound to a core where the system can.

    Parameters
    ----------
    words : sequence of str
        Its command line.
    core : str or None
        The core; None: wherever there is room.

    Returns
    -------
    dict or None
        Its JSON line; None, and a message, if it failed.
    """
    pin = ["taskset", "-c", core] if core is not None and shutil.which("taskset") else []
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([*pin, *words], env=env, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        print(f"failed: {' '.join(words[1:])}\n{done.stderr[-800:]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def median(records: Sequence[Mapping[str, Any]], name: str) -> float:
    """Of one figure over repetitions."""
    return statistics.median(float(record[name]) for record in records)
