"""NumPy's and Matplotlib's names, which Brian's star import brings along: each imported at its first use.

A name of Matplotlib is a stand-in until then, so that a script without plots never loads it, and one with
plots says what to install where it is missing.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from rall.errors import NotSupportedError
from rall.units import Quantity, value_of

__all__ = ["Later", "find_name", "names", "teach_matplotlib"]

#: The later ones win: numpy's own outer, cross, trace and power are more general than their namesakes.
_NUMPY = ("numpy.fft", "numpy.linalg", "numpy.random", "numpy")
#: Functions that win over the modules of numpy with their name, as in pylab.
_FUNCTIONS = {"fft": "numpy.fft", "random": "numpy.random"}
#: Python's own stay what they are, as in pylab; the rest is not for scripts.
_LEFT_OUT = frozenset(
    "abs bool bytes max min pow round test typing testing core lib f2py char rec strings exceptions "
    "dtypes ctypeslib emath long ulong show_config show_runtime get_include setbufsize getbufsize".split()
)
_MODULES = {"mpl": "matplotlib", "matplotlib": "matplotlib", "plt": "matplotlib.pyplot"}
#: What newer versions of NumPy have under another name only.
_RENAMED = {"trapz": "trapezoid", "in1d": "isin"}
_PYLAB = (
    "Annotation Arrow Artist AutoLocator Axes Button Circle Colormap DateFormatter DateLocator DayLocator "
    "Figure FigureBase FigureCanvasBase FigureManagerBase FixedFormatter FixedLocator FormatStrFormatter "
    "Formatter FuncFormatter GridSpec HourLocator IndexLocator Line2D LinearLocator Locator LogFormatter "
    "LogFormatterExponent LogFormatterMathtext LogLocator MaxNLocator MinuteLocator MonthLocator MouseButton "
    "MultipleLocator Normalize NullFormatter NullLocator PolarAxes Polygon Rectangle ScalarFormatter "
    "SecondLocator Slider Subplot SubplotSpec Text WeekdayLocator Widget YearLocator acorr angle_spectrum "
    "annotate arrow autoscale autumn axes axhline axhspan axis axline axvline axvspan bar bar_label barbs "
    "barh bone box boxplot broken_barh cbook cla clabel clf clim close cohere color_sequences colorbar "
    "colormaps connect contour contourf cool copper csd cycler date2num datestr2num delaxes detrend "
    "detrend_linear detrend_mean detrend_none disconnect drange draw draw_if_interactive ecdf errorbar "
    "eventplot figaspect figimage figlegend fignum_exists figtext figure fill fill_between fill_betweenx "
    "findobj flag flatten gca gcf gci get get_backend get_cmap get_current_fig_manager get_figlabels "
    "get_fignums get_plot_commands get_scale_names getp ginput gray grid grouped_bar hexbin hist hist2d "
    "hlines hot hsv imread imsave imshow inferno install_repl_displayhook interactive ioff ion isinteractive "
    "jet legend locator_params loglog magma magnitude_spectrum margins matshow minorticks_off minorticks_on "
    "mlab new_figure_manager nipy_spectral num2date pause pcolor pcolormesh phase_spectrum pie pie_label pink "
    "plasma plot polar prism psd quiver quiverkey rc rcParams rcParamsDefault rc_context rcdefaults rgrids "
    "savefig sca scatter sci semilogx semilogy set_cmap set_loglevel setp show silent_list specgram spring "
    "spy stackplot stairs stem step streamplot style subplot subplot2grid subplot_mosaic subplot_tool "
    "subplots subplots_adjust summer suptitle switch_backend table text thetagrids tick_params "
    "ticklabel_format tight_layout title tricontour tricontourf tripcolor triplot twinx twiny "
    "uninstall_repl_displayhook violinplot viridis vlines waitforbuttonpress window_hanning window_none "
    "winter xcorr xkcd xlabel xlim xscale xticks ylabel ylim yscale yticks "
)


@lru_cache(maxsize=1)
def _numpy_names() -> dict[str, str]:
    """Names of NumPy with the module that has them."""
    found = {name: module for module in _NUMPY for name in import_module(module).__all__}
    found.update(_FUNCTIONS)
    return {name: module for name, module in found.items() if name not in _LEFT_OUT and name[0] != "_"}


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """All names of NumPy and of Matplotlib's pylab that the front door has."""
    return frozenset(("np", "numpy", *_numpy_names(), *_RENAMED, *_MODULES, *_PYLAB.split()))


def find_name(name: str) -> object:
    """What stands behind a name.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    object
        NumPy's own, or a stand-in for Matplotlib's.
    """
    if name in ("np", "numpy"):
        return np
    if name == "sum":
        return _sum
    module = _numpy_names().get(name)
    if module is not None:
        return getattr(import_module(module), name)
    if name in _RENAMED:
        return getattr(np, _RENAMED[name])
    return Later(name)


class Later:
    """Stands for a name of Matplotlib and passes everything on to it.

    Parameters
    ----------
    name : str
        As pylab has it.

    Raises
    ------
    NotSupportedError
        At its first use, if Matplotlib is not installed.
    """

    __slots__ = ("__weakref__", "_name")

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call it."""
        return _real(self)(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        # Whoever looks through a namespace asks for such names, which is no reason to load Matplotlib.
        if name.startswith("__") or name.startswith("_repr_"):
            raise AttributeError(name)
        return getattr(_real(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(_real(self), name, value)

    def __getitem__(self, key: Any) -> Any:
        return _real(self)[key]

    def __setitem__(self, key: Any, value: object) -> None:
        _real(self)[key] = value

    def __contains__(self, key: object) -> bool:
        return key in _real(self)

    def __iter__(self) -> Iterator[Any]:
        return iter(_real(self))

    def __instancecheck__(self, one: object) -> bool:
        return isinstance(one, _real(self))

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[Any, ...]:
        return (_real(self),)

    def __dir__(self) -> list[str]:
        return dir(_real(self))

    def __repr__(self) -> str:
        return f"<{object.__getattribute__(self, '_name')} of Matplotlib, imported when it is used>"


def _real(stand_in: Later) -> Any:
    name: str = object.__getattribute__(stand_in, "_name")
    try:
        module = import_module(_MODULES.get(name, "matplotlib.pylab"))
    except ImportError as problem:
        raise NotSupportedError(f"{name} needs Matplotlib: pip install 'rall[view]'") from problem
    teach_matplotlib()
    if name in _MODULES:
        return module
    if not hasattr(module, name):
        version = import_module("matplotlib").__version__
        raise NotSupportedError(f"Matplotlib {version} has no '{name}': other versions have it")
    return getattr(module, name)


def teach_matplotlib() -> None:
    """Let axes take quantities, as plain numbers in SI base units, if Matplotlib is loaded.

    Plots of arrays need no teaching; lines at a level, ticks and limits do.
    """
    known = sys.modules.get("matplotlib.units")
    if known is None or Quantity in known.registry:
        return

    def convert(value: Any, unit: object, axis: object) -> Any:
        return np.asarray(value, float) if np.ndim(value) else value_of(value)

    converter = type("QuantityConverter", (known.ConversionInterface,), {"convert": staticmethod(convert)})
    known.registry[Quantity] = converter()


def _sum(a: Any, *args: Any, **keywords: Any) -> Any:
    """`numpy.sum`, and Python's of a generator, which NumPy refuses."""
    return (builtins.sum if isinstance(a, Iterator) else np.sum)(a, *args, **keywords)


teach_matplotlib()  # where a script imports Matplotlib first
