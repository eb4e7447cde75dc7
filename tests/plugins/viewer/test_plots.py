from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

from rall.errors import NotSupportedError, RallError
from rall.plugins.viewer import plot, plot_traces
from rall.units import ms, mV

TIMES = np.linspace(0, 20, 5)
ROWS = np.array([[-70, -60, 20, -60, -70.0], [-65, -65, -60, -65, -65.0]])


@pytest.fixture(autouse=True)
def _no_display() -> Iterator[None]:
    matplotlib.use("Agg")
    yield
    matplotlib.pyplot.close("all")


def test_a_monitor_is_plotted_with_units_and_legend() -> None:
    axes = plot(SimpleNamespace(t=TIMES * ms, record=np.array([0, 7]), record_variables=["v"], v=ROWS * mV))
    assert axes.get_xlabel() == "t (ms)" and axes.get_ylabel() == "v (mV)"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["v[0]", "v[7]"]
    for line, row in zip(axes.lines, ROWS, strict=True):
        np.testing.assert_allclose(line.get_xdata(), TIMES)
        np.testing.assert_allclose(line.get_ydata(), row)


def test_traces_go_where_the_caller_wants() -> None:
    axes = matplotlib.pyplot.figure().add_subplot()
    assert plot_traces(TIMES, ROWS[0], name="m", unit="", ax=axes) is axes
    assert len(axes.lines) == 1 and axes.get_ylabel() == "m" and axes.get_legend() is None


def test_many_traces_have_colours_in_order_and_no_legend() -> None:
    many = np.arange(20)[:, None] + np.zeros(5)
    axes = plot_traces(TIMES, many, [str(k) for k in range(20)])
    assert axes.get_legend() is None
    assert len({tuple(line.get_color()) for line in axes.lines}) == 20


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(RallError, match=r"\(2, 5\) do not fit 3 moments"):
        plot_traces(TIMES[:3], ROWS)
    with pytest.raises(RallError, match="1 labels for 2 traces"):
        plot_traces(TIMES, ROWS, ["soma"])


def test_without_matplotlib_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(NotSupportedError, match=r"pip install 'rall\[view\]'"):
        plot_traces(TIMES, ROWS)
