"""Calls of the user's functions: from a `Function` to the name that kernels call, with its C text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rall.errors import EquationError
from rall.functions import Builtin, spelling
from rall.ir.called import Called, CText
from rall.units import Quantity, value_of
from rall.user_functions import Function, Implementation, as_function

__all__ = ["c_text", "call_name"]

#: What only C++ has, and what plain C would understand otherwise (``auto`` is an int there).
_CPLUSPLUS = re.compile(
    r"::|\b(?:auto|template|typename|namespace|using|class|constexpr|nullptr|static_cast|vector)\b"
    r"|\w\s*&\s*\w+\s*[,)]|#\s*include\s*<\w+>"
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[^\n]*$", re.MULTILINE)
_C_TYPES = {"float64": "double", "float32": "float", "int64": "int64_t", "int32": "int32_t", "bool": "char"}
#: Keywords of ``implementation`` that become flags of the compiler, in this order, and how each word is written.
_FLAGS = {
    "define_macros": "-D{}", "include_dirs": "-I{}", "extra_compile_args": "{}", "sources": "{}",
    "library_dirs": "-L{}", "libraries": "-l{}", "extra_link_args": "{}",
}  # fmt: skip


def call_name(function: Function, kinds: Sequence[str], owner: object = None) -> Called:
    """What calls of a function name in resolved expressions.

    Parameters
    ----------
    function : Function
        The user's.
    kinds : sequence of str
        Types of the arguments of this call.
    owner : object, optional
        The group whose expressions call it, for code that depends on it.

    Returns
    -------
    Called
        The same name for the same function, text and values.

    Raises
    ------
    EquationError
        If its C code has values that C cannot hold.
    """
    wanted = [kind if want == "any" else want for want, kind in zip(function.arg_types, kinds)]
    made = function.implementations.for_owner("numpy", owner)
    python = made.code if callable(made.code) else function.pyfunc
    text = c_text(function, owner)
    # What is called in Python has no text to be told apart by; the name keeps it alive, so that no other one has
    # its address.
    parts = [str(id(function)), str(id(python)), text.name if text else "", *wanted, *(text.flags if text else ())]
    unique = f"{_identifier(function.name)}_{_digest(parts)}"
    return Called(
        unique, function, function.name, python, wanted, text, not function.stateless, function.auto_vectorise
    )


def c_text(function: Function, owner: object = None) -> CText | None:
    """The C text of a function and of all that it calls.

    Parameters
    ----------
    function : Function
        The user's.
    owner : object, optional
        As of `call_name`.

    Returns
    -------
    CText or None
        None if it, or a function that it calls, has no C code.
    """
    made = function.implementations.in_c(owner)
    if made is None:
        return None
    code = "\n".join(made.code.values()) if isinstance(made.code, Mapping) else str(made.code)
    blocks: dict[str, str] = {}
    includes, flags = list(_headers(made)), list(_flags(made))
    plain, names = True, {}
    for word, needed in made.dependencies.items():
        found = as_function(needed)
        if isinstance(found, Builtin) and not found.stateful and found.expansion is None:
            names[word] = spelling(found.name, "c")
            continue
        inner = c_text(found, owner) if isinstance(found, Function) else None
        if inner is None:
            return None
        blocks.update(inner.blocks)
        includes += inner.includes
        flags += inner.flags
        plain = plain and inner.plain
        names[word] = inner.name
    includes += [line.strip() for line in _INCLUDE.findall(code)]
    code = _INCLUDE.sub("", code)
    values = {name: _plain(function, name, value) for name, value in made.namespace.items()}
    parts = [code, *includes, *flags, *(f"{k}={v}" for k, v in names.items())]
    parts += [f"{name} {v.dtype} {v.shape} {v.tobytes().hex()}" for name, v in values.items()]
    called = made.name or function.name
    own = f"{_identifier(called)}_{_digest(parts)}"
    names[called] = own
    blocks[own] = _block(function, code, names, _constants(own, values))
    looks = _COMMENT.sub("", "\n".join([*includes, code]))
    plain = plain and _CPLUSPLUS.search(looks) is None
    return CText(own, tuple(blocks.items()), tuple(dict.fromkeys(includes)), tuple(dict.fromkeys(flags)), plain)


def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _block(function: Function, code: str, names: Mapping[str, str], constants: Mapping[str, tuple[str, str]]) -> str:
    """A function's text, in which the user's names are those of no other function."""
    macros = {word: name for word, name in names.items() if word != name and word.isidentifier()}
    lines = [text for text, _ in constants.values()]
    for word, (_, name) in constants.items():
        macros[f"_namespace{word}"] = name
        if not word.startswith("_"):
            macros[word] = name
    lines += [f"#define {word} {name}" for word, name in macros.items()]
    # Messages of the compiler then count the lines of the user's text.
    lines += [f'#line 1 "code of {_identifier(function.name)}"', code]
    return "\n".join([*lines, *(f"#undef {word}" for word in macros)])


def _plain(function: Function, word: str, value: object) -> Any:
    plain = np.asarray(value_of(value) if isinstance(value, Quantity) else value)
    if plain.dtype.kind not in "fiub":
        raise EquationError(
            f"the namespace of the function '{function.name}' has '{word}', of type {type(value).__name__}; C code "
            "takes numbers, quantities and arrays of them"
        )
    return plain


def _constants(own: str, values: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """For each value of the namespace, its definition and what it is called there."""
    made = {}
    for word, value in values.items():
        name = f"{own}_{_identifier(word)}"
        if value.dtype.name not in _C_TYPES:
            value = value.astype(np.float64 if value.dtype.kind == "f" else np.int64)
        numbers = [_number(x) for x in value.reshape(-1).tolist()]
        # Not const: text for C++ may hold a pointer to it without saying so.
        kind = _C_TYPES[value.dtype.name]
        if value.ndim:
            text = f"static {kind} {name}[] = {{{', '.join(numbers) or '0'}}};"
        else:
            text = f"static const {kind} {name} = {numbers[0]};"
        made[word] = (text, name)
    return made


def _number(value: float | int | bool) -> str:
    if isinstance(value, (bool, int)):
        # The most negative integer is no literal in C.
        return str(int(value)) if abs(int(value)) < 2**31 else f"(int64_t){int(value) % 2**64:#x}u"
    if np.isnan(value):
        return "NAN"
    return repr(value) if np.isfinite(value) else "INFINITY" if value > 0 else "-INFINITY"


def _headers(made: Implementation) -> Iterable[str]:
    for header in _words(made.compiler.get("headers", ())):
        yield f"#include {header if header.startswith(('<', chr(34))) else f'<{header}>'}"


def _flags(made: Implementation) -> Iterable[str]:
    for key, form in _FLAGS.items():
        for word in _words(made.compiler.get(key, ())):
            yield form.format(word)


def _words(given: object) -> list[str]:
    """One word, or several; a macro may be a pair of name and value."""
    if isinstance(given, str):
        return [given]
    assert isinstance(given, Iterable)
    return ["=".join(str(p) for p in w if p is not None) if isinstance(w, tuple) else str(w) for w in given]
