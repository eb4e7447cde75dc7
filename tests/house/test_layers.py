"""The shape of the code: import direction, no circles, sizes of files and functions, words on what is public."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "core": "rall", "morphology": "rall.morphology", "channels": "rall.channels", "plugins": "rall.plugins",
    "data": "rall.data",
}  # fmt: skip
FILE_LINES, FUNCTION_LINES, DEPTH = 400, 60, 4
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules() -> dict[str, Path]:
    found = {}
    for folder, name in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found[".".join((name, *parts))] = path
    return found


MODULES = modules()


def imports_of(name: str, path: Path) -> set[str]:
    """Modules of rall that a module imports when it is loaded or runs, type checking apart."""
    tree = ast.parse(path.read_text("utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {nearest(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {nearest(f"{node.module}.{alias.name}") for alias in node.names}
    return {other for other in found if other and other != name}


def nearest(dotted: str) -> str:
    """The module that a dotted name lies in, empty for other packages."""
    while dotted and dotted not in MODULES:
        dotted = dotted.rpartition(".")[0]
    return dotted


def table() -> list[tuple[str, list[str]]]:
    rows = []
    for line in (ROOT / "tests/house/layers.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            layer, _, allowed = line.partition(":")
            rows.append((layer.strip(), [word.strip() for word in allowed.split(",") if word.strip()]))
    return rows


def layer_of(module: str) -> tuple[str, list[str]]:
    """The row of the table for a module: the longest pattern that matches."""
    best: tuple[int, bool, str, list[str]] = (-1, False, "", [])
    for pattern, allowed in table():
        words, parts = pattern.split("."), module.split(".")
        if len(words) <= len(parts) and all(w in ("*", p) for w, p in zip(words, parts)):
            rank = (len(words), "*" not in pattern, ".".join(parts[: len(words)]), allowed)
            best = max(best, rank, key=lambda r: r[:2])
    return best[2], best[3]


def test_imports_point_downwards() -> None:
    broken = []
    for name, path in MODULES.items():
        home, allowed = layer_of(name)
        for other in imports_of(name, path):
            there = layer_of(other)[0]
            if there != home and there not in allowed:
                broken.append(f"{name} ({home}) may not import {other} ({there})")
    assert not broken, "\n".join(broken)


def test_every_module_has_a_layer() -> None:
    front_door = ("rall", "rall.front_door", "rall.plugins", "rall.pylab")
    assert not [name for name in MODULES if layer_of(name)[0] == "rall" and name not in front_door]


def test_no_circles() -> None:
    graph = {name: imports_of(name, path) for name, path in MODULES.items()}
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if state.get(name) == 2:
            return
        assert state.get(name) != 1, " -> ".join((*path[path.index(name) :], name))
        state[name] = 1
        for other in sorted(graph[name]):
            visit(other, (*path, name))
        state[name] = 2

    for name in graph:
        visit(name, ())


def code_lines(source: str) -> set[int]:
    quiet = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER,
             tokenize.COMMENT}  # fmt: skip
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in quiet:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def doc_lines(node: ast.AST) -> set[int]:
    body = getattr(node, "body", [])
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        if isinstance(body[0].value.value, str):
            return set(range(body[0].lineno, body[0].end_lineno + 1))
    return set()


def depth_of(node: ast.AST, depth: int = 0) -> int:
    deepest = depth
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                chained = name == "orelse" and isinstance(node, ast.If) and isinstance(child, ast.If)
                deepest = max(deepest, depth_of(child, depth + (isinstance(child, BLOCKS) and not chained)))
    return deepest


@pytest.mark.parametrize("name", sorted(MODULES))
def test_sizes(name: str) -> None:
    source = MODULES[name].read_text("utf-8")
    tree = ast.parse(source)
    lines = code_lines(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, *FUNCTIONS)):
            lines -= doc_lines(node)
    assert len(lines) <= FILE_LINES, f"{len(lines)} lines of code in {MODULES[name]}"
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            inside = [n for n in range(node.lineno, node.end_lineno + 1) if n in lines]
            assert len(inside) <= FUNCTION_LINES, f"{node.name} in {name} has {len(inside)} lines"
            assert depth_of(node) <= DEPTH, f"{node.name} in {name} is nested too deep"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_public_names_have_words(name: str) -> None:
    tree = ast.parse(MODULES[name].read_text("utf-8"))
    assert ast.get_docstring(tree), name
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, *FUNCTIONS)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} in {name}"
