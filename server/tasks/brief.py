"""A task among others: as it crosses the wire in lists and notices, where each has to be small."""

from __future__ import annotations

from typing import Any

from server.wire import encode

MAX_RESULT_BYTES = 4_096
"""Of a result as it stands in a list: room for an address, a title, and some figures."""
MAX_VALUES_BYTES = 2_048
"""Of what a sentence is made with."""
FIRST = ("url", "title")
"""What a list needs of a result."""


def in_brief(shown: dict[str, Any]) -> dict[str, Any]:
    """``shown`` (:func:`~server.tasks.model.task_view`) without what may be long: of the review the round, of the
    result ``url``, ``title`` and what else is small and plain, at most :data:`MAX_RESULT_BYTES`.

    Where the ``values`` are large, ``code`` goes with them, and ``message`` says the same.
    """
    review, result = shown["review"], shown["result"]
    small = {
        "review": None if review is None else {"round": review["round"]},
        "result": None if result is None else _small(result),
    }
    if len(encode(shown["values"])) > MAX_VALUES_BYTES:
        small |= {"code": None, "values": {}}
    return shown | small


def _small(result: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    room_bytes = MAX_RESULT_BYTES
    for name in sorted(result, key=lambda name: name not in FIRST):
        size_bytes = len(encode({name: result[name]}))
        if size_bytes <= room_bytes and not isinstance(result[name], dict | list):
            kept[name] = result[name]
            room_bytes -= size_bytes
    return kept
