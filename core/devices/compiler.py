"""The C compiler, its flags and the cache of what it made.

A library is named by a hash of its text, the headers, the flags, the compiler and the processor, and appears in
the cache by one atomic rename.  Any number of processes may make the same one at once; a kill leaves at most a
temporary folder, which a later compilation sweeps away.  The cache is `$RALL_CACHE`, else `$XDG_CACHE_HOME/rall`,
else `~/.cache/rall`.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import hashlib
import itertools
import os
import platform
import shlex
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

__all__ = [
    "Toolchain", "cache_directory", "clear_cache", "find_compiler", "find_cplusplus", "headers", "load",
    "seconds_compiling",
]  # fmt: skip

_SUFFIX = ".dll" if sys.platform == "win32" else ".so"
#: -O3 and not -O2: kernels are as fast with both, the lanes of the tree solver a third faster.  Never -ffast-math,
#: which cancels the rounding steps of rall_math.h; instead what vectorised functions need of it, by name.
_FLAGS = ("-O3", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math", "-shared", "-w", "-g0",
          "-fvisibility=hidden")  # fmt: skip
_STRICT = ("-Werror=implicit-function-declaration", "-Werror=implicit-int", "-Werror=int-conversion")
_NATIVE = "-march=native"
#: The C++ compiler that belongs to a C compiler, by how their names differ.
_CPLUSPLUS = (("gcc", "g++"), ("clang", "clang++"), ("cc", "c++"))
#: Folder of a compilation in progress; older ones than this many seconds were left by a kill.
_WORK, _FORGOTTEN = "making-", 3600.0
_ELF = b"\x7fELF\x02\x01"
_spent = [0.0]
_temporary: list[Path] = []
#: Where refused sources were kept, by their names: asking again does not fill the disk.
_kept: dict[str, Path] = {}


@dataclass(frozen=True)
class Toolchain:
    """A C compiler that was found.

    Parameters
    ----------
    command : tuple of str
        The executable and the words that belong to it (``zig cc``).
    identity : str
        The command, with path, size and time of its executables: another compiler makes other objects.
    strict : bool
        Whether text of the user's is compiled, in which C would take an unknown function for one that gives an int.
    """

    command: tuple[str, ...]
    identity: str
    strict: bool = False

    def flags(self, options: Options) -> tuple[str, ...]:
        """All flags for one library."""
        contraction = "off" if options.reproducible else "fast"
        fixed = (*(flag for flag in _FLAGS if flag != "-w"), *_STRICT) if self.strict else _FLAGS
        return (*fixed, *self._platform_flags(), f"-ffp-contract={contraction}", *options.extra_compile_args)

    def _platform_flags(self) -> tuple[str, ...]:
        # Elsewhere -march names an architecture, and many compilers know no "native" one.
        native = (_NATIVE,) if platform.machine().lower() in ("x86_64", "amd64") else ()
        if sys.platform != "win32":
            return ("-fPIC", *native)
        # There clang refuses -fPIC, and GCC does not align the stack as its own AVX code needs it (GCC bug 54412).
        name = os.path.basename(self.command[0]).lower()
        return (*native, "-mno-avx") if native and ("gcc" in name or name in ("cc", "cc.exe")) else native


def find_compiler(wanted: str | None = None) -> Toolchain | None:
    """The C compiler: `wanted`, else `$CC`, else the first of cc, gcc, clang on the path, else the zig wheel.

    Returns
    -------
    Toolchain or None
        None where there is none.
    """
    for name in [wanted] if wanted else [os.environ.get("CC", ""), "cc", "gcc", "clang"]:
        words = _words(name)
        path = shutil.which(words[0]) if words else None
        if path:
            # `ccache gcc` changes with gcc, and `cc -m32` makes other objects than `cc`.
            programs = [path, *filter(None, (shutil.which(w) for w in words[1:] if not w.startswith("-")))]
            return Toolchain((path, *words[1:]), " ".join([*map(_identity, programs), *words]))
    return None if wanted else _zig()


def find_cplusplus(toolchain: Toolchain) -> Toolchain | None:
    """The C++ compiler that belongs to a C compiler.

    Returns
    -------
    Toolchain or None
        None where there is none.
    """
    words = list(toolchain.command)
    places = [k for k, word in enumerate(words) if not word.startswith("-")]
    for place, (c, cplusplus) in itertools.product(reversed(places), _CPLUSPLUS):
        folder, name = os.path.split(words[place])
        if c not in name:
            continue
        changed = [*words[:place], os.path.join(folder, cplusplus.join(name.rsplit(c, 1))), *words[place + 1 :]]
        # The second word of `zig cc` is no program of its own.
        if (place and words[place] == "cc") or shutil.which(changed[place]):
            return Toolchain((*changed, "-x", "c++"), f"{toolchain.identity} as C++ {' '.join(changed)}")
    return None


def _words(command: str) -> list[str]:
    """The words of a command; a path with spaces needs no quotes."""
    if shutil.which(command):
        return [command]
    try:
        return [word.strip('"') for word in shlex.split(command, posix=os.name != "nt")]
    except ValueError:  # a quote without its partner
        return command.split()


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
        # Absolute, for a bare file name would be looked for among the system's libraries.
        return Path(os.path.abspath(os.path.expanduser(os.environ["RALL_CACHE"])))
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # what is not shall be ignored, says the standard
        return Path(base) / "rall"
    home = os.path.expanduser("~")
    # Users without a home are there in containers; theirs is the root, as container engines have it.
    return Path(home if os.path.isabs(home) else os.path.abspath(os.sep)) / ".cache" / "rall"


def clear_cache() -> int:
    """Remove all compiled objects from the cache; libraries that are in use stay so.

    Returns
    -------
    int
        How many there were.
    """
    removed = 0
    for made in cache_directory().glob(f"rall_*{_SUFFIX}"):
        try:
            made.unlink()
        except OSError:  # somebody else was faster, or may and we may not
            continue
        removed += 1
    return removed


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
        _temporary.append(_folder_for_this_process(folder, problem))
        warnings.warn(
            f"the cache {folder} cannot be written ({problem.strerror}); compiled code goes to {_temporary[0]} and is "
            "made anew next time. Set RALL_CACHE to a folder with space.",
            RallWarning,
            stacklevel=2,
        )
        return _temporary[0]


def _folder_for_this_process(instead_of: Path, problem: OSError) -> Path:
    try:
        made = Path(tempfile.mkdtemp(prefix="rall-"))
    except OSError:
        raise CompileError(
            f"the cache {instead_of} cannot be written ({problem.strerror}), nor is there a folder for temporary "
            "files. Set RALL_CACHE to a folder with space."
        ) from None
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(made, ignore_errors=True) if os.getpid() == owner else None)
    return made


@lru_cache(maxsize=1024)
def _key(text: str, toolchain: Toolchain, options: Options) -> str:
    made_of = hashlib.sha256()
    # Only the headers that a text reaches: another kernel's change need not recompile this one.
    parts = [text, *(headers()[name] for name in _included(text)), toolchain.identity, _processor()]
    for part in (*parts, *toolchain.flags(options), platform.system()):
        made_of.update(part.encode("utf-8", "surrogateescape"))
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
        found = _open_new(target, toolchain)
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


def _open_new(path: Path, toolchain: Toolchain) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as problem:
        raise CompileError(
            f"what the C compiler {toolchain.command[0]} made cannot be loaded ({problem}). If it makes programs for "
            "this machine, set RALL_CACHE to a folder from which they may be run (not one mounted with noexec)."
        ) from None


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
    done = _run_compiler(command, source, made)
    if done.returncode != 0 and _NATIVE in command and "march" in done.stderr:  # an old compiler, or a new processor
        done = _run_compiler([word for word in command if word != _NATIVE], source, made)
    if done.returncode != 0 or not made.exists():
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise CompileError(
            f"the C compiler {command[0]} failed on {_keep(source)} (exit status {done.returncode}):\n"
            f"{done.stderr.strip() or done.stdout.strip() or 'it gave no message'}"
        )
    try:
        os.replace(made, target)
    except PermissionError:
        # Windows keeps what another process has loaded: that one was faster, and it is the same.
        if not (target.exists() and _is_whole(target)):
            raise


def _run_compiler(command: list[str], source: Path, made: Path) -> subprocess.CompletedProcess[str]:
    # The compiler's own temporary files go with the folder, even if it is killed.
    environment = {**os.environ, "TMPDIR": str(source.parent), "LC_ALL": "C"}
    if not os.environ.get("HOME"):  # zig looks there for its own cache, and gives up
        environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(source.parent.parent / "zig"))
    try:
        return subprocess.run(
            [*command, "-o", str(made), str(source)], capture_output=True, text=True, errors="replace", check=False,
            stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
    except OSError as problem:
        raise CompileError(f"cannot run the C compiler {command[0]}: {problem.strerror}") from None


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
    kept = _kept.get(source.name)
    try:
        if kept is None or not kept.is_dir():
            kept = _kept[source.name] = Path(tempfile.mkdtemp(prefix="rall-failed-"))
        for file in (source, *source.parent.glob("*.h")):
            shutil.copyfile(file, kept / file.name)
    except OSError:  # nowhere is space left
        return source
    return kept / source.name
