"""Writes core/builtin.py from the entry points in pyproject.toml: python tests/house/builtin_table.py"""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "core" / "builtin.py"
HEAD = '''"""rall's own extensions: generated from the entry points in pyproject.toml (see tests/house)."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["BUILTIN"]

BUILTIN: Mapping[str, Mapping[str, str]] = {
'''


def entry_points(pyproject: Path) -> dict[str, dict[str, str]]:
    """Groups `rall.*` of the project's own entry points, in the order of the file."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return {
        group: dict(points)
        for group, points in project.get("entry-points", {}).items()
        if group[:5] == "rall."
    }


def table(groups: dict[str, dict[str, str]]) -> str:
    """The text of core/builtin.py."""
    lines = []
    for group, points in groups.items():
        lines.append(f'    "{group}": {{')
        lines += [f'        "{name}": "{target}",' for name, target in points.items()]
        lines.append("    },")
    return HEAD + "\n".join([*lines, "}"]) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table(entry_points(ROOT / "pyproject.toml")), encoding="utf-8")
