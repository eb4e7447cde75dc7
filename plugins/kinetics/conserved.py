"""What reactions leave as it is."""

from __future__ import annotations

from rall.equations import Equations
from rall.integrators.conservation import laws

__all__ = ["conserved"]


def conserved(equations: Equations | str) -> tuple[dict[str, int], ...]:
    """The sums of species that no reaction changes.

    Parameters
    ----------
    equations : Equations or str
        With reactions; differential equations count too.

    Returns
    -------
    tuple of dict of str to int
        For each law the species and how often each counts; the laws are independent.  Empty if there are none.

    Examples
    --------
    >>> conserved('''A + B <-> C : k, l
    ... A : mM (species)
    ... B : mM (species)
    ... C : mM (species)''')
    ({'A': 1, 'C': 1}, {'B': 1, 'C': 1})
    """
    known = equations if isinstance(equations, Equations) else Equations(equations)
    return laws(dict(known.expanded().substituted()))
