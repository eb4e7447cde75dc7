"""Checkpoint: the state of a network between two steps, in memory and in files."""

from __future__ import annotations

import json
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import RallError
from rall.session import SimulationObject

__all__ = ["VERSION", "ObjectState", "Snapshot", "check_fit", "read_snapshot", "take", "write_snapshot"]

#: Version of the file format.
VERSION = 2
_INDEX = "rall_checkpoint"
#: What reading an archive with wrong bytes in it comes to.
_DAMAGE = (LookupError, ValueError, TypeError, EOFError, AttributeError, ArithmeticError, RuntimeError, SyntaxError,
           MemoryError, struct.error, zlib.error, zipfile.BadZipFile)  # fmt: skip


@dataclass(frozen=True)
class ObjectState:
    """The state of one object.

    Parameters
    ----------
    signature : str
        What the object must be for the arrays to fit.
    dt : float
        Step of its clock in seconds.
    step : int
        Present step of its clock.
    random : sequence of int
        Where its random numbers come from.
    arrays : mapping of str to ndarray
        Copies.
    """

    signature: str
    dt: float
    step: int
    random: Sequence[int]
    arrays: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Snapshot:
    """The state of a network.

    Parameters
    ----------
    t : float
        Its time in seconds.
    seed : int
        Of its random streams.
    objects : mapping of str to ObjectState
        By name.
    """

    t: float
    seed: int
    objects: Mapping[str, ObjectState]


def take(objects: Sequence[SimulationObject], t: float, seed: int) -> Snapshot:
    """The state of objects as it is now.

    Parameters
    ----------
    objects : sequence of SimulationObject
        With different names.
    t : float
        In seconds.
    seed : int
        Of the random streams.
    """
    states = {
        o.name: ObjectState(
            o.signature(), o.clock.dt, o.clock.step, o.random_state(), {k: np.array(v) for k, v in o.state().items()}
        )
        for o in objects
    }
    return Snapshot(t, seed, states)


def check_fit(snapshot: Snapshot, objects: Sequence[SimulationObject], where: str) -> None:
    """Refuse a state of another model, before anything is changed.

    Parameters
    ----------
    snapshot : Snapshot
        What is to be restored.
    objects : sequence of SimulationObject
        Into which objects.
    where : str
        Name of the state, for the message.

    Raises
    ------
    RallError
        Names the first difference.
    """
    present = {o.name: o for o in objects}
    missing = [name for name in snapshot.objects if name not in present]
    extra = [name for name in present if name not in snapshot.objects]
    if missing or extra:
        parts = [f"it has {_listed(missing)}, which the network lacks"] * bool(missing)
        parts += [f"it lacks {_listed(extra)}"] * bool(extra)
        raise RallError(
            f"{where} belongs to another model: {'; '.join(parts)}. Objects are found by name; give them "
            "names (name='...') that stay the same."
        )
    for name, kept in snapshot.objects.items():
        difference = _difference(kept, present[name])
        if difference is not None:
            raise RallError(f"{where} belongs to another model: {difference}")


def _difference(kept: ObjectState, one: SimulationObject) -> str | None:
    """What keeps the state of an object from fitting, as text."""
    was, now = kept.signature.split("; "), one.signature().split("; ")
    if was != now:
        parts = [[part for part in own if part not in other] for own, other in ((was, now), (now, was))]
        shown = ["; ".join(part) or "without that" for part in parts]
        return f"'{one.name}' was {shown[0]}, and is {shown[1]} now"
    present, growing = one.state(), one.growing()
    if present.keys() != kept.arrays.keys():
        odd = min(present.keys() ^ kept.arrays.keys())
        return f"'{odd}' of '{one.name}' is in one of them alone"
    lengths: dict[str, tuple[str, int]] = {}
    for name, array in kept.arrays.items():
        problem = _misfit(array, np.asarray(present[name]), name in growing)
        if problem is not None:
            return f"'{name}' of '{one.name}' {problem}"
        if name in growing:
            first, length = lengths.setdefault(growing[name], (name, len(array)))
            if length != len(array):
                return f"'{first}' and '{name}' of '{one.name}' have {length} and {len(array)} {growing[name]}"
    return None


def _misfit(kept: NDArray[Any], present: NDArray[Any], grows: bool) -> str | None:
    if kept.dtype != present.dtype:
        return f"was {kept.dtype}, and is {present.dtype} now"
    if kept.ndim != present.ndim:
        return f"had {kept.ndim} axes, and has {present.ndim} now"
    # An array without rows says nothing about what stands in a row.
    if kept.shape != present.shape and not (grows and (kept.shape[1:] == present.shape[1:] or not len(kept))):
        return f"had the shape {kept.shape}, and has {present.shape} now"
    return None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


# --- files --------------------------------------------------------------------------------------------------


def write_snapshot(path: str | os.PathLike[str], name: str, snapshot: Snapshot) -> None:
    """Put a snapshot into a file, beside those of other names that are there.

    The file is replaced in one step: a reader, or a run that is killed, sees the old one or the new one.

    Parameters
    ----------
    path : path
        Of the file; a NumPy archive.
    name : str
        Name of the snapshot in it.
    snapshot : Snapshot
        What to write.

    Raises
    ------
    RallError
        If the file cannot be written, or is something else.
    """
    target = Path(path)
    kept = _read_all(target) if os.path.exists(target) else {}
    kept[name] = snapshot
    index: dict[str, Any] = {"version": VERSION, "states": {}}
    arrays: list[NDArray[Any]] = []
    for state_name, one in kept.items():
        objects = {}
        for object_name, state in one.objects.items():
            numbers = {k: len(arrays) + n for n, k in enumerate(state.arrays)}
            arrays.extend(state.arrays.values())
            objects[object_name] = {
                "signature": state.signature, "dt": state.dt, "step": state.step, "random": list(state.random),
                "arrays": numbers,
            }  # fmt: skip
        index["states"][state_name] = {"t": one.t, "seed": one.seed, "objects": objects}
    members: dict[str, Any] = {f"a{k}": _plain(array, target) for k, array in enumerate(arrays)}
    members[_INDEX] = np.array(json.dumps(index))
    _replace(target, members)


def _plain(array: NDArray[Any], target: Path) -> NDArray[Any]:
    if array.dtype.hasobject:
        raise RallError(f"cannot write {target}: an array of Python objects is part of the state")
    return array


def _replace(target: Path, members: dict[str, Any]) -> None:
    try:
        target = Path(os.path.realpath(target))  # what a link leads to is replaced, not the link
        temporary = target.with_name(f".{target.name}-{secrets.token_hex(6)}")
        # Made as any file is, so that who may read it is what the user has set (umask), or what the old file had.
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **members)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                os.chmod(temporary, target.stat().st_mode & 0o777)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise
    except (OSError, ValueError) as problem:  # the latter for a name with a zero byte
        reason = problem.strerror if isinstance(problem, OSError) else None
        raise RallError(f"cannot write the state to {str(target)!r}: {reason or problem}") from None


def read_snapshot(path: str | os.PathLike[str], name: str) -> Snapshot:
    """A snapshot from a file.

    Parameters
    ----------
    path : path
        Of the file.
    name : str
        Name of the snapshot in it.

    Raises
    ------
    RallError
        If there is none, or the file is something else.
    """
    kept = _read_all(Path(path))
    if name not in kept:
        raise RallError(f"{path} has no state '{name}'; it has {_listed(list(kept))}")
    return kept[name]


def _read_all(path: Path) -> dict[str, Snapshot]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            index = json.loads(str(archive[_INDEX]))
            if index["version"] != VERSION:
                raise RallError(
                    f"{path} has states of version {index['version']}, and this rall reads version {VERSION}"
                    "; store it again with this one"
                )
            return {
                name: Snapshot(
                    kept["t"],
                    kept["seed"],
                    {n: _object_state(o, archive) for n, o in kept["objects"].items()},
                )
                for name, kept in index["states"].items()
            }
    except OSError as problem:
        raise RallError(f"cannot read {path}: {problem.strerror or problem}") from None
    except _DAMAGE as problem:
        raise RallError(
            f"{path} is no file of states that `store` wrote, or it is damaged: {problem}"
        ) from None


def _object_state(kept: Mapping[str, Any], archive: Mapping[str, NDArray[Any]]) -> ObjectState:
    arrays = {k: archive[f"a{n}"] for k, n in kept["arrays"].items()}
    return ObjectState(kept["signature"], kept["dt"], kept["step"], kept["random"], arrays)
