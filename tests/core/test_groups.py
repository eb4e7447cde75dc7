"""Groups: variables as attributes, text as values and as indices."""

from __future__ import annotations

import numpy as np
import pytest
from plain_group import PLACE, Plain

from rall.errors import DimensionMismatchError, EquationError, RallError
from rall.groups import VariableView
from rall.model import Call
from rall.session import defaultclock
from rall.simulation import Network
from rall.units import DIMENSIONLESS, Quantity, ms, mV, nS, second, volt


@pytest.fixture(params=[None, PLACE], ids=["in order", "shuffled"])
def group(request):
    defaultclock.dt = 0.1 * ms
    return Plain(request.param)


# --- attributes ---


def test_values_come_with_units_and_without(group):
    group.v = np.arange(7) * mV
    assert isinstance(group.v, VariableView)
    np.testing.assert_allclose(group.v / mV, np.arange(7), rtol=1e-14)
    np.testing.assert_allclose(group.v_, np.arange(7) * 1e-3, rtol=1e-14)
    assert isinstance(group.v_[:], np.ndarray) and isinstance(group.v[:], Quantity)
    assert group.v[3] == 3 * mV and group.v[-1] == 6 * mV
    group.v_ = 0.5
    assert group.v[0] == 0.5 * volt
    np.testing.assert_array_equal(group.i[:], np.arange(7))
    assert group.N == len(group) == 7


def test_copies_are_independent(group):
    group.v = 1 * mV
    values = group.v[:]
    group.v = 2 * mV
    assert values[0] == 1 * mV


def test_shared_values_are_single(group):
    group.tau = 10 * ms
    assert group.tau == 10 * ms
    assert group.tau_ == 0.01
    group.tau = "5*ms + 1*ms"
    assert group.tau == 6 * ms


def test_integers_and_booleans(group):
    group.n = [3, 1, 4, 1, 5, 9, 2]
    group.on = "n > 3"
    assert group.n[:].dtype == np.int64 and group.on[:].dtype == bool
    np.testing.assert_array_equal(group.on[:], [False, False, True, False, True, True, False])
    np.testing.assert_array_equal(group.v[group.on] / mV, [0, 0, 0])


def test_subexpressions_are_computed_from_present_values(group):
    scale = 2.0
    group.v = 4 * mV
    np.testing.assert_allclose(group.half / mV, 2, rtol=1e-15)
    np.testing.assert_allclose(group.decay[:], 2 * np.exp(-np.arange(7) / 5), rtol=1e-14)
    scale = 3.0
    np.testing.assert_allclose(group.decay[2], 3 * np.exp(-2 / 5), rtol=1e-14)
    assert scale == 3.0


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("half", 1 * mV, RallError, "computed by the model"),
        ("N", 3, (RallError, AttributeError), "."),
        ("i", 3, RallError, "cannot be set"),
        ("v", 3 * ms, DimensionMismatchError, "'v'.*second.*volt"),
        ("v", 3.0, DimensionMismatchError, "'v'"),
        ("v", None, RallError, "cannot set 'v'.*None is no number"),
        ("v", np.zeros(3) * mV, RallError, "one value or 7"),
        ("v", np.zeros((7, 2)) * mV, RallError, "one value or 7"),
        ("v", "3*ms", EquationError, "volt"),
        ("v", "3*mV +", EquationError, "too early"),
        ("v", "3*mV*unknown_thing", EquationError, "unknown_thing"),
        ("vv", 3 * mV, AttributeError, "'v'.*add_attribute"),
        ("tau", [1, 2] * ms, RallError, "one value for all"),
        ("tau", "i*ms", RallError, "'i'.*may differ"),
    ],
)  # fmt: skip
def test_what_cannot_be_set(group, name, value, error, words):
    with pytest.raises(error, match=words):
        setattr(group, name, value)


def test_unknown_names_are_refused_with_a_guess(group):
    with pytest.raises(AttributeError, match=r"'hal'.*'half'"):
        group.hal  # noqa: B018
    group.add_attribute("mine")
    group.mine = 3
    assert group.mine == 3
    assert not hasattr(group, "__nothing__")


def test_zero_goes_with_every_unit(group):
    group.v = 5 * mV
    group.v = 0
    assert (group.v_[:] == 0).all()
    group.v = "0"
    group.g = 0.0


# --- indices ---


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (slice(2, 5), [2, 3, 4]), (slice(None, None, 3), [0, 3, 6]), ([5, 0, 5], [5, 0, 5]),
        (np.array([True, False, True, False, False, False, True]), [0, 2, 6]), ("i > 4", [5, 6]),
        ("v > 2.5*mV and v < limit", [3, 4]), (np.int64(3), [3]), ("i > 100", []),
    ],
)  # fmt: skip
def test_indices(group, index, expected):
    limit = 5 * mV  # noqa: F841
    group.v = np.arange(7) * mV
    # The text of an index may use the names of whoever wrote it.
    found = np.atleast_1d(np.asarray(group.v[index] / mV))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    group.v[index] = -1 * mV
    after = np.arange(7.0)
    after[expected] = -1
    np.testing.assert_allclose(group.v / mV, after, rtol=1e-14)


def test_text_values_for_selected_elements(group):
    factor = 10  # noqa: F841
    group.v[2:5] = "i*factor*mV"
    np.testing.assert_allclose(group.v / mV, [0, 0, 20, 30, 40, 0, 0], rtol=1e-14)
    group.v["i >= 5"] = "v + N*mV"
    np.testing.assert_allclose(group.v / mV, [0, 0, 20, 30, 40, 7, 7], rtol=1e-14)
    group.v[:] = [1, 2, 3, 4, 5, 6, 7] * mV
    group.v[1:3] = [10, 20] * mV
    np.testing.assert_allclose(group.v[:4] / mV, [1, 10, 20, 4], rtol=1e-14)


@pytest.mark.parametrize("index", [7, -8, [0, 9], 1.5, "v", np.zeros(3, bool)])
def test_indices_that_do_not_fit(group, index):
    with pytest.raises((IndexError, EquationError, RallError)):
        group.v[index]


# --- arithmetic ---


def test_arithmetic_with_views(group):
    group.v = np.arange(1, 8) * mV
    group.g = 2 * nS
    values = np.arange(1, 8)
    np.testing.assert_allclose((group.v + 1 * mV) / mV, values + 1, rtol=1e-14)
    np.testing.assert_allclose((1 * mV - group.v) / mV, 1 - values, rtol=1e-14)
    np.testing.assert_allclose(2 * group.v / mV, 2 * values, rtol=1e-14)
    np.testing.assert_allclose(-group.v / mV, -values, rtol=1e-14)
    np.testing.assert_allclose(group.v**2 / mV**2, values**2, rtol=1e-14)
    assert (group.v * group.g).dim is (1 * mV * nS).dim
    assert (group.v > 3 * mV).tolist() == (values > 3).tolist()
    np.testing.assert_allclose(group.v @ group.v / mV**2, values @ values, rtol=1e-14)
    np.testing.assert_allclose(np.ones((2, 7)) @ group.v / mV, [28, 28], rtol=1e-14)
    with pytest.raises(DimensionMismatchError):
        group.v + 1


def test_arrays_and_numpy_functions_keep_the_unit(group):
    group.v = np.arange(1, 8) * mV
    product = np.arange(7.0) * group.v
    assert isinstance(product, Quantity) and product.dim is volt.dim
    for function in (np.mean, np.sum, np.max, np.sqrt, np.abs, np.diff):
        assert function(group.v).dim is function(group.v[:]).dim is not DIMENSIONLESS
    assert isinstance(np.concatenate([group.v, group.v]), Quantity)
    with pytest.raises(DimensionMismatchError):
        np.exp(group.v)
    assert group.v.mean() / mV == pytest.approx(4)
    assert float(np.exp(group.n)[0]) == 1.0


def test_in_place(group):
    group.v = 1 * mV
    group.v += 2 * mV
    group.v *= 2
    group.v[0] += 1 * mV
    group.v += "i*mV"
    np.testing.assert_allclose(group.v / mV, 6 + np.arange(7) + (np.arange(7) == 0), rtol=1e-14)
    with pytest.raises(DimensionMismatchError):
        group.v += 1


def test_reprs_show_values(group):
    group.v = 1.5 * mV
    assert "1.5" in repr(group.v) and "mV" in repr(group.v) and group.name in repr(group.v)
    assert next(x / mV for x in group.v) == pytest.approx(1.5)


# --- random numbers in text ---


def test_random_text_differs_between_elements_and_calls(group):
    group.v = "rand()*mV"
    first = group.v_[:]
    group.v = "rand()*mV"
    assert len(np.unique(first)) == 7 and (group.v_[:] != first).all()
    group.v = "(rand() - rand())*mV"
    assert (group.v_[:] != 0).all()


def test_random_text_does_not_depend_on_the_order_in_storage():
    from rall.session import seed

    seen = []
    for place in (None, PLACE):
        seed(5)
        one = Plain(place, name="same*")
        one.v = "randn()*mV"
        seen.append(one.v_[:])
        del one
    np.testing.assert_array_equal(*seen)


# --- names from outside ---


def test_a_namespace_of_its_own_comes_first():
    level, elsewhere = 7 * mV, 3 * mV  # noqa: F841
    group = Plain(namespace={"level": 2 * mV})
    group.v = "level*2"
    assert group.v[0] == 4 * mV
    group.v = "elsewhere"
    assert group.v[0] == 3 * mV
    with pytest.raises(EquationError, match="nowhere"):
        group.v = "nowhere"


def test_before_run_checks_all_lines():
    group = Plain(text="v : volt\nw = v*k : volt")
    group.before_run({"k": 3.0})
    with pytest.raises(EquationError, match="'k'"):
        group.before_run({})
    with pytest.raises(EquationError, match="volt"):
        group.before_run({"k": 3 * second})


def test_state_is_kept_and_put_back(group):
    group.v = "i*mV"
    group.on = "i > 3"
    kept = group.state()
    group.v = 9 * mV
    group.on = False
    group.set_state(kept)
    np.testing.assert_allclose(group.v / mV, np.arange(7), rtol=1e-14)
    assert group.on[:].sum() == 3


def test_probes_compute_what_is_recorded(group):
    """Subexpressions and integers become floats beside the step; floats are read where they are."""
    scale = 2.0
    group.v = "i*mV"
    group.n = "i + 1"
    group.before_run({"scale": scale})
    operations, found = group.probe(["v", "half", "n", "decay"], "reader", (group.clock, "start", 0))
    assert found["v"] is group.variables["v"]
    seen = {}

    class Reader(Plain):
        def operations(self, model):
            yield from operations
            yield Call(name="zz", clock=group.clock, when="start", order=1,
                       function=lambda t: seen.update({n: v.get() for n, v in found.items()}))  # fmt: skip

    reader = Reader(text="q : 1", clock=group.clock)
    Network(group, reader).run(0.1 * ms)
    np.testing.assert_allclose(seen["half"], np.arange(7) * 5e-4, rtol=1e-14)
    np.testing.assert_allclose(seen["n"], np.arange(7) + 1.0)
    np.testing.assert_allclose(seen["decay"], 2 * np.exp(-np.arange(7) / 5), rtol=1e-13)


def test_record_weights_follow_storage(group):
    storage, weights, borders, picked = group.record_weights("v", [6, 2])
    np.testing.assert_array_equal(picked, [6, 2])
    np.testing.assert_array_equal(storage, group.domain.layout.index(np.array([6, 2])))
    assert weights.tolist() == [1, 1] and borders.tolist() == [0, 1, 2]
    assert len(group.record_weights("v", True)[0]) == 7
    assert group.record_weights("tau", [0, 1])[0].tolist() == [0, 0]
    assert group.describe_element(3).startswith("element 3")


def test_numbers_of_elements():
    group = Plain(n=5)
    group.v = "i*mV"
    assert group.indices["v > 2.5*mV"].tolist() == [3, 4]
    assert group.indices[1:3].tolist() == group.indices[[1, 2]].tolist() == [1, 2]
    assert group.name in repr(group.indices)
