"""Bars, lines and functions that are told how far a run is."""

from __future__ import annotations

import io

import pytest

from rall.errors import RallError
from rall.progress import Progress, TextBar, readable
from rall.simulation import Network
from rall.units import ms, second


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (75.0, "1 min 15 s"), (3599.7, "1 h 00 min")],
)
def test_readable(seconds, text):
    assert readable(seconds) == text


def test_a_file_gets_lines():
    stream = io.StringIO()
    bar = TextBar(stream)
    bar(0 * second, 0.0, 5 * ms, 20 * ms)
    bar(2 * second, 0.25, 5 * ms, 20 * ms)
    bar(8 * second, 1.0, 5 * ms, 20 * ms)
    first, second_line, last = stream.getvalue().splitlines()
    assert "20 ms" in first and "5 ms" in first
    assert "25 %" in second_line and "2.0 s gone by" in second_line and "6.0 s left" in second_line
    assert "100 %" in last and "took 8.0 s" in last


def test_a_terminal_gets_one_line_that_changes():
    stream = Terminal()
    bar = TextBar(stream)
    for completed in (0.0, 0.5, 1.0):
        bar(1 * second, completed, 0 * ms, 20 * ms)
    text = stream.getvalue()
    assert text.count("\r") == 3 and text.count("\n") == 1 and text.endswith("\n")


def test_functions_get_brians_four_arguments():
    told = []
    progress = Progress(lambda *arguments: told.append(arguments), 10.0, 1.0, 4.0)
    progress.begin()
    assert not progress.due()
    progress.tell(2.0)
    progress.end(5.0)
    assert [entry[1] for entry in told] == [0.0, 0.25, 1.0]
    assert all(entry[2] == 1 * second and entry[3] == 4 * second for entry in told)
    assert all(entry[0] >= 0 * second for entry in told)


def test_due_after_the_period():
    progress = Progress(lambda *arguments: None, 0.0, 0.0, 1.0)
    progress.begin()
    assert progress.due()
    assert not Progress(None, 0.0, 0.0, 1.0).due()


def test_other_reports_are_refused():
    with pytest.raises(RallError, match="'text', 'stderr'"):
        Progress("bar", 1.0, 0.0, 1.0)


def test_runs_report(decay, capsys):
    told = []
    network = Network(decay())
    network.run(5 * ms, report=lambda *arguments: told.append(arguments[1]))
    assert told == [0.0, 1.0]
    network.run(5 * ms, report="text")
    assert "from t = 5 ms" in capsys.readouterr().out
    network.run(5 * ms, report="stderr")
    assert "100 %" in capsys.readouterr().err
