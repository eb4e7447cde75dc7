"""Which definitions become lines of their own, and which are written out where they are used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from rall.plugins.nmodl.algebra import replaced, size, walk
from rall.plugins.nmodl.passes import Passes
from rall.plugins.nmodl.syntax import Expression, Name

__all__ = ["NameTable", "Weave"]

_SHORT = 3  # parts of a value that is never worth a line of its own


class NameTable:
    """rall's names for a mechanism's own variables: ``m`` of Ih is ``m_Ih``, ``x[2]`` is ``x_2_Ih``.

    Parameters
    ----------
    suffix : str
        What names end in.
    """

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self._taken: set[str] = set()
        self._others: set[str] = set()
        self._given: dict[str, str] = {}

    def own(self, variable: str) -> str:
        """The name of a variable of the file; the same each time."""
        if variable not in self._given:
            self._given[variable] = self.fresh(variable)
        return self._given[variable]

    def call(self, variable: str, like: str) -> None:
        """Give a variable the name that another one would have."""
        self._given[variable] = self.fresh(like)

    def fresh(self, variable: str) -> str:
        """A name that nothing has yet, made of a variable's."""
        base = re.sub(r"\W+", "_", variable.rstrip("]"))
        base = "x" + base if base.startswith("xi") or base.startswith("_") else base
        name, k = f"{base}_{self.suffix}", 2
        while self.has(name):
            name, k = f"{base}{k}_{self.suffix}", k + 1
        self._taken.add(name)
        return name

    def take(self, name: str) -> None:
        """Make a whole name one of the mechanism's."""
        self._taken.add(name)

    def leave(self, name: str) -> None:
        """Keep a whole name for something else."""
        self._others.add(name)

    def has(self, name: str) -> bool:
        """Whether a name stands for something."""
        return name in self._taken or name in self._others

    @property
    def taken(self) -> frozenset[str]:
        """The names that the mechanism has."""
        return frozenset(self._taken)


class Weave:
    """Definitions on their way to lines.

    Parameters
    ----------
    passes : Passes
        The file, followed.
    names : NameTable
        Gives names.
    leaf : callable
        From a name that nothing defines to what stands for it in equations.
    aliases : mapping of str to Expression
        Variables and keys that something else stands for.
    """

    def __init__(
        self,
        passes: Passes,
        names: NameTable,
        leaf: Callable[[str], Expression],
        aliases: Mapping[str, Expression],
    ) -> None:
        self._definitions, self._final, self._refuse = passes.definitions, passes.final, passes.refuse
        self._ions = passes.ions
        self._names, self._leaf, self._aliases = names, leaf, aliases
        self._uses: Counter[str] = Counter()
        self._active: set[str] = set()
        self._shown: dict[str, str] = {}
        self._written: dict[str, Expression] = {}

    def uses(self, variable: str) -> int:
        """How often a variable of the file is used."""
        return self._uses[self._final[variable]]

    def count(self, roots: Iterable[Expression]) -> None:
        """Find out what the roots use, and how often; refuse what uses itself."""
        for root in roots:
            self._count(root)

    def _count(self, node: Expression) -> None:
        for part in walk(node):
            if not isinstance(part, Name):
                continue
            key = self._key(part.name)
            if key is None:
                continue
            self._uses[key] += 1
            if key in self._active:
                variable = self._definitions[key].variable
                raise self._refuse(
                    part.at,
                    f"'{variable}' depends on its own value of the step before",
                    "only states of DERIVATIVE and KINETIC blocks may",
                )
            if self._uses[key] == 1:
                self._active.add(key)
                self._count(self._definitions[key].expression)
                self._active.discard(key)

    def _key(self, name: str) -> str | None:
        if name in self._aliases:
            return None
        return name if name in self._definitions else self._final.get(name)

    def lines(self) -> list[tuple[str, str, Expression]]:
        """Name, the file's variable, and expression of all definitions that have lines; in the file's order."""
        keys = sorted(self._uses, key=lambda key: self._definitions[key].number)
        named = [key for key in keys if self._named(key)]
        for key in named:
            variable = self._definitions[key].variable
            last = self._final.get(variable) == key
            self._shown[key] = self._final_name(variable) if last else ""
        for key in named:
            self._shown[key] = self._shown[key] or self._names.fresh(self._definitions[key].variable)
        return [
            (self._shown[key], self._definitions[key].variable, self.write(self._definitions[key].expression))
            for key in named
        ]

    def _final_name(self, variable: str) -> str:
        ion = self._ions.get(variable)
        return ion.shown if ion is not None and ion.written else self._names.own(variable)

    def _named(self, key: str) -> bool:
        known = self._definitions[key]
        if self._final.get(known.variable) == key:
            return True
        return self._uses[key] > 1 and size(known.expression, _SHORT) > _SHORT

    def write(self, node: Expression) -> Expression:
        """An expression in rall's names; to be called after `lines`."""
        return replaced(node, self._lookup)

    def leaf(self, name: str) -> Expression:
        """What a variable or definition is in rall's names; to be called after `lines`."""
        return self._lookup(name)

    def _lookup(self, name: str) -> Expression:
        if name in self._aliases:
            return self._aliases[name]
        key = self._key(name)
        if key is None:
            return self._leaf(name)
        if key in self._shown:
            return Name(self._shown[key])
        if key not in self._written:
            self._written[key] = self.write(self._definitions[key].expression)
        return self._written[key]

    def leaves(self, variable: str) -> set[str]:
        """All names without definition that a variable depends on, and its own if it depends on itself."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [self._final[variable]]
        while waiting:
            key = waiting.pop()
            for part in walk(self._definitions[key].expression):
                if isinstance(part, Name):
                    inner = self._key(part.name)
                    if inner is None or inner == self._final[variable]:
                        found.add(part.name if inner is None else variable)
                    elif inner not in seen:
                        seen.add(inner)
                        waiting.append(inner)
        return found
