"""Finds what Tornado's templates say: an extractor for Babel.

The template is parsed by Tornado itself; every piece of Python in it (expressions, `set`, `if`, `for`, `module`, the
head of a block) is given to Babel's extractor for Python.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.extract import extract_python
from tornado.template import Loader

PYTHON_IN = ("expression", "statement", "method")


def extract_template(
    file: BinaryIO, keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, Any, Any, Any]]:
    """As Babel wants it: `(line, function, its arguments, comments)` for every call of one of `keywords`."""
    path = Path(file.name).absolute()
    # What a template in a folder includes may lie outside of it, so they are loaded from where all of them are.
    root = next((folder for folder in path.parents if folder.name == "templates"), path.parent)
    for node in _below(Loader(str(root)).load(str(path.relative_to(root))).file):
        for python in (getattr(node, name, None) for name in PYTHON_IN):
            if python:
                for _, function, arguments, comments in extract_python(
                    io.BytesIO(python.encode()), keywords, comment_tags, options
                ):
                    yield node.line, function, arguments, comments


def _below(node: Any) -> Iterator[Any]:
    """A part of a template and everything in it; what it includes or extends is a file of its own."""
    yield node
    for child in node.each_child():
        yield from _below(child)
