"""Which pairs of elements a call of `connect` joins, found in pieces of limited length.

Nothing here knows of groups or variables: a `Scope` gives values to the user's expressions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rall.errors import IndexOutOfRangeError
from rall.plugins.synapses.generator import Expression, Generator, Index, Sample
from rall.plugins.synapses.request import Request
from rall.plugins.synapses.sampling import ACCEPT, CHUNK, Floats, Gaps, Longs, Rows, distinct, locate, spans

__all__ = ["Pairs", "Scope", "Use", "pairs"]

Indices: TypeAlias = NDArray[np.int32]
_Mask: TypeAlias = NDArray[np.bool_]
_SIDES: Final[dict[Index, str]] = {"i": "source", "j": "target"}
_LARGEST = 2.0**62
#: Room for pairs that is taken where their number is unknown; what is not used is never touched.
_ROOM = 1 << 24


class Use(NamedTuple):
    """What the value of an expression depends on.

    Attributes
    ----------
    names : frozenset of str
        Which of ``i``, ``j`` and the iteration variable, also by way of variables: ``x_post`` needs ``j``.
    indexed : frozenset of str
        Which of ``i`` and ``j`` are element numbers at which variables are read, so that they must be in range.
    draws : bool
        Whether it has random numbers in it, which differ from pair to pair.
    """

    names: frozenset[str]
    indexed: frozenset[str] = frozenset()
    draws: bool = False


class Scope(Protocol):
    """What gives values to the expressions of a request, and random numbers."""

    @property
    def n_pre(self) -> int:
        """Number of elements of the source."""

    @property
    def n_post(self) -> int:
        """Number of elements of the target."""

    def inspect(self, expression: Expression) -> Use:
        """Resolve the names of an expression; called once for each before anything else.

        A variable's dependence on ``i`` or ``j`` is reported even where that is not in `Expression.known`; the
        caller knows what to say about it.

        Raises
        ------
        EquationError
            For an unknown name, with the place.
        """

    def evaluate(self, expression: Expression, values: Mapping[str, Longs], numbers: Longs | None) -> ArrayLike:
        """The value of an expression, in SI base units.

        Parameters
        ----------
        expression : Expression
            One that was inspected.
        values : mapping of str to ndarray of int64
            The names of `Use.names`.  Arrays broadcast against each other (a column of sources against a row of
            targets); with draws they all have the shape of `numbers`.
        numbers : ndarray of int64, shape (n,), or None
            Where the expression draws: the running number of each element among all for which this
            expression is evaluated; what is drawn may depend on it and on `Expression.number` alone.

        Returns
        -------
        array_like
            A single value, or one that broadcasts as the arguments do.
        """

    def uniforms(self, numbers: Longs, draw: int) -> Floats:
        """Uniform numbers in [0, 1), one for each running number and kind of draw.

        Parameters
        ----------
        numbers : ndarray of int64, shape (n,)
            Ascending, 0 or more; they may exceed 2^32 in very large networks.
        draw : int
            Kind of draw; kinds are independent of each other.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Element numbers of the synapses that are made, in their order.

    Parameters
    ----------
    i, j : ndarray of int32, shape (synapses,)
        Source and target of each.
    """

    i: Indices
    j: Indices

    def __len__(self) -> int:
        return len(self.i)


def pairs(request: Request, scope: Scope, chunk: int = CHUNK) -> Pairs:
    """Find the pairs that a request joins.

    Parameters
    ----------
    request : Request
        Of `rall.plugins.synapses.request.parse_request`.
    scope : Scope
        What the names in it are.
    chunk : int
        How many pairs are worked on at a time; the result does not depend on it.

    Returns
    -------
    Pairs
        By source for conditions and ``j=`` text, by target for ``i=`` text, in the order of the arrays for those.

    Raises
    ------
    EquationError
        For names that are unknown, or not known yet where they are used, and values that are no numbers.
    IndexOutOfRangeError
        For elements that there are not, without `skip_if_invalid`, and for a sample larger than its range.
    """
    search = _Search(request, scope, chunk)
    for block in _found(search):
        search.finish(block)
    return search.result.finished()


class _Block:
    """Some candidates: arrays that broadcast to one shape, by name."""

    __slots__ = ("shape", "values")

    def __init__(self, values: dict[str, Longs], shape: tuple[int, ...]) -> None:
        self.values, self.shape = values, shape

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def spread(self, name: str) -> Longs:
        return np.broadcast_to(self.values[name], self.shape)

    def keep(self, mask: _Mask) -> _Block:
        """Those for which the mask, which broadcasts to the shape, is true."""
        mask = np.broadcast_to(mask, self.shape)
        # A column is cheaper to repeat than to spread; sums of bytes are faster than counts along an axis.
        counts = np.add.reduce(mask.view(np.uint8), axis=1, dtype=np.int64) if mask.ndim > 1 else None
        kept = {
            name: np.repeat(array[:, 0], counts) if counts is not None and array.shape == (self.shape[0], 1)
            else self.spread(name)[mask]
            for name, array in self.values.items()
        }  # fmt: skip
        return _Block(kept, (int(np.count_nonzero(mask)),))


class _Result:
    """Two arrays that grow."""

    def __init__(self) -> None:
        self.count = 0
        self.arrays = {"i": np.empty(1024, np.int32), "j": np.empty(1024, np.int32)}

    def reserve(self, count: int) -> None:
        """Make room for that many at the end, if there is not."""
        if self.count + count > len(self.arrays["i"]):
            for array in self.arrays.values():
                array.resize(max(self.count + count, len(array) * 3 // 2), refcheck=False)  # in place, if possible

    def expect(self, count: float) -> None:
        """Take memory for what is likely to come; it is not touched before it does."""
        if not self.count and count > len(self.arrays["i"]):
            self.arrays = {name: np.empty(int(count), np.int32) for name in self.arrays}

    def append(self, block: _Block) -> None:
        self.reserve(block.size)
        end = self.count + block.size
        for name, array in self.arrays.items():
            array[self.count : end].reshape(block.shape)[...] = block.values[name]
        self.count = end

    def finished(self) -> Pairs:
        for array in self.arrays.values():
            array.resize(self.count, refcheck=False)
        return Pairs(self.arrays["i"], self.arrays["j"])


class _Search:
    """The state of one search: what expressions need, how many numbers were drawn, what was found."""

    def __init__(self, request: Request, scope: Scope, chunk: int) -> None:
        self.request, self.scope, self.chunk = request, scope, chunk
        self.sizes: dict[str, int] = {"i": scope.n_pre, "j": scope.n_post}
        self.generator = request.given if isinstance(request.given, Generator) else None
        self.uses = {part: scope.inspect(part) for part in request.expressions()}
        for part, use in self.uses.items():
            _check_known(part, use)
        self.drawn: Counter[Expression | int] = Counter()
        self.result = _Result()
        self.sample, self.accept = self._probabilities()

    def _probabilities(self) -> tuple[Sample | None, Expression | float]:
        """How candidates are sampled from the range, and the probability with which they are taken afterwards.

        A probability that is the same for all targets of a source is used first: what it discards costs nothing.
        """
        generator, p = self.generator, self.request.p
        if isinstance(p, Expression) and not self.uses[p].names and not self.uses[p].draws:
            p = float(self.probabilities(p, _Block({}, ())))
        if generator is None or generator.variable != generator.result:
            return generator.sample if generator else None, p
        alike = not isinstance(p, Expression) or (self.uses[p].names <= {"i"} and not self.uses[p].draws)
        if not alike or p == 1:
            return None, p
        return Sample(p=p), 1.0

    # --- values ---

    def value(self, part: Expression, block: _Block) -> NDArray[Any]:
        """Value for each of a block; broadcasts to its shape."""
        use = self.uses[part]
        if not use.draws:
            return np.asarray(self.scope.evaluate(part, {name: block.values[name] for name in use.names}, None))
        values = {name: block.spread(name).ravel() for name in use.names}
        drawn = np.asarray(self.scope.evaluate(part, values, self.numbers(part, block.size)))
        return drawn.reshape(block.shape) if drawn.ndim else drawn

    def numbers(self, what: Expression | int, count: int) -> Longs:
        """The next running numbers of draws."""
        first = self.drawn[what]
        self.drawn[what] += count
        return np.arange(first, first + count)

    def integers(self, part: Expression, block: _Block, cut: bool = False) -> Longs:
        """Whole numbers; others are cut towards zero or an error."""
        value = self.value(part, block)
        if value.dtype.kind != "f":
            return value.astype(np.int64, copy=False)
        usable = np.abs(value) < _LARGEST
        if not cut:
            usable &= value == np.floor(value)
        if not usable.all():
            wrong = float(value[~usable].flat[0])
            needed = "a finite number" if cut else "a whole number, as int(...) or // give"
            raise part.parsed.error(f"{part.role} is {wrong:g} somewhere; it has to be {needed}")
        return value.astype(np.int64)

    def probabilities(self, part: Expression, block: _Block) -> NDArray[Any]:
        value = self.value(part, block)
        if np.isnan(value).any():
            raise part.parsed.error(f"{part.role} is not a number (NaN) somewhere; it has to be a probability")
        return value

    # --- from candidates to pairs ---

    def finish(self, block: _Block) -> None:
        """Find the other side, test the conditions, make the synapses of a block of candidates."""
        generator = self.generator
        if generator is not None:
            condition, result = generator.condition, generator.result
            late = condition is not None and result in self.uses[condition].names
            if condition is not None and not late:
                block = self.test(condition, block)
            self.resolve(generator, block)
            if condition is not None and late and result not in self.uses[condition].indexed:
                block = self.check(generator, self.test(condition, block))
            else:
                block = self.check(generator, block)
                block = self.test(condition, block) if condition is not None and late else block
        if self.accept != 1:
            limit = self.probabilities(self.accept, block) if isinstance(self.accept, Expression) else self.accept
            drawn = self.scope.uniforms(self.numbers(ACCEPT, block.size), ACCEPT).reshape(block.shape)
            block = block.keep(drawn < limit)
        self.copy(block)

    def test(self, condition: Expression, block: _Block) -> _Block:
        mask = self.value(condition, block)
        if mask.dtype.kind != "b":
            assert self.generator is not None
            if self.generator.bounds is None and not self.generator.single:
                raise condition.parsed.error(f"'{condition.text}' is a number, not a condition; compare it with "
                                             "another, as in 'i != j'")  # fmt: skip
            mask = mask != 0
        if not mask.any():
            return _Block({name: np.empty(0, np.int64) for name in block.values}, (0,))
        return block if mask.all() else block.keep(mask)

    def resolve(self, generator: Generator, block: _Block) -> None:
        """Put the index of the other side into a block."""
        if generator.target is not None:
            found = self.integers(generator.target, block, cut=True)
            block.values[generator.result] = found.reshape(found.shape or (1,) * len(block.shape))
        elif generator.variable is not None:
            block.values[generator.result] = block.values[generator.variable]

    def check(self, generator: Generator, block: _Block) -> _Block:
        """Only elements that there are."""
        if generator.variable == generator.result or not block.size:
            return block
        found, size = block.values[generator.result], self.sizes[generator.result]
        if found.min() >= 0 and found.max() < size:
            return block
        valid = (found >= 0) & (found < size)
        if self.request.skip_if_invalid:
            return block.keep(valid)
        wrong = ~np.broadcast_to(valid, block.shape)
        values = [f"{name} = {block.spread(name)[wrong][0]}" for name in (generator.outer, generator.result)]
        _outside(f"{generator.result}='{generator.text}' gives {values[1]} for {values[0]}", generator.result, size,
                 "; skip_if_invalid=True leaves such pairs out")  # fmt: skip

    def copy(self, block: _Block) -> None:
        """Append the pairs of a block, each as often as n says."""
        n = self.request.n
        if isinstance(n, Expression):
            counts = np.maximum(self.integers(n, block, cut=True), 0)
            counts = np.broadcast_to(counts, block.shape).ravel()
        elif n == 1:
            self.result.append(block)
            return
        else:
            counts = np.full(block.size, n)
        copied = {name: np.repeat(block.spread(name).ravel(), counts) for name in ("i", "j")}
        self.result.append(_Block(copied, (len(copied["i"]),)))


def _check_known(part: Expression, use: Use) -> None:
    unknown = sorted(use.names - set(part.known))
    if unknown:
        missing = _SIDES["i" if "i" in unknown else "j"]
        name, known, ending = ("j", _SIDES["j"], "post") if "i" in unknown else ("i", _SIDES["i"], "pre")
        raise part.parsed.error(
            f"{part.role} depends on variables of the {missing}, and which element that is is not known here; "
            f"only '{name}' and variables of the {known} (x_{ending}) are"
        )


def _outside(what: str, side: Index, size: int, remedy: str = "") -> NoReturn:
    elements = f"elements 0 to {size - 1}" if size else "no elements"
    raise IndexOutOfRangeError(f"{what}, but the {_SIDES[side]} has {elements}{remedy}")


# --- candidates ---


def _found(search: _Search) -> Iterator[_Block]:
    """The candidates of a request, a block at a time."""
    generator = search.generator
    if generator is None:
        return _given(search)
    if generator.single:
        return _each(search, generator.outer)
    if search.sample is None:
        return _all(search, generator)
    return _sized(search, generator) if search.sample.size else _sampled(search, generator, search.sample.p)


def _given(search: _Search) -> Iterator[_Block]:
    arrays = search.request.given
    assert isinstance(arrays, tuple)
    for name, array in zip(_SIDES, arrays):
        size = search.sizes[name]
        wrong = [int(value) for value in (array.min(initial=0), array.max(initial=0)) if not 0 <= value < size]
        if len(array) and wrong:
            _outside(f"{name} has the number {wrong[0]}", name, size)
    total = len(arrays[0])
    search.result.expect(total if search.request.n == 1 and search.accept == 1 else 0)
    for start, stop in spans(total, search.chunk):
        yield _Block({name: array[start:stop].astype(np.int64) for name, array in zip(_SIDES, arrays)},
                     (stop - start,))  # fmt: skip


def _each(search: _Search, outer: Index) -> Iterator[_Block]:
    for start, stop in spans(search.sizes[outer], search.chunk):
        yield _Block({outer: np.arange(start, stop)}, (stop - start,))


def _rows(search: _Search, generator: Generator) -> Iterator[Rows]:
    """The ranges of all outer elements: of all at once if they are alike."""
    total, bounds = search.sizes[generator.outer], generator.bounds
    if bounds is None:
        yield Rows(0, total, 0, 1, search.sizes[generator.result])
    elif any(search.uses[part].names or search.uses[part].draws for part in bounds):
        for block in _each(search, generator.outer):
            start, step, length = _range(search, generator, block)
            shape = block.shape
            first = int(block.values[generator.outer][0])
            yield Rows(first, shape[0], *(np.broadcast_to(part, shape) for part in (start, step, length)))
    else:
        yield Rows(0, total, *(int(part) for part in _range(search, generator, _Block({}, ()))))


def _range(search: _Search, generator: Generator, block: _Block) -> tuple[Longs, Longs, Longs]:
    """Start, step and length."""
    bounds = generator.bounds or ()
    values = [search.integers(part, block) for part in bounds]
    start, stop = (np.int64(0), values[0]) if len(values) == 1 else values[:2]
    step = values[2] if len(values) == 3 else np.int64(1)
    if np.any(step == 0):
        raise bounds[2].parsed.error(f"the step of {bounds[2].role} is 0 somewhere; it has to be another number")
    length = np.maximum((stop - start + step - np.sign(step)) // step, 0)
    if generator.sample is not None:  # samples are ascending
        start, step = np.where(step < 0, start + (length - 1) * step, start), np.abs(step)
    return np.asarray(start), np.asarray(step), np.asarray(length)


def _all(search: _Search, generator: Generator) -> Iterator[_Block]:
    """Every element of every range."""
    for rows in _rows(search, generator):
        if isinstance(rows.length, int):
            yield from _grid(search, generator, rows)
            continue
        offsets = rows.offsets()
        for span in spans(int(offsets[-1]), search.chunk):
            yield _flat(generator, *rows.values(*locate(np.arange(*span), rows, offsets)))


def _grid(search: _Search, generator: Generator, rows: Rows) -> Iterator[_Block]:
    """Blocks of whole rows, or pieces of a long one: outer elements as a column, the range as a row."""
    assert isinstance(rows.length, int) and generator.variable is not None
    sure = generator.condition is None and search.accept == 1 and search.request.n == 1
    search.result.expect(rows.total if sure else min(rows.total, _ROOM))
    for above, below in spans(rows.number, max(1, search.chunk // max(1, rows.length))):
        for left, right in spans(rows.length, max(search.chunk, 1)):
            values = {
                generator.outer: np.arange(above, below)[:, None],
                generator.variable: (np.arange(left, right) * rows.step + rows.start)[None, :],
            }
            yield _Block(values, (below - above, right - left))


def _flat(generator: Generator, outer: Longs, inner: Longs) -> _Block:
    assert generator.variable is not None
    return _Block({generator.outer: outer, generator.variable: inner}, (len(outer),))


def _sampled(search: _Search, generator: Generator, p: Expression | float | None) -> Iterator[_Block]:
    """Elements of the ranges, each with a probability.

    Where it differs between outer elements, all are sampled with the largest one and thinned.
    """
    each: NDArray[Any] | None = None
    if isinstance(p, Expression):
        alike = not search.uses[p].names and not search.uses[p].draws
        blocks = [_Block({}, (1,))] if alike else _each(search, generator.outer)
        found = [np.broadcast_to(search.probabilities(p, block), block.shape) for block in blocks]
        each = np.concatenate(found) if found else np.zeros(0)
        p = min(float(each.max(initial=0)), 1.0)
        each = None if alike or each.min(initial=p) >= p else each
    assert p is not None
    gaps = Gaps(p, search.scope.uniforms, search.chunk)
    for rows in _rows(search, generator):
        offsets = None if isinstance(rows.length, int) else rows.offsets()
        if generator.condition is None and each is None and search.request.n == 1:
            search.result.expect(rows.total * p + 6 * (rows.total * p) ** 0.5)
        for places in gaps.hits(rows.total):
            outer, inner = rows.values(*locate(places, rows, offsets))
            if each is not None:
                taken = search.scope.uniforms(search.numbers(ACCEPT, len(outer)), ACCEPT) * p < each[outer]
                outer, inner = outer[taken], inner[taken]
            yield _flat(generator, outer, inner)


def _sized(search: _Search, generator: Generator) -> Iterator[_Block]:
    """Of every range a number of elements, without replacement."""
    first = 0
    for rows in _rows(search, generator):
        for start, stop in spans(rows.number, search.chunk):
            length = np.broadcast_to(rows.length, rows.number)[start:stop]
            outer = np.arange(rows.first + start, rows.first + stop)
            size = _size(search, generator, _Block({generator.outer: outer}, outer.shape), length)
            ends = np.cumsum(size)
            low = 0
            while low < len(size):
                reach = int(ends[low] - size[low]) + search.chunk
                high = max(low + 1, int(np.searchsorted(ends, reach, side="right")))
                row, position, first = distinct(length[low:high], size[low:high], first, search.scope.uniforms)
                yield _flat(generator, *rows.values(row + start + low, position))
                low = high


def _size(search: _Search, generator: Generator, block: _Block, length: Longs) -> Longs:
    """How many elements are to be drawn from each of some ranges."""
    assert generator.sample is not None and generator.sample.size is not None
    wanted = generator.sample.size
    size = np.broadcast_to(search.integers(wanted, block), block.shape)
    if search.request.skip_if_invalid:
        return np.clip(size, 0, length)
    wrong = np.flatnonzero((size < 0) | (size > length))
    if len(wrong):
        k = wrong[0]
        raise IndexOutOfRangeError(
            f"{generator.result}='{generator.text}' draws {size[k]} of {length[k]} elements for {generator.outer} = "
            f"{block.values[generator.outer][k]}; a sample has 0 elements or more, and at most as many as its range "
            "(skip_if_invalid=True makes it fit)"
        )
    return size
