"""Labels of morphologies as truth values of compartments, for equations and conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rall.errors import EquationError
from rall.model import Variable
from rall.morphology.regions import region_arrays
from rall.plugins.cable.places import in_cells

if TYPE_CHECKING:
    from rall.plugins.cable.cells import Cells

__all__ = ["Labels"]

Mask = NDArray[np.bool_]


class Labels:
    """Labels of all morphologies of some cells; where a morphology lacks one, it is empty.

    Parameters
    ----------
    cells : Cells
        Whose compartments.
    evaluate : callable
        From a text to its values, one for each compartment, without a look at labels.
    """

    def __init__(self, cells: Cells, evaluate: Callable[[str], Any]) -> None:
        self.cells, self._evaluate = cells, evaluate
        self._fixed = frozenset(cells.variables)
        self._learnt: dict[str, tuple[Any, ...]] = {}

    @property
    def names(self) -> set[str]:
        """All labels."""
        return {name for morphology in self.cells.cable.morphologies for name in morphology.labels}

    def _conditions(self, name: str) -> tuple[Any, ...]:
        """What a label stands for in each morphology, None where it is missing."""
        return tuple(morphology.labels.get(name) for morphology in self.cells.cable.morphologies)

    def learn(self, names: Iterable[str], inside: tuple[str, ...] = ()) -> None:
        """Make variables of labels, so that equations and conditions can name them.

        Parameters
        ----------
        names : iterable of str
            Names that are used; those that are no labels are left alone.
        inside : tuple of str
            The labels whose conditions use them.

        Raises
        ------
        EquationError
            If a label cannot be understood.
        """
        cells = self.cells
        for name in sorted(self.names & set(names)):
            conditions, before = self._conditions(name), self._learnt.get(name, ())
            same = len(before) == len(conditions) and all(a is b for a, b in zip(before, conditions))
            if name in self._fixed or same:
                continue
            if name in inside:
                raise EquationError(f"the label '{name}' is defined by itself: {' -> '.join([*inside, name])}")
            used = frozenset().union(*(cells.identifiers(c) for c in conditions if isinstance(c, str)))
            self.learn(used, (*inside, name))
            if used & (cells.known_names() - self._fixed - self._learnt.keys()):
                continue  # What changes is looked at anew whenever the label is used.
            values = self._values(name, conditions)
            if name not in self._learnt:
                cells.variables[name] = Variable(name, cells.domain, kind="boolean", role="constant")
            cells.variables[name].set(values)
            self._learnt[name] = conditions

    def mask(self, condition: str) -> Mask:
        """Where a condition, or the one that a label stands for, holds now; shape (compartments,)."""
        if condition not in self.names or condition in self._fixed:
            return np.asarray(self.cells.evaluate(condition), bool)
        self.learn([condition])
        if condition in self._learnt:
            return self.cells.variables[condition].get()
        return self._values(condition, self._conditions(condition))

    def _values(self, name: str, conditions: tuple[Any, ...]) -> Mask:
        """The truth values of a label, by what it stands for in each shape."""
        cable = self.cells.cable
        found = np.zeros(cable.n, bool)
        local = {}
        for text in dict.fromkeys(c for c in conditions if isinstance(c, str)):
            values = self._values_of(name, text)
            whole = {k: np.arange(cable.shapes[k].n) for k, c in enumerate(conditions) if c == text}
            here = in_cells(cable, whole)
            found[here] = values[here]
        for k, condition in enumerate(conditions):
            if condition is not None and not isinstance(condition, str):
                local[k] = np.flatnonzero(region_arrays(cable.shapes[k].tree, {name: condition})[name])
        found[in_cells(cable, local)] = True
        return found

    def _values_of(self, name: str, condition: str) -> Mask:
        try:
            values = np.asarray(self._evaluate(condition))
        except EquationError as problem:
            raise EquationError(f"in the label '{name}': {problem}") from problem
        if values.dtype != bool:
            raise EquationError(f"the label '{name}' must stand for a condition, and '{condition}' is a value")
        return values
