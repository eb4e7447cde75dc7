"""Pictures of gates."""

import numpy as np
import pytest

from rall import channels
from rall.errors import RallError
from rall.units import kelvin, mV

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def test_what_is_drawn():
    left, right = channels.plot(channels.hh.Na)
    assert [line.get_label() for line in left.lines] == ["m_Na", "h_Na"]
    assert left.get_xlabel() == right.get_xlabel() == "v (mV)"
    assert "ms" in right.get_ylabel()
    x, tau = right.lines[0].get_data()
    assert (x[0], x[-1]) == pytest.approx((-120, 60))
    wanted = channels.gates(channels.hh.Na, x * mV)["m_Na"]
    assert np.allclose(tau, np.asarray(wanted.tau) * 1e3)
    assert np.allclose(left.lines[0].get_ydata(), wanted.steady)


def test_voltages_temperature_and_axes_of_the_users(tmp_path):
    figure, pair = plt.subplots(1, 2)
    v = np.linspace(-80, 0, 9) * mV
    left, right = channels.plot(channels.hh.K(), v=v, T=289.45 * kelvin, ax=pair)
    assert left is pair[0] and right is pair[1]
    cold = np.asarray(channels.gates(channels.hh.K, v)["n_K"].tau) * 1e3
    assert np.allclose(right.lines[0].get_ydata(), cold / 3)
    figure.savefig(tmp_path / "gates.png")
    assert (tmp_path / "gates.png").stat().st_size > 1000


def test_gates_that_follow_at_once_have_no_time_constant_to_show():
    left, right = channels.plot(channels.wang_buzsaki.Na)
    assert [line.get_label() for line in left.lines] == ["h_Na", "m_Na"]
    assert np.isnan(right.lines[1].get_ydata()).all()


def test_nothing_to_draw():
    with pytest.raises(RallError, match=r"no gates .* I_leak"):
        channels.plot(channels.leak)
    with pytest.raises(RallError, match="two axes"):
        channels.plot(channels.hh.K, ax=plt.subplots()[1])
