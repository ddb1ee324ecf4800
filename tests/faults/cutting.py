"""Where a connection is cut: after so many bytes, or so many WebSocket frames. They are a way's ``stop``."""

from __future__ import annotations

from tests.faults.proxy import Stop


def after_bytes(count: int) -> Stop:
    """After ``count`` bytes."""
    left = count

    def stop(data: bytes) -> int | None:
        nonlocal left
        room = left
        left -= len(data)
        return room if left <= 0 else None

    return stop


class AfterFrames:
    """After the head of the upgrade, ``count`` whole frames, and ``more`` bytes of the frame behind them."""

    def __init__(self, count: int, more: int = 0) -> None:
        self._splitter = Splitter()
        self._units = count + 1
        self._more = more
        self.has_cut = False

    def __call__(self, data: bytes) -> int | None:
        """See :data:`tests.faults.proxy.Stop`."""
        self._units -= len(self._splitter.feed(data, self._units))
        rest = self._splitter.rest
        if self._units or len(rest) < self._more:
            return None
        self.has_cut = True
        return len(data) - (len(rest) - self._more)


class Splitter:
    """Splits one direction of a WebSocket connection into its head and its frames, each with its header."""

    def __init__(self) -> None:
        self.rest = bytearray()  # the beginning of what has not come wholly, or is not wanted yet
        self._head = True

    def feed(self, data: bytes, most: int | None = None) -> list[bytes]:
        """Adds ``data``; returns the units that are whole by now, at most ``most``."""
        self.rest += data
        units: list[bytes] = []
        while (most is None or len(units) < most) and (size := self._size()) is not None and size <= len(self.rest):
            units.append(bytes(self.rest[:size]))
            del self.rest[:size]
            self._head = False
        return units

    def _size(self) -> int | None:
        """Bytes of the first unit; None while that is not known."""
        if self._head:
            end = self.rest.find(b"\r\n\r\n")
            return None if end < 0 else end + 4
        if len(self.rest) < 2:
            return None
        mask = 4 if self.rest[1] & 0x80 else 0
        size, extended = self.rest[1] & 0x7F, {126: 2, 127: 8}.get(self.rest[1] & 0x7F, 0)
        if extended:
            if len(self.rest) < 2 + extended:
                return None
            size = int.from_bytes(self.rest[2 : 2 + extended], "big")
        return 2 + extended + mask + size


def texts(units: list[bytes]) -> list[bytes]:
    """The payloads of the text frames among a server's frames, which are whole and unmasked (RFC 6455 §5.1)."""
    return [unit[{126: 4, 127: 10}.get(unit[1], 2) :] for unit in units if unit[0] == 0x81]
