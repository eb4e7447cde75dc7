"""The command ``rall``: demo, info, check, plugins."""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from rall import __version__, data, inventory
from rall.demo import Outcome, Settings, demonstrate
from rall.errors import RallError
from rall.morphology import Morphology
from rall.morphology.readers import read_samples
from rall.units import um

__all__ = ["main"]

#: The cells that come with rall, by the names that the command line takes.
_CELLS = {"pyramidal": "layer5_pyramidal", "purkinje": "purkinje", "granule": "granule"}

#: How many findings of one kind are shown.
_LISTED = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        Exit status: 0, 1 for a mistake in what the user gave (one message on stderr), 130 after Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name may have letters that the terminal lacks
            stream.reconfigure(errors="backslashreplace")
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_note
            status = command(given)
            if sys.stdout is not None:  # it was closed before the start (`rall info >&-`)
                sys.stdout.flush()
            return status
    except BrokenPipeError:  # whoever reads has read enough (`rall plugins | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as problem:
        print(f"rall: {problem.filename or 'output'}: {problem.strerror or problem}", file=sys.stderr)
        return 1
    except RallError as problem:
        print(f"rall: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("rall: interrupted", file=sys.stderr)
        return 130


def _show_note(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning as one line: where in rall it arose is nothing to the user of a command."""
    print(f"note: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("rall", description="Neurons from equations and morphologies.")
    parser.add_argument("--version", action="version", version=f"rall {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="make a cell fire and draw it", description=_demo.__doc__)
    demo.add_argument("file", nargs="?", metavar="FILE", help="a morphology (.swc, .asc, .h5); else a grown cell")
    demo.add_argument("--cell", choices=_CELLS, default="pyramidal", help="which grown cell (default: %(default)s)")
    demo.add_argument("--out", metavar="DIR", type=Path, default=Path(), help="folder for the pictures (default: here)")
    demo.add_argument(
        "--soma", choices=Morphology.SOMA_READINGS, default="sphere", help="how a soma of one sample is read"
    )
    _add_repairs(demo)
    demo.set_defaults(command=_demo)
    check = commands.add_parser("check", help="check a morphology file", description=_check.__doc__)
    check.add_argument("file", metavar="FILE", help="a morphology (.swc, .asc, .h5)")
    _add_repairs(check)
    check.set_defaults(command=_check)
    info = commands.add_parser("info", help="what is installed, what is missing", description=_info.__doc__)
    info.set_defaults(command=_info)
    plugins = commands.add_parser("plugins", help="list extensions", description=_plugins.__doc__)
    plugins.set_defaults(command=_plugins)
    return parser


def _add_repairs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=float, metavar="X", help="micrometres in one unit of the file (1e-3 for nm)")
    parser.add_argument("--min-radius", type=float, metavar="UM", help="raise radii from 0 to this many micrometres")


def _demo(given: argparse.Namespace) -> int:
    """Read a cell, give it Hodgkin-Huxley channels, fire it with a current at the soma, and draw it."""
    os.environ.setdefault("MPLBACKEND", "agg")  # pictures are written, not shown
    file = Path(given.file) if given.file else data.path(_CELLS[given.cell])
    given.out.mkdir(parents=True, exist_ok=True)
    outcome = demonstrate(Settings(file, given.out, given.scale, given.min_radius, given.soma))
    print(_table(_report(file, outcome)))
    for reason in dict.fromkeys(outcome.missing):
        print(f"no picture: {reason}", file=sys.stderr)
    return 0


def _report(file: Path, outcome: Outcome) -> list[tuple[str, str]]:
    tree, seconds = outcome.tree, outcome.seconds
    spikes = ", ".join(f"{t:.2f}" for t in outcome.spikes)
    cable = ~tree.sections.sphere
    parts = ("reading", "building", "compiling", "running", "drawing")
    return [
        ("morphology", str(file)),
        ("tree", f"{len(tree.sections)} sections, {tree.n} compartments"),
        (
            "size",
            f"{tree.sections.length[cable].sum():.5g} um of cable, {tree.area.sum():.5g} um2 of membrane",
        ),
        ("device", inventory.describe_device(outcome.device)),
        ("cable method", outcome.method),
        (
            "current",
            f"{outcome.amplitude:g} nA into {outcome.site} from {outcome.onset:g} to {outcome.end:g} ms",
        ),
        ("spikes", f"{len(outcome.spikes)}, at {spikes} ms"),
        *((name, f"{seconds[name]:.3f} s") for name in parts),
        *(("picture", str(path.absolute())) for path in outcome.pictures),
    ]


def _table(rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)


def _check(given: argparse.Namespace) -> int:
    """Say what is wrong or odd in a morphology file, and measure the cell; exit status 1 if it is refused."""
    radius = None if given.min_radius is None else given.min_radius * um
    reading = read_samples(given.file, given.scale, radius)
    counted: Counter[str] = Counter()
    for finding in reading.findings:
        counted[finding.code] += 1
        if counted[finding.code] <= _LISTED:
            print(f"{finding.level}: {given.file}: {finding}")
    for code, number in counted.items():
        if number > _LISTED:
            print(f"and {number - _LISTED} more [{code}]")
    if any(finding.level == "error" for finding in reading.findings):
        print(f"{given.file} is refused")
        return 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all of it was printed above
        morphology = Morphology.from_file(given.file, scale=given.scale, min_radius=radius)
    rows = str(morphology.info()).splitlines()
    print("\n".join(row for row in rows if not row.startswith(("noticed: ", "file: "))))
    print(f"{given.file} is fine" if not reading.findings else f"{given.file} can be used")
    return 0


def _info(given: argparse.Namespace) -> int:
    """Show versions, devices, the compiler and its flags, the cache, and what is missing."""
    print(_table(inventory.facts()))
    return 0


def _plugins(given: argparse.Namespace) -> int:
    """List all extensions by group, with the distribution that brings each; load them to find broken ones."""
    rows = inventory.extensions()
    print("\n".join(rows))
    return 0
