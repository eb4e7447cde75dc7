"""The C compiler, its flags and the cache of what it made.

A library is named by a hash of its text, the headers, the flags, the compiler and the processor, and appears in
the cache by one atomic rename.  Any number of processes may make the same one at once; a kill leaves at most a
temporary folder, which a later compilation sweeps away.  The cache is `$RALL_CACHE`, else `$XDG_CACHE_HOME/rall`,
else `~/.cache/rall`.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from rall.errors import CompileError, RallWarning
from rall.options import Options

__all__ = ["Toolchain", "cache_directory", "find_compiler", "headers", "load", "seconds_compiling"]

_SUFFIX = ".dll" if sys.platform == "win32" else ".so"
#: CPU is where it matters; these are the flags of the performance note, each with its reason there.
_FLAGS = ("-O3", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared", "-w", "-g0",
          "-fvisibility=hidden")  # fmt: skip
#: Folder of a compilation in progress; older ones than this many seconds were left by a kill.
_WORK, _FORGOTTEN = "making-", 3600.0
_ELF = b"\x7fELF\x02\x01"
_spent = [0.0]
_temporary: list[Path] = []


@dataclass(frozen=True)
class Toolchain:
    """A C compiler that was found.

    Parameters
    ----------
    command : tuple of str
        The executable and the words that belong to it (``zig cc``).
    identity : str
        Path, size and time of the executable: another compiler makes other objects.
    """

    command: tuple[str, ...]
    identity: str

    def flags(self, options: Options) -> tuple[str, ...]:
        """All flags for one library."""
        contraction = "off" if options.reproducible else "fast"
        native = () if platform.machine() in ("arm64", "aarch64") else ("-march=native",)
        return (*_FLAGS, *native, f"-ffp-contract={contraction}", *options.extra_compile_args)


def find_compiler(wanted: str | None = None) -> Toolchain | None:
    """The C compiler: `wanted`, else `$CC`, else the first of cc, gcc, clang on the path, else the zig wheel.

    Returns
    -------
    Toolchain or None
        None where there is none.
    """
    names = [wanted] if wanted else [os.environ.get("CC", ""), "cc", "gcc", "clang"]
    for name in names:
        words = name.split()
        path = shutil.which(words[0]) if words else None
        if path:
            return Toolchain((path, *words[1:]), _identity(path))
    return None if wanted else _zig()


def _zig() -> Toolchain | None:
    for folder in sys.path:
        for name in ("zig", "zig.exe"):
            path = os.path.join(folder, "ziglang", name)
            if os.path.isfile(path):
                return Toolchain((path, "cc"), _identity(path))
    return None


def _identity(path: str) -> str:
    real = os.path.realpath(path)
    status = os.stat(real)
    return f"{real} {status.st_size} {status.st_mtime_ns}"


@lru_cache(maxsize=1)
def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            for line in info:
                if line.startswith(("flags", "Features")):
                    return line
    except OSError:
        pass
    return f"{platform.machine()} {platform.processor()}"


@lru_cache(maxsize=1)
def headers() -> dict[str, str]:
    """The fixed C text of rall by file name."""
    folder = files("rall") / "include"
    return {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith((".h", ".c"))}


def cache_directory() -> Path:
    """Where compiled objects are kept; it need not exist yet."""
    if os.environ.get("RALL_CACHE"):
        return Path(os.environ["RALL_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "rall"
    return Path(os.path.expanduser("~")) / ".cache" / "rall"


def _writable_cache() -> Path:
    """The cache, or a directory of this process where the cache cannot be written."""
    if _temporary:
        return _temporary[0]
    folder = cache_directory()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as problem:
        _temporary.append(Path(tempfile.mkdtemp(prefix="rall-")))
        warnings.warn(
            f"the cache {folder} cannot be written ({problem.strerror}); compiled code goes to {_temporary[0]} and is "
            "made anew next time. Set RALL_CACHE to a folder with space.",
            RallWarning,
            stacklevel=2,
        )
        return _temporary[0]


def _key(text: str, toolchain: Toolchain, options: Options) -> str:
    made_of = hashlib.sha256()
    # Only the headers that a text reaches: another kernel's change need not recompile this one.
    parts = [text, *(headers()[name] for name in _included(text)), toolchain.identity, _processor()]
    for part in (*parts, *toolchain.flags(options), platform.system()):
        made_of.update(part.encode())
        made_of.update(b"\0")
    return made_of.hexdigest()[:32]


def _included(text: str) -> list[str]:
    found: list[str] = []
    todo = [text]
    while todo:
        for line in todo.pop().splitlines():
            if line.startswith("#include"):
                name = line.partition('"')[2].partition('"')[0]
                if name in headers() and name not in found:
                    found.append(name)
                    todo.append(headers()[name])
    return sorted(found)


def seconds_compiling() -> float:
    """Wall seconds that this process has spent in the compiler."""
    return _spent[0]


def load(text: str, toolchain: Toolchain, options: Options) -> ctypes.CDLL:
    """The library of a C text, from the cache or newly compiled.

    Raises
    ------
    CompileError
        With the compiler's message and the name of the source file, which is kept.
    """
    name = f"rall_{_key(text, toolchain, options)}"
    known = cache_directory() / (name + _SUFFIX)
    found = _open(known)
    if found is not None:
        return found
    target = _writable_cache() / (name + _SUFFIX)
    found = _open(target) if target != known else None
    if found is None:
        _compile(text, target, toolchain, options)
        found = ctypes.CDLL(str(target))
    return found


def _open(path: Path) -> ctypes.CDLL | None:
    """A library of the cache; None where there is none, or a damaged one, which is made again."""
    if not os.path.exists(path):
        return None
    try:
        if _is_whole(path):
            return ctypes.CDLL(str(path))
    except OSError:
        pass
    return None


def _is_whole(path: Path) -> bool:
    """Whether an ELF file reaches to its last table: loading a file that was cut off kills the process."""
    with open(path, "rb") as file:
        head = file.read(64)
        size = file.seek(0, os.SEEK_END)
    if not head.startswith(_ELF):
        return len(head) == 64
    table, (entry, entries) = struct.unpack_from("<Q", head, 40)[0], struct.unpack_from("<HH", head, 58)
    return bool(size >= table + entry * entries)


def _compile(text: str, target: Path, toolchain: Toolchain, options: Options) -> None:
    started = time.perf_counter()
    _sweep(target.parent)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_WORK, ignore_cleanup_errors=True) as work:
            _make(text, target, Path(work), [*toolchain.command, *toolchain.flags(options)])
    except OSError as problem:
        raise CompileError(
            f"cannot write to {target.parent}: {problem.strerror}. Free some space or set RALL_CACHE to another folder."
        ) from None
    _spent[0] += time.perf_counter() - started


def _make(text: str, target: Path, work: Path, command: list[str]) -> None:
    """Compile in a folder of our own; only what is complete gets the name that others look for."""
    source, made = work / f"{target.stem}.c", work / target.name
    source.write_text(text, "utf-8")
    for name in _included(text):
        (work / name).write_text(headers()[name], "utf-8")
    try:
        # The compiler's own temporary files go with the folder, even if it is killed.
        done = subprocess.run(
            [*command, "-o", str(made), str(source)], capture_output=True, text=True, errors="replace", check=False,
            env={**os.environ, "TMPDIR": str(work), "LC_ALL": "C"},
        )  # fmt: skip
    except OSError as problem:
        raise CompileError(f"cannot run the C compiler {command[0]}: {problem.strerror}") from None
    if done.returncode != 0 or not made.exists():
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise CompileError(
            f"the C compiler {command[0]} failed on {_keep(source)} (exit status {done.returncode}):\n"
            f"{done.stderr.strip() or done.stdout.strip() or 'it gave no message'}"
        )
    os.replace(made, target)


def _sweep(folder: Path) -> None:
    """Remove what killed compilations left behind."""
    oldest = time.time() - _FORGOTTEN
    for left in folder.glob(f"{_WORK}*"):
        try:
            if left.stat().st_mtime < oldest:
                shutil.rmtree(left, ignore_errors=True)
        except OSError:  # somebody else was faster
            continue


def _keep(source: Path) -> Path:
    """Copy a refused source, with its headers, to where the user can read it and compile it by hand."""
    try:
        kept = Path(tempfile.mkdtemp(prefix="rall-failed-"))
        for file in (source, *source.parent.glob("*.h")):
            shutil.copyfile(file, kept / file.name)
    except OSError:  # nowhere is space left
        return source
    return kept / source.name
