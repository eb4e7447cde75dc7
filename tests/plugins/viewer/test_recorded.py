from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, RallError
from rall.plugins.viewer.recorded import in_display_unit, milliseconds, recorded
from rall.units import mM, ms, mV, nS, second, volt


def monitor(**variables: object) -> SimpleNamespace:
    """What a StateMonitor of elements 2 and 5 looks like after three steps."""
    return SimpleNamespace(
        t=np.array([0, 0.1, 0.2]) * ms, record=np.array([2, 5]), record_variables=set(variables), **variables
    )


ROWS = np.array([[-70.0, -60.0, -50.0], [1.0, 2.0, 3.0]])


def test_voltages_come_in_millivolts_and_by_moment() -> None:
    found = recorded(monitor(v=ROWS * mV))
    np.testing.assert_allclose(found.values, ROWS.T)
    np.testing.assert_allclose(found.times, [0, 0.1, 0.2])
    assert found.index.tolist() == [2, 5]
    assert (found.label, found.unit) == ("v", "mV")


def test_one_of_several_variables() -> None:
    several = monitor(v=ROWS * mV, m=np.abs(ROWS) / 100, Ca=ROWS * mM)
    assert recorded(several).label == "v"
    gate = recorded(several, "m")
    assert (gate.label, gate.unit) == ("m", "")
    np.testing.assert_allclose(gate.values, np.abs(ROWS).T / 100)
    assert recorded(monitor(m=ROWS)).label == "m"
    with pytest.raises(RallError, match="'n'; it records 'Ca', 'm', 'v'"):
        recorded(several, "n")
    with pytest.raises(RallError, match="records 'a', 'b'; say which one"):
        recorded(monitor(a=ROWS, b=ROWS))


def test_record_true_means_every_element() -> None:
    whole = monitor(v=ROWS * mV)
    whole.record = True
    assert recorded(whole).index.tolist() == [0, 1]


def test_an_empty_recording_is_told() -> None:
    empty = SimpleNamespace(t=np.zeros(0) * ms, record=[0], record_variables=["v"], v=np.zeros((1, 0)) * mV)
    with pytest.raises(RallError, match="after run"):
        recorded(empty)


def test_units_of_the_field() -> None:
    numbers, unit, scale = in_display_unit(np.array([2.0, 5.0]) * nS)
    np.testing.assert_allclose(numbers, [2, 5])
    assert unit == "nS" and scale == pytest.approx(1e-9)
    assert in_display_unit(3 * volt)[:2] == (3000.0, "mV")


def test_milliseconds() -> None:
    assert milliseconds(0.012 * second) == pytest.approx(12)
    with pytest.raises(DimensionMismatchError):
        milliseconds(12 * mV)
