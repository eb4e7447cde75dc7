"""Where the user is: the nearest frame of the stack that is not rall's own."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

from rall.errors import RallWarning

__all__ = ["caller_frame", "caller_namespace", "caller_place", "warn"]

#: In Python 3.11 these have frames of their own, which see nothing of the function around them.
_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>")


def caller_frame() -> FrameType | None:
    """The nearest frame outside rall; None when rall is all there is on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_own(frame):
        frame = frame.f_back
    return frame


def _is_own(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    # A doctest has the name of the module that it is written in, and yet is a user.
    own = module == "rall" or module.startswith("rall.")
    return own and not frame.f_code.co_filename.startswith("<doctest")


def caller_namespace() -> dict[str, object]:
    """The names that the user sees where rall was called.

    Returns
    -------
    dict of str to object
        Globals, overlaid by the locals of the function (and of comprehensions inside it).
    """
    frame = caller_frame()
    if frame is None:
        return {}
    inner = []
    while frame.f_code.co_name in _COMPREHENSIONS and frame.f_back is not None:
        inner.append(frame.f_locals)
        frame = frame.f_back
    found = {**frame.f_globals, **frame.f_locals}
    for more in reversed(inner):
        found.update(more)
    return found


def caller_place() -> str:
    """``file:line`` of the user's present statement, for messages; ``'?'`` when there is none."""
    frame = caller_frame()
    return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def warn(message: str, category: type[Warning] = RallWarning) -> None:
    """Warn, as from the user's present statement: however deep in rall the reason is found, that is what is shown.

    Parameters
    ----------
    message : str
        What is odd and what would do.
    category : type of Warning
        Its class.
    """
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and _is_own(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
