"""Recordings grow: in pieces, joined when somebody looks, never twice in memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rall.recording import Events, Rows, Table


def test_rows_are_joined_in_their_order():
    rows = Rows(2)
    assert rows.values().shape == (0, 2)
    pieces = [np.arange(2 * k, dtype=float).reshape(k, 2) + 100 * k for k in (3, 1, 0, 7, 2)]
    for piece in pieces:
        rows.append(piece)
    assert len(rows) == 13
    assert (rows.values() == np.concatenate(pieces)).all()
    assert (rows.values() == np.concatenate(pieces)).all()


def test_pieces_are_copies():
    rows, piece = Rows(1), np.ones((3, 1))
    rows.append(piece)
    piece[:] = 5
    assert rows.values().tolist() == [[1], [1], [1]]


def test_looking_again_and_again():
    rows, kept = Rows(1, np.int64), []
    for k in range(300):
        rows.append(np.full((2, 1), k))
        kept.append(rows.values())
    assert rows.values()[:, 0].tolist() == np.repeat(np.arange(300), 2).tolist()
    for k, old in enumerate(kept):
        assert old.shape == (2 * k + 2, 1) and old[-1, 0] == k


def test_replaced_rows_go_on():
    rows = Rows(2)
    rows.append(np.ones((4, 2)))
    rows.replace(np.zeros((2, 2)))
    rows.append(np.full((1, 2), 3.0))
    assert rows.values().tolist() == [[0, 0], [0, 0], [3, 3]]
    nothing = Rows(0)
    nothing.append(np.zeros((5, 0)))
    assert nothing.values().shape == (5, 0)
    nothing.replace(np.zeros((3, 0)))
    assert len(nothing) == 3


def test_tables_take_rows_from_devices_and_from_python():
    table = Table(2)
    table.buffer[:2], table.count[0] = [[1, 2], [3, 4]], 2
    assert len(table) == 2
    table.append(np.array([5.0, 6.0]))
    assert table.values().tolist() == [[1, 2], [3, 4], [5, 6]]
    assert table.count[0] == 0 and len(table) == 3


def test_events_with_values():
    events = Events(most=3, width=1)
    events.buffer[:2], events.extra[:2, 0], events.count[0] = [[7, 0], [8, 0]], [0.5, 0.25], 2
    assert len(events) == 2 and events.extras().tolist() == [[0.5], [0.25]]
    events.replace(events.values()[:1], events.extras()[:1])
    assert events.values().tolist() == [[7, 0]] and events.extras().tolist() == [[0.5]]
    events.replace(np.zeros((2, 2)))
    assert events.extras().tolist() == [[0], [0]]


PEAK = """
import resource, sys
import numpy as np
from rall.recording import Table
table = Table(100)
rows = len(table.buffer)
table.buffer[:] = 1.0
for _ in range(400):
    table.count[0] = rows
    table.drain()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = table.values()
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert found.sum() == 400 * rows * 100
print((after - before) * 1024 / found.nbytes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for its peak of memory")
def test_joining_does_not_double_the_memory():
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.3
