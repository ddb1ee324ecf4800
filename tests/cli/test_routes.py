"""``ringback routes``: every path."""

from __future__ import annotations

from handlers.routes import ROUTES
from tests.cli.shell import Shell


def test_shows_every_path_with_its_methods(bare: Shell) -> None:
    lines = {line.split()[0]: line.split()[1:] for line in bare("routes").stdout.splitlines()[2:]}
    assert set(lines) == {route.shown for route in ROUTES}
    assert lines["/login"] == ["page", "GET", "POST", "handlers.pages.LoginPageHandler"]


def test_prints_json(bare: Shell) -> None:
    shown = {route["path"]: route for route in bare.json("routes")}
    assert shown["/api/v1/users/me"]["methods"] == ["GET", "PATCH"]
    assert shown["/api/v1/ws/user"]["kind"] == "socket"
    assert all(route["methods"] and route["about"] for route in shown.values())


def test_needs_no_database_and_no_data_folder(bare: Shell) -> None:
    assert bare("routes").stderr == ""
    assert list(bare.folder.iterdir()) == []
