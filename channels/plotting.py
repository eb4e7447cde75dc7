"""Pictures of gates: steady states and time constants over voltage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rall.channels.gating import Channel, equations_of, gates
from rall.errors import NotSupportedError, RallError
from rall.units import Quantity, ms, mV, value_of, volt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot"]

_RANGE = Quantity(np.linspace(-0.12, 0.06, 361), volt.dim)
_COLOURS = 10  # of Matplotlib's cycle; what follows is dashed


def plot(
    channel: Channel,
    v: Quantity | None = None,
    T: Quantity | None = None,
    ax: Sequence[Axes] | None = None,
    **values: Quantity | float,
) -> tuple[Axes, Axes]:
    """Draw steady states and time constants of all gates.

    Parameters
    ----------
    channel : Equations, str or callable
        Of the library, of a mod file, or the user's own; a function stands for what it returns.
    v : Quantity, shape (n,), optional
        Voltages; by default -120 mV to 60 mV.
    T : Quantity, optional
        Absolute temperature, where it is another than the channel's.
    ax : two matplotlib Axes, optional
        Where: steady states, and time constants.  By default a new figure.
    **values : Quantity or number
        Of other parameters and of concentrations, see `gates`.

    Returns
    -------
    tuple of matplotlib Axes
        Both; ``axes[0].figure.savefig(...)`` writes the picture.

    Raises
    ------
    NotSupportedError
        If Matplotlib is missing.
    RallError
        If the channel has no gates, a value is missing, or `ax` is not a pair.

    Examples
    --------
    ::

        channels.plot(channels.hh.Na, T=18.5*kelvin + zero_celsius)
    """
    voltages = _RANGE if v is None else v
    given: dict[str, Any] = {} if T is None else {"T": T}
    equations = equations_of(channel)
    found = gates(equations, voltages, **given, **values)
    if not found:
        raise RallError(f"nothing to draw: no gates in these equations, which define {', '.join(equations)}")
    steady_axes, tau_axes = _new_axes() if ax is None else _pair(ax)
    x = np.asarray(value_of(voltages)) / float(mV)
    for k, (name, gate) in enumerate(found.items()):
        style: dict[str, Any] = {"label": name, "linewidth": 1.2, "linestyle": "-" if k < _COLOURS else "--"}
        steady_axes.plot(x, gate.steady, **style)
        # A gate that follows at once keeps its colour in both, and has nothing to show here.
        times = np.asarray(value_of(gate.tau)) / float(ms)
        tau_axes.plot(x, np.where(times > 0.0, times, np.nan), **style)
    steady_axes.set_ylabel("steady state")
    tau_axes.set_ylabel("time constant (ms)")
    for axes in (steady_axes, tau_axes):
        axes.set_xlabel("v (mV)")
        axes.margins(x=0)
        axes.spines[["top", "right"]].set_visible(False)
    steady_axes.legend(frameon=False)
    return steady_axes, tau_axes


def _pair(ax: Sequence[Axes]) -> tuple[Axes, Axes]:
    try:
        first, second = ax
    except (TypeError, ValueError):
        raise RallError("ax takes two axes, as from plt.subplots(1, 2): for steady states and time constants") from None
    return first, second


def _new_axes() -> tuple[Axes, Axes]:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise NotSupportedError("Matplotlib is not installed (pip install 'rall[view]')") from error
    _, axes = pyplot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    return axes[0], axes[1]
