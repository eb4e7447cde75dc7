"""What all channels have in common: names that carry the channel's name, defaults, and the paper."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rall.equations import Equations
from rall.errors import RallError
from rall.units import Quantity

__all__ = ["channel"]


def channel(
    text: str, own: str, name: str, defaults: Mapping[str, Quantity | float | str], source: str
) -> Equations:
    """Equations of a channel.

    Parameters
    ----------
    text : str
        The lines; every name of the channel ends in ``_X``.
    own : str
        The channel's usual name.
    name : str
        The name that replaces X.
    defaults : mapping of str to Quantity or str
        Values of parameters, by their names without the ending; what channels share (``T``, ``E_Na``) has none.
    source : str
        The paper.

    Raises
    ------
    RallError
        If `name` cannot be part of a variable's name.
    """
    if not re.fullmatch(r"[A-Za-z0-9]\w*", name):
        raise RallError(f"the name of a channel is letters and digits, and {name!r} is not (usual name: '{own}')")
    lines = re.sub(r"_X\b", f"_{name}", text)
    own_names = set(re.findall(r"\b(\w+)_X\b", text))
    values = {f"{key}_{name}" if key in own_names else key: value for key, value in defaults.items()}
    return Equations(lines, defaults=values, sources=(source,))
