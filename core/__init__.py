"""rall: neurons from equations with units and real morphologies, in generated C.

``from rall import *`` brings units, the objects that models are made of, `run`, and the names of NumPy and
Matplotlib; ``from rall.only import *`` leaves the latter out.  What a name needs is imported when it is first
used; names that are not built in are looked up among the installed plugins.
"""

# ruff: noqa: F403

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rall.front_door import find_name, public_names

__version__ = "0.1.0"

if TYPE_CHECKING:
    # rall's own names win, here as in find_name: mypy keeps the first of two, pyright the last.
    from rall.only import *  # isort: skip
    import matplotlib.pyplot  # isort: skip
    import numpy  # isort: skip
    from matplotlib.pylab import *  # type: ignore # isort: skip
    from numpy import *  # type: ignore # isort: skip
    from rall.only import *  # isort: skip

    np, plt = numpy, matplotlib.pyplot


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return public_names(arrays=True)
    try:
        found = find_name(name, arrays=True)
    except AttributeError as problem:
        # Python hides this message in 'from rall import NAME', where it is wanted most.
        asking = sys._getframe(1).f_code
        if asking.co_name == "_handle_fromlist" and not name.startswith("_"):
            raise ImportError(str(problem), name="rall") from problem
        raise
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *public_names(arrays=True)]
