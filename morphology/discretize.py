"""How many compartments each section gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rall.errors import DimensionMismatchError, MorphologyError
from rall.morphology.geometry import Floats, Ints, cut, electrotonic_lengths
from rall.morphology.lengths import micrometres
from rall.morphology.node import Node
from rall.morphology.regions import section_names
from rall.morphology.tree import Tree
from rall.units import Quantity, dimension_of, farad, hertz, metre, ohm, value_of

__all__ = ["Choice", "counts", "cut_sections"]

_SLACK = 1e-9  # so that 100 um in pieces of 10 um are ten, whatever rounding says
_MOST = 10_000_000


@dataclass(frozen=True)
class Choice:
    """What a user asked `discretize` for; exactly one of `max_length`, `n` and `d_lambda` is given.

    Parameters
    ----------
    max_length : Quantity, optional
        Longest compartment.
    n : int, mapping or callable, optional
        Compartments of each section.
    d_lambda : float, optional
        Longest compartment in AC length constants.
    Ri, Cm, frequency : Quantity, optional
        For the length constant.
    """

    max_length: Quantity | None
    n: int | Mapping[str, int] | Callable[[Any], int] | None
    d_lambda: float | None
    Ri: Quantity | None
    Cm: Quantity | None
    frequency: Quantity | None


def cut_sections(nodes: Sequence[Node], tree: Tree, choice: Choice) -> None:
    """Cut sections anew.

    Parameters
    ----------
    nodes : sequence of Node
        The sections, in the order of the tree; they are changed.
    tree : Tree
        Their flattened form.
    choice : Choice
        Into what.
    """
    for node, n in zip(nodes, counts(nodes, tree, choice).tolist()):
        node.__dict__.update(_path=cut(node._path, n), _flat=None)


def counts(nodes: Sequence[Node], tree: Tree, choice: Choice) -> Ints:
    """Number of compartments of each section.

    Parameters
    ----------
    nodes : sequence of Node
        The sections.
    tree : Tree
        Their flattened form.
    choice : Choice
        The rule.

    Returns
    -------
    array of int, shape (sections,)
        At least 1 each.
    """
    given = [k for k in ("max_length", "n", "d_lambda") if getattr(choice, k) is not None]
    if len(given) != 1:
        raise MorphologyError(
            "discretize needs exactly one of max_length=, n= and d_lambda=, not "
            + (" and ".join(given) if given else "none"),
            "BadDiscretization",
        )
    if choice.max_length is not None:
        longest = micrometres(choice.max_length, "max_length")
        pieces = _ratio(tree.sections.length, longest, "max_length")
    elif choice.d_lambda is not None:
        pieces = _ratio(electrotonic_lengths(tree.paths), choice.d_lambda * _constant(choice), "d_lambda")
    else:
        pieces = np.array(_numbers(nodes, tree, choice.n), float)
    number = np.maximum(1, np.ceil(pieces - _SLACK))
    if number.sum() > _MOST:
        raise MorphologyError(f"that would be {number.sum():.3g} compartments", "BadDiscretization")
    return number.astype(np.int64)


def _ratio(lengths: Floats, longest: float, name: str) -> Floats:
    if not longest > 0:
        raise MorphologyError(f"{name} must be positive", "BadDiscretization")
    return lengths / longest


def _constant(choice: Choice) -> float:
    """The AC length constant of a cable of 1 um diameter is this times sqrt(1 um), in sqrt(um)."""
    frequency = 100 * hertz if choice.frequency is None else choice.frequency
    given = {
        "Ri": (choice.Ri, ohm * metre),
        "Cm": (choice.Cm, farad / metre**2),
        "frequency": (frequency, hertz),
    }
    values = {}
    for name, (value, unit) in given.items():
        if value is None:
            raise MorphologyError(f"d_lambda= also needs {name}=", "BadDiscretization")
        if dimension_of(value) is not dimension_of(unit):
            raise DimensionMismatchError(
                f"{name} must have the dimension {dimension_of(unit)}, not {value!r}"
            )
        values[name] = float(value_of(value))
        if not values[name] > 0:
            raise MorphologyError(f"{name} must be positive, not {value!r}", "BadDiscretization")
    metres = 1.0 / (4 * np.pi * values["frequency"] * values["Ri"] * values["Cm"])
    return float(np.sqrt(metres * 1e6))


def _numbers(nodes: Sequence[Node], tree: Tree, n: Any) -> list[int]:
    if isinstance(n, Mapping):
        names = section_names(tree)
        known = {name for one in names for name in one}
        unknown = [key for key in n if key not in known]
        if unknown:
            raise MorphologyError(
                f"n= names {unknown[0]!r}, but the regions here are {', '.join(sorted(known))}",
                "UnknownRegion",
            )
        numbers = [next((n[name] for name in one if name in n), 1) for one in names]
    elif callable(n):
        numbers = [n(node) for node in nodes]
    else:
        numbers = [n] * len(nodes)
    for number in numbers:
        if int(number) != number or number < 1:
            raise MorphologyError(f"a section cannot have {number!r} compartments", "BadDiscretization")
    return [int(number) for number in numbers]
