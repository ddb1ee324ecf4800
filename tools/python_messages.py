"""Finds what Python code says: an extractor for Babel.

Babel's own reads tokens, and takes `BadRequest.of("name")` for a call of `BadRequest`; this one reads the syntax tree.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, BinaryIO

Found = tuple[int, str, tuple[str | None, ...], list[str]]


def extract_python(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """As Babel wants it: `(line, function, its arguments, comments)` for every call of one of `keywords`."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and (name := _name(node.func)) in keywords:
            yield node.lineno, name, tuple(_literal(argument) for argument in node.args), []


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _literal(argument: ast.expr) -> str | None:
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None
