"""The cache of compiled kernels: what is compiled when, and what goes wrong without harm."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from rall.devices import compiler
from rall.devices.base import Status
from rall.devices.c import CDevice
from rall.devices.compiler import cache_directory, find_compiler, load
from rall.devices.numpy import NumpyDevice
from rall.errors import CompileError, RallWarning
from rall.options import Options
from rall.session import session
from rall.targets import choose_device

pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler on this machine")

TEXT = '#include "rall_abi.h"\nRALL_EXPORT double twice(double x) { return 2.0 * rall_exp(x) / rall_exp(x) * x; }\n'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for this test alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("RALL_CACHE", str(folder))
    monkeypatch.setattr(compiler, "_temporary", [])
    # What is kept of failures goes away with the test.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return folder


@pytest.fixture
def compilations(monkeypatch):
    """The commands that were run."""
    ran = []
    run = subprocess.run

    def counting(command, **keywords):
        ran.append(command)
        return run(command, **keywords)

    monkeypatch.setattr(compiler.subprocess, "run", counting)
    return ran


def made(folder):
    return sorted(p.name for p in folder.iterdir())


def get(text=TEXT, **options):
    return load(text, find_compiler(), Options(**options))


def works(library):
    import ctypes

    library.twice.restype, library.twice.argtypes = ctypes.c_double, (ctypes.c_double,)
    return abs(library.twice(1.5) - 3.0) < 1e-14


# --- what is compiled ---


def test_a_second_load_compiles_nothing_and_leaves_one_file(cache, compilations):
    assert works(get())
    assert works(get())
    assert len(compilations) == 1
    (name,) = made(cache)
    assert name.endswith(compiler._SUFFIX) and name.startswith("rall_")


def test_text_flags_and_headers_make_another_object(cache, compilations, monkeypatch):
    get()
    get(TEXT.replace("1.5", "1.25") + "\n")
    get(reproducible=True)
    get(extra_compile_args=("-DX=1",))
    assert len(compilations) == len(made(cache)) == 4
    changed = {**compiler.headers(), "rall_math.h": compiler.headers()["rall_math.h"] + "\n/* new */\n"}
    monkeypatch.setattr(compiler, "headers", lambda: changed)
    monkeypatch.setattr(compiler, "_key", compiler._key.__wrapped__)  # which remembers what it has read
    get()
    assert len(compilations) == len(made(cache)) == 5


def test_headers_that_a_text_does_not_reach_do_not_matter(cache, compilations, monkeypatch):
    get()
    changed = {**compiler.headers(), "rall_random.h": "/* empty */\n"}
    monkeypatch.setattr(compiler, "headers", lambda: changed)
    monkeypatch.setattr(compiler, "_key", compiler._key.__wrapped__)  # which remembers what it has read
    get()
    assert len(compilations) == 1


def model(b, names=("v", "w"), tau=3.0, text="{0} - dt*({0} - {1})/tau"):
    for k, name in enumerate(names):
        b.add(name, float(k))
    b.shared("tau", tau)
    b.assign(f"{names[0]} = {text.format(*names)}", f"{names[1]} = {names[1]}*0.5 + exp(-{names[0]})")
    return b


def test_values_sizes_and_names_do_not_recompile(cache, compilations, bench):
    device = CDevice(Options())
    model(bench()).run(device)
    first = len(compilations)
    assert first == 3  # what tries the compiler, the runtime and one kernel
    for b in (
        model(bench(), tau=7.0), model(bench(size=1000)), model(bench(dt=0.1)), model(bench(), names=("apple", "pear")),
        model(bench(size=3), names=("w", "v"), tau=-1.0),
    ):  # fmt: skip
        b.run(device)
    assert len(compilations) == first
    model(bench(), text="{0} - dt*({0} + {1})/tau").run(device)
    assert len(compilations) == first + 1


def test_operations_of_the_same_form_share_a_kernel(cache, compilations, bench):
    b = bench()
    for name in ("p", "q", "r"):
        b.add(name, 2.0)
    for line in ("p = p*q", "q = q*r", "r = r*p"):  # masks keep them apart
        b.assign(line, mask=f"{line[0]} > 0")
    b.run(CDevice(Options()))
    assert len(compilations) == 3  # what tries the compiler, the runtime and one kernel
    assert [b.values(n)[0] for n in "pqr"] == [4, 4, 8]


# --- many processes ---

SCRIPT = """
import sys, time
sys.path.insert(0, {here!r})
from programs import Bench, make_device
while not __import__("os").path.exists({go!r}):
    time.sleep(0.001)
b = Bench()
b.add("x", 1.0)
b.add("y", 3.0)
b.assign("x = x*exp(-dt) + y", "y = y/2")
b.assign("y = y + x", mask="x > -1")
b.run(make_device("c"), 10)
print(b.values("x")[0], b.values("y")[0])
"""


def start(cache, tmp_path, script=SCRIPT):
    code = textwrap.dedent(script).format(here=str(Path(__file__).parent), go=str(tmp_path / "go"))
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "RALL_CACHE": str(cache)},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip


def test_sixteen_processes_at_once_finish_and_leave_one_object_a_kernel(cache, tmp_path):
    running = [start(cache, tmp_path) for _ in range(16)]
    (tmp_path / "go").touch()
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 16, said
    assert len({out for out, _ in said}) == 1 and said[0][0].count(" ") == 1
    assert len(made(cache)) == 4  # what tries the compiler, the runtime and two kernels, and nothing else
    assert all(name.endswith(compiler._SUFFIX) for name in made(cache))


def test_a_process_killed_while_it_compiles_leaves_nothing_that_is_taken_for_an_object(cache, tmp_path):
    (tmp_path / "go").touch()
    process = start(cache, tmp_path)
    until = time.monotonic() + 30
    while not (cache.exists() and any(p.name.startswith(compiler._WORK) for p in cache.iterdir())):
        assert time.monotonic() < until and process.poll() is None
    process.kill()
    process.communicate()
    assert not [name for name in made(cache) if not name.startswith((compiler._WORK, "rall_"))]
    again = start(cache, tmp_path)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0 and out.count(" ") == 1, err


def test_leftovers_of_killed_processes_are_swept_away_later(cache):
    cache.mkdir()
    old, new = cache / "making-old", cache / "making-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "part.c").write_text("int x;")
    long_ago = time.time() - 2 * compiler._FORGOTTEN
    os.utime(old, (long_ago, long_ago))
    assert works(get())
    assert not old.exists() and new.exists()


# --- damaged objects ---


@pytest.mark.parametrize("damage", ["empty", "garbage", "truncated", "half"])
def test_a_damaged_object_is_made_again(cache, compilations, damage):
    code = textwrap.dedent("""
        from rall.devices.compiler import find_compiler, load
        from rall.options import Options
        load({!r}, find_compiler(), Options())
    """).format(TEXT)
    environment = {**os.environ, "RALL_CACHE": str(cache)}
    subprocess.check_call([sys.executable, "-c", code], env=environment)
    (name,) = made(cache)
    path = cache / name
    whole = path.read_bytes()
    bad = {"empty": b"", "garbage": b"nonsense" * 100, "truncated": whole[:-100], "half": whole[: len(whole) // 2]}
    path.unlink()
    path.write_bytes(bad[damage])
    compilations.clear()
    assert works(get())
    assert len(compilations) == 1
    assert made(cache) == [name]
    assert len(path.read_bytes()) >= len(whole) - 8


def test_a_damaged_object_in_a_cache_that_cannot_be_written(cache, monkeypatch):
    get()
    (name,) = made(cache)
    # This process has the object mapped: a new file, so that the old one's pages stay what they are.
    (cache / name).unlink()
    (cache / name).write_bytes(b"nonsense")
    forbid_writing(monkeypatch, cache)
    with pytest.warns(RallWarning, match="cannot be written"):
        assert works(get())


# --- no space, no permission ---


def forbid_writing(monkeypatch, folder, code=errno.EACCES):
    """Tests run as root, whom permissions do not stop: let the call that asks fail instead."""
    real = compiler.tempfile.TemporaryFile

    def refuse(*args, dir=None, **keywords):
        if dir is not None and Path(dir) == folder:
            raise OSError(code, os.strerror(code))
        return real(*args, dir=dir, **keywords)

    monkeypatch.setattr(compiler.tempfile, "TemporaryFile", refuse)


def test_a_cache_that_cannot_be_written_is_replaced_with_one_warning(cache, monkeypatch, compilations):
    forbid_writing(monkeypatch, cache)
    with pytest.warns(RallWarning, match="RALL_CACHE") as caught:
        assert works(get())
        assert works(get())
        assert works(get(TEXT + "\n"))
    assert len([w for w in caught if issubclass(w.category, RallWarning)]) == 1
    assert str(cache) in str(caught[0].message)
    assert len(compilations) == 2
    assert not list(cache.iterdir())
    assert len(made(compiler._temporary[0])) == 2


def test_a_cache_that_is_a_file(cache):
    cache.write_text("not a folder")
    with pytest.warns(RallWarning, match="cannot be written"):
        assert works(get())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache(cache):
    cache.mkdir(mode=0o500)
    with pytest.warns(RallWarning, match="cannot be written"):
        assert works(get())


def test_a_read_only_cache_that_has_the_object_gives_no_warning(cache, monkeypatch):
    get()
    forbid_writing(monkeypatch, cache)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert works(get())


@pytest.mark.parametrize("part", ["source", "header", "folder", "rename"])
def test_a_full_disk_is_an_error_that_says_so_and_leaves_nothing(cache, monkeypatch, part):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    write = Path.write_text

    def refuse(self, *args, **keywords):
        if self.suffix == {"source": ".c", "header": ".h"}.get(part):
            write(self, args[0][:10])
            raise full
        return write(self, *args, **keywords)

    def nothing(*args, **keywords):
        raise full

    monkeypatch.setattr(Path, "write_text", refuse)
    if part == "folder":
        monkeypatch.setattr(compiler.tempfile, "TemporaryDirectory", nothing)
    if part == "rename":
        monkeypatch.setattr(compiler.os, "replace", nothing)
    with pytest.raises(CompileError, match=r"No space left.*RALL_CACHE") as caught:
        get()
    assert str(cache) in str(caught.value)
    assert made(cache) == []
    monkeypatch.undo()


def test_a_compiler_that_runs_out_of_space_leaves_no_object(cache, tmp_path):
    script = tmp_path / "full.sh"
    script.write_text(
        '#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\nprintf half > "$2"\n'
        'echo "No space left on device" >&2\nexit 1\n'
    )
    script.chmod(0o755)
    with pytest.raises(CompileError, match=r"No space left on device.*RALL_CACHE"):
        load(TEXT, find_compiler(str(script)), Options())
    assert made(cache) == []


# --- the compiler ---


def test_a_mistake_in_the_text_shows_the_message_and_keeps_the_file(cache):
    text = '#include "rall_abi.h"\nRALL_EXPORT int wrong(void) { return undeclared_thing; }\n'
    with pytest.raises(CompileError, match="undeclared_thing") as caught:
        get(text)
    words = str(caught.value)
    path = Path(next(word for word in words.split() if word.endswith(".c")))
    assert path.read_text() == text
    assert (path.parent / "rall_math.h").exists()  # so that it can be compiled by hand
    assert "exit status 1" in words
    assert made(cache) == []


def test_a_compiler_that_says_nothing(cache, tmp_path):
    script = tmp_path / "silent.sh"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    with pytest.raises(CompileError, match=r"exit status 3.*\n.*no message"):
        load(TEXT, find_compiler(str(script)), Options())


def test_a_compiler_that_cannot_run(cache, tmp_path):
    script = tmp_path / "not-a-program"
    script.write_bytes(b"\x00\x01")
    script.chmod(0o755)
    with pytest.raises(CompileError, match="cannot run the C compiler"):
        load(TEXT, find_compiler(str(script)), Options())


def test_a_compiler_that_makes_nothing(cache, tmp_path):
    script = tmp_path / "lazy.sh"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    with pytest.raises(CompileError, match="failed on"):
        load(TEXT, find_compiler(str(script)), Options())
    assert made(cache) == []


def test_the_compiler_is_looked_for(monkeypatch, tmp_path):
    assert find_compiler("surely-no-compiler") is None
    monkeypatch.setenv("CC", f"{find_compiler().command[0]} -DMORE")
    assert find_compiler().command[1:] == ("-DMORE",)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "")
    monkeypatch.setattr(compiler, "_zig", lambda: None)
    assert find_compiler() is None
    with pytest.raises(CompileError, match="install gcc"):
        CDevice(Options())


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("RALL_CACHE", str(tmp_path / "a"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache_directory() == tmp_path / "a"
    monkeypatch.delenv("RALL_CACHE")
    assert cache_directory() == tmp_path / "b" / "rall"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() == Path.home() / ".cache" / "rall"


def test_time_in_the_compiler_is_counted(cache, bench):
    before = compiler.seconds_compiling()
    assert model(bench()).run(CDevice(Options()))[0] is Status.DONE
    first = compiler.seconds_compiling()
    assert first > before
    model(bench()).run(CDevice(Options()))
    assert compiler.seconds_compiling() == first
    assert np.isfinite(first)


def wrapper(tmp_path, name, *lines):
    """A compiler made of a shell script."""
    script = tmp_path / name
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")
    script.chmod(0o755)
    return script


def test_words_of_the_command_make_another_object(cache, compilations, monkeypatch):
    cc = find_compiler().command[0]
    for command in (cc, f"{cc} -DX=1", f"{cc} -DX=2"):
        monkeypatch.setenv("CC", command)
        assert works(get())
    assert len(compilations) == len(made(cache)) == 3


def test_a_compiler_behind_another_command_counts(tmp_path, monkeypatch):
    wrapper(tmp_path, "front", 'exec "$@"')
    behind = wrapper(tmp_path, "behind", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    first = find_compiler("front behind").identity
    behind.write_text("#!/bin/sh\nexit 1 # newer\n")
    assert find_compiler("front behind").identity != first


@pytest.mark.parametrize("quote", ["{}", '"{}"', "'{}' -DMORE"])
def test_a_path_with_spaces_is_a_command(cache, tmp_path, quote):
    script = wrapper(tmp_path, "my tools/cc", f'exec {find_compiler().command[0]} "$@"')
    if quote == "{}":
        assert find_compiler(str(script)).command == (str(script),)
    found = find_compiler(quote.format(script))
    assert found.command[0] == str(script)
    assert works(load(TEXT, found, Options()))


def test_a_quote_without_its_partner_is_no_compiler():
    assert find_compiler("cc' -O2 '\"") is None


def test_where_the_processor_cannot_be_asked_for_it_is_left_out(cache, tmp_path):
    lines = 'case " $* " in *march=native*) echo "bad value for -march=" >&2; exit 1;; esac'
    script = wrapper(tmp_path, "old", lines, f'exec {find_compiler().command[0]} "$@"')
    assert works(load(TEXT, find_compiler(str(script)), Options()))


@pytest.mark.parametrize(
    ("system", "machine", "command", "has", "lacks"),
    [
        ("linux", "x86_64", "cc", ("-fPIC", "-march=native"), ("-mno-avx",)),
        ("linux", "aarch64", "cc", ("-fPIC",), ("-march=native",)),
        ("linux", "ppc64le", "gcc", ("-fPIC",), ("-march=native",)),
        ("darwin", "arm64", "clang", ("-fPIC",), ("-march=native",)),
        ("win32", "AMD64", "C:/mingw/gcc.exe", ("-march=native", "-mno-avx"), ("-fPIC",)),
        ("win32", "AMD64", "C:/llvm/clang.exe", ("-march=native",), ("-fPIC", "-mno-avx")),
    ],
)
def test_flags_that_only_some_machines_know(monkeypatch, system, machine, command, has, lacks):
    monkeypatch.setattr(compiler.sys, "platform", system)
    monkeypatch.setattr(compiler.platform, "machine", lambda: machine)
    flags = compiler.Toolchain((command,), "").flags(Options(extra_compile_args=("-DLAST",)))
    assert set(has) <= set(flags) and not set(lacks) & set(flags)
    assert flags[-1] == "-DLAST"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of x86 processors")
@pytest.mark.parametrize("march", ["-march=x86-64", "-march=x86-64-v3"])
def test_older_processors_get_the_same_numbers(cache, bench, march):
    def built():
        return model(bench(size=37), text="tanh({0}) + ({0} - {1})**3/(1 + {0}**2) + {0}%0.3")

    reference, older = built(), built()
    reference.run(NumpyDevice(Options()), 20)
    options = Options(extra_compile_args=(march,))
    if march.endswith("v3") and " avx2 " not in compiler._processor():
        pytest.skip("this processor is older itself")
    older.run(CDevice(options), 20, options)
    for name in ("v", "w"):
        np.testing.assert_allclose(older.values(name), reference.values(name), rtol=1e-11)


def test_a_refused_text_is_kept_once(cache, tmp_path):
    for _ in range(3):
        with pytest.raises(CompileError):
            get("nonsense")
    assert len(list(tmp_path.glob("rall-failed-*"))) == 1


def test_what_cannot_be_loaded_is_an_error_that_says_why(cache, tmp_path):
    script = wrapper(tmp_path, "cross", 'while [ "$1" != -o ]; do shift; done', 'echo "for another machine" > "$2"')
    with pytest.raises(CompileError, match=r"cannot be loaded \(.*RALL_CACHE"):
        load(TEXT, find_compiler(str(script)), Options())


def test_another_process_may_be_faster_where_a_loaded_file_cannot_be_replaced(cache, monkeypatch):
    def held(source, target):
        shutil.copyfile(source, target)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(compiler.os, "replace", held)
    assert works(get())


@pytest.mark.parametrize("name", [".", "sub folder", "zw\u00f6lf"])
def test_the_cache_may_be_relative_and_have_any_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RALL_CACHE", name)
    assert works(get())
    assert len(list((tmp_path / name).glob("rall_*"))) == 1


def test_a_user_without_a_home(monkeypatch):
    for name in ("RALL_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(compiler.os.path, "expanduser", lambda path: path)
    assert cache_directory() == Path(os.path.abspath(os.sep)) / ".cache" / "rall"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert cache_directory() == Path(os.path.abspath(os.sep)) / ".cache" / "rall"


def test_zig_has_a_cache_without_a_home(cache, tmp_path, monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("ZIG_GLOBAL_CACHE_DIR", raising=False)
    script = wrapper(tmp_path, "zig", 'echo "its cache: $ZIG_GLOBAL_CACHE_DIR" >&2', "exit 1")
    with pytest.raises(CompileError, match="its cache: ") as caught:
        load(TEXT, find_compiler(str(script)), Options())
    assert str(cache / "zig") in str(caught.value)


def test_neither_cache_nor_temporary_files(cache, monkeypatch):
    forbid_writing(monkeypatch, cache)

    def nowhere(**keywords):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(compiler.tempfile, "mkdtemp", nowhere)
    with pytest.raises(CompileError, match="RALL_CACHE"):
        get()


def test_the_folder_in_place_of_the_cache_goes_with_the_process(tmp_path):
    (tmp_path / "taken").write_text("")
    code = "from rall.devices.compiler import find_compiler, load\nfrom rall.options import Options\n"
    code += f"load({TEXT!r}, find_compiler(), Options())"
    environment = {**os.environ, "RALL_CACHE": str(tmp_path / "taken"), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "cannot be written" in done.stderr
    assert made(tmp_path) == ["taken"]


# --- compilers that do not work ---


def test_a_compiler_that_does_not_work_leaves_the_work_to_numpy(cache, tmp_path, monkeypatch):
    script = wrapper(tmp_path, "shim", 'echo "xcrun: no developer tools" >&2', "exit 1")
    monkeypatch.setenv("CC", str(script))
    monkeypatch.setattr(session, "said", set())
    with pytest.warns(RallWarning, match=r"(?s)xcrun: no developer tools\nUntil then runs use NumPy"):
        assert choose_device(Options()).name == "numpy"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose_device(Options()).name == "numpy"


def test_flags_and_compilers_that_were_asked_for_are_insisted_on(cache):
    with pytest.raises(CompileError, match="fno-such-flag"):
        choose_device(Options(extra_compile_args=("-fno-such-flag-at-all=3",)))
    with pytest.raises(CompileError, match=r"no C compiler 'nonsense-cc'.*prefs\.codegen\.compiler"):
        choose_device(Options(compiler="nonsense-cc"))


def test_the_cache_can_be_cleared(cache):
    toolchain = find_compiler()
    twice = load(TEXT, toolchain, Options()).twice
    (cache / "notes.txt").write_text("mine")
    assert compiler.clear_cache() == 1 and compiler.clear_cache() == 0
    assert [left.name for left in cache.iterdir()] == ["notes.txt"]
    twice.restype, twice.argtypes = ctypes.c_double, [ctypes.c_double]
    assert twice(3.0) == 6.0
    load(TEXT, toolchain, Options())
    assert compiler.clear_cache() == 1
