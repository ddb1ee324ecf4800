"""Fixtures of the tests with a real coturn.

shipped      runs with the configuration that we ship and nothing else but where it listens
shipped_v6   the same on ::1, with a relay there
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.turn.coturn import Coturn, coturn, has_ipv6


@pytest.fixture(scope="package")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """A coturn with the configuration that we ship."""
    with coturn(tmp_path_factory.mktemp("shipped")) as running:
        yield running


@pytest.fixture(scope="package")
def shipped_v6(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    """The same for IPv6."""
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    # aioice cannot ask for the family of a relay: it is that of the connection.
    keep = "allocation-default-address-family=keep"
    with coturn(tmp_path_factory.mktemp("shipped_v6"), keep, host="::1") as running:
        yield running
