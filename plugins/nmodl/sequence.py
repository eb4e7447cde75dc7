"""Definitions as statements in order, such as `Synapses` executes at an event.

All definitions speak of the values that variables had before the event.  Statements change variables one after the
other, so that a value which is needed later is put aside before it is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

from rall.plugins.nmodl.algebra import names, replaced, size, walk
from rall.plugins.nmodl.flow import Definitions
from rall.plugins.nmodl.syntax import Binary, Conditional, Expression, Name

__all__ = ["Sequence"]

_SHORT = 3  # parts of a value that is never worth a line of its own
_OLD, _NEW = " before", " after"


class Sequence:
    """The statements of one pathway.

    Parameters
    ----------
    definitions : Definitions
        Of the pathway.
    values : mapping of str to Expression
        Variables, and what they are after the event.
    draws : collection of str
        Keys of definitions that are random numbers, which are drawn once.

    Attributes
    ----------
    variables : tuple of str
        What changes.
    """

    def __init__(self, definitions: Definitions, values: Mapping[str, Expression], draws: Collection[str] = ()) -> None:
        self._definitions, self._values, self._draws = definitions, values, draws
        self.variables = tuple(values)
        self._uses: Counter[str] = Counter()
        self._final = {
            value.name: variable for variable, value in values.items()
            if isinstance(value, Name) and value.name in definitions
        }  # fmt: skip
        for value in values.values():
            self._count(value)

    def _count(self, node: Expression) -> None:
        for part in walk(node):
            if isinstance(part, Name) and part.name in self._definitions:
                self._uses[part.name] += 1
                if self._uses[part.name] == 1:
                    self._count(self._definitions[part.name].expression)

    def leaves(self) -> set[str]:
        """Names that the values depend on and the pathway does not define."""
        return {name for variable in self._values for name in self.needs(variable)}

    def needs(self, variable: str) -> set[str]:
        """Such names of one variable.

        Parameters
        ----------
        variable : str
            One that the pathway changes.
        """
        found, done = set[str](), set[str]()
        waiting = [self._values[variable]]
        while waiting:
            for name in names(waiting.pop()):
                if name not in self._definitions:
                    found.add(name)
                elif name not in done:
                    done.add(name)
                    waiting.append(self._definitions[name].expression)
        return found

    def keeps_time(self, variable: str) -> bool:
        """Whether a variable is set to a moment, ``t`` or ``t + wait``.

        Parameters
        ----------
        variable : str
            One that the pathway changes.
        """
        return self._is_moment(self._values[variable])

    def _is_moment(self, node: Expression) -> bool:
        if isinstance(node, Name):
            found = self._definitions.get(node.name)
            return node.name == "t" if found is None else self._is_moment(found.expression)
        if isinstance(node, Conditional):
            return self._is_moment(node.yes) or self._is_moment(node.no)
        return isinstance(node, Binary) and node.operator == "+" and any(map(self._is_moment, (node.left, node.right)))

    def statements(
        self,
        shown: Callable[[str], str],
        leaf: Callable[[str], Expression],
        behind: Callable[[str], Collection[str]],
        fresh: Callable[[str], str],
    ) -> Iterator[tuple[str, Expression]]:
        """Targets and expressions in order.

        Parameters
        ----------
        shown : callable
            From a variable that the pathway changes to its name in equations.
        leaf : callable
            From a name that the pathway does not define to what stands for it.
        behind : callable
            From such a name to the variables that it is computed from, itself among them.
        fresh : callable
            From a variable to a name that nothing has.
        """
        order = list(self._in_order(fresh))
        last_read: dict[str, int] = {}
        for k, (_, _, expression) in enumerate(order):
            for name in names(expression):
                if name.endswith(_OLD):
                    last_read[name.removesuffix(_OLD)] = k
        saved: dict[str, Expression] = {}

        def written(name: str) -> Expression | None:
            if name.endswith(_NEW):
                return Name(shown(name.removesuffix(_NEW)))
            if not name.endswith(_OLD):
                return None
            plain = name.removesuffix(_OLD)
            return saved.get(plain) or leaf(plain)

        for k, (variable, temporary, expression) in enumerate(order):
            final = replaced(expression, written)
            if variable:
                for name, last in last_read.items():
                    if last > k and name not in saved and variable in behind(name):
                        place = fresh(f"{name.partition('#')[0]}_before")
                        yield place, leaf(name)
                        saved[name] = Name(place)
            yield (shown(variable) if variable else temporary), final

    def _in_order(self, fresh: Callable[[str], str]) -> Iterator[tuple[str, str, Expression]]:
        """Variable, or name of what is none, and expression; what is read as it was before is marked."""
        keys = sorted((key for key in self._uses if self._named(key)), key=lambda key: self._definitions[key].number)
        temporary = {key: fresh(self._definitions[key].variable) for key in keys if key not in self._final}
        done: dict[str, Expression] = {}

        def lookup(name: str) -> Expression:
            if name not in self._definitions:
                return Name(name + _OLD)
            if name not in done:
                done[name] = replaced(self._definitions[name].expression, lookup)
            return done[name]

        for key in keys:
            expression = replaced(self._definitions[key].expression, lookup)
            done[key] = Name(temporary[key]) if key in temporary else Name(self._final[key] + _NEW)
            yield self._final.get(key, ""), temporary.get(key, ""), expression
        for variable, value in self._values.items():
            if not (isinstance(value, Name) and self._final.get(value.name) == variable):
                yield variable, "", replaced(value, lookup)

    def _named(self, key: str) -> bool:
        if key in self._final or key in self._draws:
            return True
        return self._uses[key] > 1 and size(self._definitions[key].expression, _SHORT) > _SHORT
