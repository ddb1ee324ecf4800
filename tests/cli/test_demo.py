"""``ringback serve --demo``: three people to try it with, on this machine only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers.pages import DEMO_PEOPLE
from server.cli.demo import demo_password, require_loopback
from tests.cli.shell import PATIENCE_S, Process, Shell, login_page, refusal, sign_in
from tests.conftest import CHEAP_HASHING

SECRET = "s" * 43


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mongo_uri: str) -> Shell:
    """Where the demo runs that some of these tests share."""
    settings: dict[str, object] = {"mongo.uri": mongo_uri, "mongo.database": "test_demo", "log.level": "debug"}
    return Shell(tmp_path_factory.mktemp("demo"), CHEAP_HASHING | settings)


@pytest.fixture(scope="module")
def demo(folder: Shell) -> Iterator[Process]:
    """That demo."""
    with folder.serving("--demo", patience_s=10 * PATIENCE_S) as server:
        yield server


@pytest.fixture(scope="module")
def guide(demo: Process) -> str:
    """What it has printed for the person who started it."""
    return demo.read_until("Ctrl-C stops the server.")


def password_in(guide: str) -> str:
    """The password that the demo has printed."""
    return next(line for line in guide.splitlines() if "The password is" in line).split()[-1]


def password_of(server: Process) -> str:
    """The same, of a demo that is ready."""
    return password_in(server.read_until("The password is"))


def test_three_people_can_sign_in_with_the_password_it_prints(demo: Process, guide: str) -> None:
    password = password_in(guide)
    assert [sign_in(demo.url, name, password).status_code for name in DEMO_PEOPLE] == [200, 200, 200]


def test_says_what_to_open_and_what_to_do(demo: Process, guide: str) -> None:
    assert f"Open {demo.url} in two browsers" in guide
    assert "Sign in as alice" in guide and "Click Call bob" in guide and "carol" in guide


def test_the_page_to_sign_in_shows_the_password(demo: Process, guide: str) -> None:
    assert password_in(guide) in login_page(demo.url)


def test_the_password_is_in_no_line_of_the_log(demo: Process, guide: str) -> None:
    sign_in(demo.url, "alice", password_in(guide))
    demo.wait_for(lambda log: any(line.get("path") == "/api/v1/auth/login" for line in log))
    assert password_in(guide) not in str(demo.log) + str(demo.errors)


def test_has_the_same_password_and_people_at_the_next_start(shell: Shell) -> None:
    with shell.serving("--demo") as server:
        first = password_of(server)
        server.stop()
    people = shell.json("users", "list")
    with shell.serving("--demo") as server:
        assert password_of(server) == first
        assert sign_in(server.url, "alice", first).status_code == 200
    assert shell.json("users", "list") == people


def test_without_it_nobody_is_shown_the_password_any_more(shell: Shell) -> None:
    with shell.serving("--demo") as server:
        password = password_of(server)
        server.stop()
    with shell.serving() as server:
        assert password not in login_page(server.url)
        assert password not in server.stop()[1]


def test_leaves_somebody_of_that_name_alone_and_says_so(shell: Shell) -> None:
    shell("users", "add", "bob", "--password-stdin", stdin="korrekt-horse")
    with shell.serving("--demo") as server:
        assert sign_in(server.url, "bob", "korrekt-horse").status_code == 200
        _, rest = server.stop()
    assert "With a password of their own: bob (" in rest


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "calls.example", "localhost.example"])
def test_refuses_every_host_but_this_one(shell: Shell, host: str) -> None:
    said = refusal(shell("serve", "--demo", "--host", host), 2)
    assert said.startswith("--demo shows a password to everybody who comes, so it listens on 127.0.0.1 only, not on ")


def test_refuses_another_host_of_the_configuration_too(shell: Shell) -> None:
    (shell.folder / "config.yaml").write_text("server: {host: 0.0.0.0}")
    assert "not on 0.0.0.0" in refusal(shell("serve", "--demo"), 2)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST"])
def test_takes_every_name_of_this_machine(host: str) -> None:
    require_loopback(host)


def test_each_installation_has_a_password_of_its_own() -> None:
    assert demo_password(SECRET, 8) != demo_password("t" * 43, 8)


def test_the_password_is_as_long_as_passwords_must_be() -> None:
    assert (len(demo_password(SECRET, 8)), len(demo_password(SECRET, 64))) == (12, 64)
