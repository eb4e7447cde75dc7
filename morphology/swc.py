"""SWC text to a table of samples: one pass over the lines, nothing guessed in silence.

The columns are id, type, x, y, z, radius, parent (the INCF swc-specification); ids and lines are kept so that
every finding can name both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rall.morphology.findings import Finding
from rall.morphology.geometry import Floats, Ints

__all__ = ["Table", "parse", "table_from_arrays"]

_COLUMNS = ("id", "type", "x", "y", "z", "radius", "parent")
_SHOWN = 20  # findings about single lines; a binary file would give thousands
_UNITS = {
    b"nanometer": 1e-3, b"nanometers": 1e-3, b"nanometre": 1e-3, b"nanometres": 1e-3, b"nm": 1e-3,
    b"micrometer": 1.0, b"micrometers": 1.0, b"micrometre": 1.0, b"micrometres": 1.0, b"micron": 1.0,
    b"microns": 1.0, b"um": 1.0, b"millimeter": 1e3, b"millimetre": 1e3, b"mm": 1e3,
}  # fmt: skip
_UNIT_LINE = re.compile(rb'["\']?\bunits?["\']?\s*[:=]\s*["\']?\s*([0-9.eE+-]*)\s*([a-zA-Z]+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Samples in the order of the text; lengths in um.

    Parameters
    ----------
    ids, types, parents, lines : array, shape (n,)
        Sample id, SWC type, parent's id (-1 for none) and 1-based line of the text.
    xyz : array, shape (n, 3)
        Coordinates (um).
    radius : array, shape (n,)
        Radii (um).
    """

    ids: Ints
    types: Ints
    xyz: Floats
    radius: Floats
    parents: Ints
    lines: Ints

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, order: NDArray[np.intp]) -> Table:
        """The same samples in another order.

        Parameters
        ----------
        order : array of int
            Index of the sample that comes first, second, ...
        """
        return Table(
            self.ids[order],
            self.types[order],
            self.xyz[order],
            self.radius[order],
            self.parents[order],
            self.lines[order],
        )

    def scaled(self, factor: float) -> Table:
        """All lengths times a factor.

        Parameters
        ----------
        factor : float
            1 leaves everything as it is.
        """
        if factor == 1.0:
            return self
        return replace(self, xyz=self.xyz * factor, radius=self.radius * factor)


def table_from_arrays(ids: Ints, types: Ints, xyz: Floats, radius: Floats, parents: Ints) -> Table:
    """A table of samples that come from arrays; row k is called line k + 1.

    Parameters
    ----------
    ids, types, parents : array of int, shape (n,)
        As in a file.
    xyz : array, shape (n, 3)
        Coordinates (um).
    radius : array, shape (n,)
        Radii (um).
    """
    return Table(
        np.asarray(ids, np.int64),
        np.asarray(types, np.int64),
        np.asarray(xyz, float),
        np.asarray(radius, float),
        np.asarray(parents, np.int64),
        np.arange(1, len(ids) + 1),
    )


def parse(data: bytes) -> tuple[Table | None, float, list[Finding]]:
    """Read the text of an SWC file.

    Parameters
    ----------
    data : bytes
        The file's content; a byte-order mark and any line end are accepted.

    Returns
    -------
    table : Table or None
        The samples as written, not scaled; None where a line could not be read.
    unit : float
        Micrometres in one unit of the file, from its header; 1 where it does not say.
    findings : list of Finding
        What was noticed.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        message = "the text is UTF-16; save it as plain text (UTF-8) and read it again"
        return None, 1.0, [Finding("ParseError", "error", message, 1)]
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    rows: list[list[bytes]] = []
    numbers: list[int] = []
    comments: list[bytes] = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        if words[0].startswith(b"#"):
            comments.append(line)
        else:
            rows.append(words)
            numbers.append(number)
    unit, findings = _header_unit(comments)
    if not rows:
        message = "there are no samples in it; a line looks like '1 1 0 0 0 5.0 -1'"
        return None, unit, [Finding("EmptyFile", "error", message)]
    table = None if b"_" in data and _underscores(rows) else _convert(rows, numbers)
    if table is None:
        words_found, rows = _diagnose(rows, numbers)
        findings += words_found
        if any(f.level == "error" for f in findings):
            return None, unit, findings
        table = _convert(rows, numbers)
        assert table is not None  # every word was looked at
    findings += _extra_columns(rows, numbers)
    return table, unit, findings


def _header_unit(comments: Sequence[bytes]) -> tuple[float, list[Finding]]:
    """The unit a header states, as in navis' ``# Meta: {"units": "1 nanometer"}``."""
    for comment in comments:
        match = _UNIT_LINE.search(comment)
        if match is None or match[2].lower() not in _UNITS:
            continue
        try:
            number = float(match[1] or b"1")
        except ValueError:
            continue
        if number != 1.0 and b'"units"' not in comment:
            continue  # the size of a voxel, say; only navis' own line may count in several of a unit
        unit = number * _UNITS[match[2].lower()]
        if unit == 1.0 or not 1e-6 <= unit <= 1e6:
            return 1.0, []
        name = match[2].decode("ascii")
        message = (
            f"the header says that the unit is {number:g} {name}, so that all lengths were multiplied by "
            f"{unit:g} to give um; scale= replaces this"
        )
        return unit, [Finding("UnitHeader", "warning", message)]
    return 1.0, []


def _underscores(rows: list[list[bytes]]) -> bool:
    """Whether a number is written as Python alone would: 1_000."""
    return any(b"_" in word for row in rows for word in row[:7])


def _convert(rows: list[list[bytes]], numbers: list[int]) -> Table | None:
    """All rows at once, or None where one of them needs a closer look."""
    if min(map(len, rows)) < 7:
        return None
    columns = [[row[k] for row in rows] for k in range(7)]
    try:
        ids, types, parents = (np.array(list(map(int, columns[k])), np.int64) for k in (0, 1, 6))
        x, y, z, radius = (np.array(list(map(float, columns[k]))) for k in (2, 3, 4, 5))
    except (ValueError, OverflowError):
        return None
    return Table(ids, types, np.column_stack([x, y, z]), radius, parents, np.array(numbers, np.int64))


def _diagnose(rows: list[list[bytes]], numbers: list[int]) -> tuple[list[Finding], list[list[bytes]]]:
    """Say which word of which line cannot be read; whole numbers with a decimal point become integers."""
    findings: list[Finding] = []
    decimal: list[int] = []
    cleaned = []
    for words, number in zip(rows, numbers):
        fixed = list(words)
        fault = _row_fault(fixed)
        if fault is not None:
            code, message = fault
            findings.append(Finding(code, "error", message, number))
            if len(findings) >= _SHOWN:
                break
        elif fixed != words:
            decimal.append(number)
        cleaned.append(fixed)
    if decimal and not findings:
        message = f"{len(decimal)} lines write whole numbers with a decimal point; they were read as integers"
        findings.append(Finding("FloatId", "warning", message, decimal[0]))
    return findings, cleaned


def _row_fault(words: list[bytes]) -> tuple[str, str] | None:
    """Code and message for a line that cannot be read; `words` are put right where that is safe."""
    line = b" ".join(words)
    if b"\0" in line:
        return "ParseError", "this is not text; is it an SWC file?"
    if len(words) < 7:
        shown = _show(line)
        if b"," in line:
            return "ParseError", f"commas in {shown}: SWC separates its seven columns by blanks, not commas"
        return "ParseError", (f"{len(words)} columns in {shown}, but seven are needed: {', '.join(_COLUMNS)}")
    for k, name in enumerate(_COLUMNS):
        word = words[k]
        try:
            if b"_" in word:
                raise ValueError
            value = float(word)
        except ValueError:
            comma = " (a comma; use a decimal point)" if b"," in word else ""
            return "ParseError", f"{name} is {_show(word)}, which is not a number{comma}"
        if name in ("id", "type", "parent"):
            fault = _whole(words, k, value)
            if fault is not None:
                return fault
    return None


def _whole(words: list[bytes], k: int, value: float) -> tuple[str, str] | None:
    name = _COLUMNS[k]
    code = "ParseError" if name == "type" else "BadId"
    try:
        number = int(words[k])
    except ValueError:
        if not (np.isfinite(value) and value.is_integer() and abs(value) < 2.0**53):
            return code, f"{name} is {_show(words[k])}, but must be a whole number"
        number = int(value)
        words[k] = b"%d" % number
    if abs(number) >= 2**63:
        return code, f"{name} is {_show(words[k])}, too large for a whole number of 64 bits"
    return None


def _extra_columns(rows: list[list[bytes]], numbers: list[int]) -> list[Finding]:
    if max(map(len, rows)) == 7:
        return []
    extra = [n for words, n in zip(rows, numbers) if len(words) > 7 and not words[7].startswith(b"#")]
    if not extra:
        return []
    message = f"{len(extra)} lines have more than seven columns; the rest of each was left unread"
    return [Finding("ExtraColumns", "warning", message, extra[0])]


def _show(text: bytes) -> str:
    short = text if len(text) <= 40 else text[:37] + b"..."
    return repr(short.decode("utf-8", "backslashreplace"))
