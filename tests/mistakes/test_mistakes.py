"""Wrong scripts: a table of mistakes that users make, each with an error that names their line and a way out.

The table is in the text files beside this one.  An entry is a title after ``===``, the script, the class of the
error (or of the warning) after ``---``, and then

* ``line:`` a piece of the script that stands in it once: the statement, or the line of equations, that is wrong;
* ``says:`` words of the message;
* ``remedy:`` the words that say what would do;
* ``after:`` what must hold afterwards, since a statement that failed has changed nothing.
"""

from __future__ import annotations

import ast
import linecache
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rall.errors import EquationError
from rall.session import prefs

_FIELDS = ("line", "says", "remedy", "after")


@dataclass(frozen=True)
class Mistake:
    """One entry."""

    title: str
    script: str
    raises: str
    fields: dict[str, list[str]] = field(default_factory=dict)


def _read(text: str) -> list[Mistake]:
    found = []
    for block in text.split("\n=== ")[0 if text.startswith("=== ") else 1 :]:
        head, script_and_rest = block.removeprefix("=== ").split("\n", 1)
        script, rest = script_and_rest.split("\n--- ", 1)
        raises, *lines = rest.strip().split("\n")
        fields: dict[str, list[str]] = {name: [] for name in _FIELDS}
        for line in lines:
            name, value = line.split(":", 1)
            fields[name].append(value.strip())
        found.append(Mistake(head, script + "\n", raises, fields))
    return found


TABLE = [one for path in sorted(Path(__file__).parent.glob("*.txt")) for one in _read(path.read_text())]


def _span(script: str, piece: str) -> tuple[int, int]:
    """First and last line of the innermost statement that `piece` stands in."""
    assert script.count(piece) == 1, f"'{piece}' must stand once in the script"
    at = script[: script.index(piece)].count("\n") + 1
    around = [node for node in ast.walk(ast.parse(script)) if isinstance(node, ast.stmt)]
    spans = [(node.lineno, node.end_lineno or node.lineno) for node in around]
    spans += [(min(d.lineno for d in node.decorator_list), last) for node, (_, last) in zip(around, spans)
              if isinstance(node, ast.FunctionDef) and node.decorator_list]  # fmt: skip
    return min((span for span in spans if span[0] <= at <= span[1]), key=lambda span: span[1] - span[0])


def _run(mistake: Mistake, folder: Path) -> tuple[Exception | None, list[warnings.WarningMessage], dict[str, object]]:
    path = folder / "script.py"
    script = "from rall import *\n" + mistake.script
    path.write_text(script)
    linecache.checkcache(str(path))
    names: dict[str, object] = {"__name__": "__main__", "FOLDER": str(folder)}
    error = None
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            exec(compile(script, str(path), "exec"), names)
        except Exception as problem:
            error = problem
    return error, said, names


@pytest.mark.parametrize("mistake", TABLE, ids=lambda mistake: mistake.title)
def test_the_user_learns_where_and_what_to_do(mistake, tmp_path, capsys):
    prefs.codegen.target = "numpy"
    error, said, names = _run(mistake, tmp_path)
    if mistake.raises == "RallWarning":
        assert error is None
        told = [one for one in said if one.category.__name__ == "RallWarning"]
        assert len(told) == 1, [str(one.message) for one in told]
        message, place = str(told[0].message), told[0]
        lines = [place.lineno] if place.filename == str(tmp_path / "script.py") else []
    else:
        assert type(error).__name__ == mistake.raises, repr(error)
        message = str(error)
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(tmp_path / "script.py")]
        assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)
    for words in (*mistake.fields["says"], *mistake.fields["remedy"]):
        assert words in message, message
    _check_place(mistake, message, error, lines, tmp_path / "script.py")
    for condition in mistake.fields["after"]:
        assert eval(condition, names), condition


def _check_place(mistake: Mistake, message: str, error: Exception | None, lines: list[int], path: Path) -> None:
    """The statement that is wrong is the one that failed, or the message names it; equations are shown."""
    (piece,) = mistake.fields["line"]
    first, last = (1 + number for number in _span(mistake.script, piece))  # below the import
    inside = range(first, last + 1)
    assert any(number in inside for number in lines) or any(f"{path}:{number}" in message for number in inside), message
    if isinstance(error, EquationError):
        assert piece in message or error.text is None, message
        assert "^" in message or error.text is None, message


def test_the_table_is_long_and_no_entry_is_there_twice():
    assert len(TABLE) >= 75
    titles = [one.title for one in TABLE]
    assert len(set(titles)) == len(titles)
    answers = [(one.raises, *one.fields["says"], *one.fields["remedy"]) for one in TABLE]
    assert len(set(answers)) == len(answers)
    assert all(one.fields["line"] and one.fields["says"] and one.fields["remedy"] for one in TABLE)
