"""Asynchronous context managers in fixtures, which are synchronous."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

from tornado.ioloop import IOLoop

T = TypeVar("T")


@contextmanager
def looped(io_loop: IOLoop, manager: AbstractAsyncContextManager[T, Any]) -> Iterator[T]:
    """Enter and leave `manager` in the loop of the test."""
    yield io_loop.run_sync(manager.__aenter__)
    io_loop.run_sync(lambda: manager.__aexit__(None, None, None))
