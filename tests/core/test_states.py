"""get_states and set_states: of groups, their parts, synapses, monitors and networks."""

from __future__ import annotations

import numpy as np
import pytest

from rall.errors import DimensionMismatchError, NotSupportedError, RallError
from rall.magic import magic_network
from rall.plugins.monitors import PopulationRateMonitor, SpikeMonitor, StateMonitor
from rall.plugins.point import NeuronGroup
from rall.plugins.synapses import Synapses
from rall.simulation import Network
from rall.units import Quantity, ms, mV, volt


@pytest.fixture
def group():
    """Three neurons with variables that can and cannot be set."""
    model = "v : volt\nn : integer\nlevel : 1 (shared)\ntwice = 2*v : volt"
    made = NeuronGroup(3, model, threshold="v > 1.5*mV", reset="")
    made.v, made.n, made.level = "i*mV", "i + 4", 2.5
    return made


@pytest.fixture
def synapses(group):
    """Synapses to the next neuron."""
    made = Synapses(group, group, "w : 1\nbig = w > 1 : boolean")
    made.connect(i=[0, 1], j=[1, 2])
    made.w = "i + 1"
    return made


def test_of_a_group(group):
    found = group.get_states()
    assert set(found) == {"N", "i", "v", "n", "level", "t", "dt", "t_in_timesteps"}
    assert isinstance(found["v"], Quantity) and (found["v"] / mV).tolist() == [0, 1, 2]
    assert found["n"].tolist() == [4, 5, 6] and found["n"].dtype == np.int64
    assert found["level"] == 2.5 and found["N"] == 3 and found["dt"] == 0.1 * ms
    assert set(group.get_states(subexpressions=True)) - set(found) == {"twice"}
    assert set(group.get_states(read_only_variables=False)) == {"v", "n", "level"}
    plain = group.get_states(["v", "twice", "dt"], units=False)
    assert plain["v"].tolist() == [0, 1e-3, 2e-3] and plain["twice"].tolist() == [0, 2e-3, 4e-3]
    assert plain["dt"] == pytest.approx(1e-4) and not isinstance(plain["v"], Quantity)
    assert list(group.get_states("v")) == ["v"]


def test_states_are_copies(group):
    found = group.get_states(units=False)
    found["v"][:] = 9
    assert np.asarray(group.v_).tolist() == [0, 1e-3, 2e-3]


def test_setting(group):
    kept = group.get_states(read_only_variables=False)
    group.set_states({"v": 5 * mV, "n": [1, 2, 3], "level": 8})
    assert (np.asarray(group.v / mV)).tolist() == [5, 5, 5] and group.level == 8 and group.n[2] == 3
    group.set_states(kept)
    assert np.asarray(group.n).tolist() == [4, 5, 6] and group.level == 2.5
    group.set_states({"v": [1e-3, 2e-3, 3e-3]}, units=False)
    assert np.asarray(group.v / mV) == pytest.approx([1, 2, 3])


def test_what_cannot_be_set(group):
    for name in ("N", "i", "t", "twice"):
        with pytest.raises(RallError, match=f"'{name}' of 'neurongroup.*' cannot be set; .*read_only_variables"):
            group.set_states({"v": 7 * mV, name: 1})
    with pytest.raises(RallError, match="no variable 'levle' to set; did you mean 'level'"):
        group.set_states({"v": 7 * mV, "levle": 1})
    assert np.asarray(group.v_).tolist() == [0, 1e-3, 2e-3]
    with pytest.raises(DimensionMismatchError):
        group.set_states({"v": [1, 2, 3]})
    with pytest.raises(RallError, match="takes one value or 3"):
        group.set_states({"v": [1, 2] * mV})
    with pytest.raises(RallError, match="no variable 'x'"):
        group.get_states(["x"])
    with pytest.raises(NotSupportedError, match="'dict', 'pandas'"):
        group.get_states(format="csv")


def test_of_a_part(group):
    part = group[1:]
    found = part.get_states(units=False)
    assert set(found) == {"N", "v", "n", "level", "t", "dt", "t_in_timesteps"}
    assert found["N"] == 2 and found["v"].tolist() == [1e-3, 2e-3] and found["level"] == 2.5
    assert part.get_states("i")["i"].tolist() == [0, 1]
    part.set_states({"v": [7, 8] * mV})
    assert np.asarray(group.v / mV) == pytest.approx([0, 7, 8])


def test_of_synapses(synapses):
    found = synapses.get_states()
    assert found["i"].tolist() == [0, 1] and found["j"].tolist() == [1, 2] and found["w"].tolist() == [1, 2]
    assert list(synapses.get_states(read_only_variables=False)) == ["w"]
    assert synapses.get_states("big")["big"].tolist() == [False, True]
    synapses.set_states({"w": [3, 4]})
    assert np.asarray(synapses.w).tolist() == [3, 4]
    assert synapses["i == 1"].get_states("w")["w"].tolist() == [4]


def test_of_monitors(group):
    values, spikes = StateMonitor(group, ["v", "n"], record=[0, 2]), SpikeMonitor(group, "v")
    counts, rate = SpikeMonitor(group, record=False), PopulationRateMonitor(group)
    Network(group, values, spikes, counts, rate).run(0.4 * ms)
    found = values.get_states()
    assert found["v"].shape == (4, 2) and found["v"].dim is volt.dim and found["n"][0].tolist() == [4, 6]
    assert found["t"].shape == (4,) and found["N"] == 4
    assert values.get_states("t", units=False)["t"] == pytest.approx(np.arange(4) * 1e-4)
    found = spikes.get_states(units=False)
    assert found["i"].tolist() == [2] * 4 and found["v"] == pytest.approx(2e-3) and found["N"] == 4
    assert {name: np.size(value) for name, value in counts.get_states().items()} == {"count": 3, "N": 1}
    assert set(rate.get_states()) == {"t", "rate", "N"}
    assert not hasattr(values, "set_states") and not hasattr(spikes, "set_states")


def test_of_a_network(group, synapses):
    monitor = StateMonitor(group, "v", record=0)
    network = Network(group, synapses, monitor)
    found = network.get_states()
    assert set(found) == {group.name, synapses.name, monitor.name}
    assert found[group.name]["n"].tolist() == [4, 5, 6]
    kept = network.get_states(units=False, read_only_variables=False)
    group.v, synapses.w = 1 * mV, 0
    network.set_states(kept, units=False)
    assert np.asarray(group.v_).tolist() == [0, 1e-3, 2e-3] and np.asarray(synapses.w).tolist() == [1, 2]
    with pytest.raises(RallError, match="no object 'neuron'"):
        network.set_states({"neuron": {"v": 3 * mV}})
    with pytest.raises(RallError, match="a StateMonitor, cannot be set"):
        network.set_states({monitor.name: {"v": 3 * mV}})


def test_of_what_is_visible():
    visible = NeuronGroup(2, "x : 1", name="visible")
    magic_network.set_states({"visible": {"x": [1, 2]}})
    assert np.asarray(visible.x).tolist() == [1, 2]
    assert magic_network.get_states(read_only_variables=False)["visible"]["x"].tolist() == [1, 2]
    assert len(magic_network) == 0


def test_tables_have_no_units(group):
    with pytest.raises(NotSupportedError, match="units=False"):
        group.get_states(format="pandas")
    with pytest.raises(NotSupportedError, match="units=False"):
        group.set_states({}, format="pandas")


def test_tables(group):
    pandas = pytest.importorskip("pandas")
    table = group.get_states(["v", "n", "level"], units=False, format="pandas")
    assert isinstance(table, pandas.DataFrame) and list(table.columns) == ["v", "n", "level"]
    assert table["v"].tolist() == [0, 1e-3, 2e-3] and table["level"].tolist() == [2.5] * 3
    table.loc[1, "v"], table["level"] = 9e-3, 6.0
    group.set_states(table, units=False, format="pandas")
    assert np.asarray(group.v_).tolist() == [0, 9e-3, 2e-3] and group.level == 6
    assert group.get_states(["level", "N"], units=False, format="pandas").shape == (1, 2)
    monitor = StateMonitor(group, "v", record=True)
    with pytest.raises(NotSupportedError, match="'v' has more than one dimension"):
        monitor.get_states(units=False, format="pandas")
    with pytest.raises(NotSupportedError, match="differ in their number of values"):
        SpikeMonitor(group).get_states(units=False, format="pandas")
    assert set(Network(group).get_states(units=False, format="pandas")) == {group.name}


def test_without_pandas(group, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(NotSupportedError, match="pip install pandas"):
        group.get_states("v", units=False, format="pandas")
