"""Who stands where on the home page."""

from __future__ import annotations

from typing import Any

from server.people.home import arranged


def item(name: str, state: str = "none", presence: str = "online", **marks: bool) -> dict[str, Any]:
    """Somebody as the home page knows them."""
    user = {"id": name, "username": name, "display_name": name}
    return {"user": user, "state": state, "presence": presence, "favourite": False, "blocked": False} | marks


def names(items: list[dict[str, Any]]) -> list[str]:
    """Who they are, in their order."""
    return [each["user"]["username"] for each in items]


def test_whoever_can_take_a_call_now_comes_first() -> None:
    states = ("offline", "do_not_disturb", "in_call", "away", "online")
    home = arranged([item(state, presence=state) for state in states])
    assert names(home.others) == list(reversed(states))


def test_contacts_stand_apart_from_the_others() -> None:
    home = arranged([item("alice"), item("bob", "contacts"), item("carol", "sent")])
    assert (names(home.contacts), names(home.others)) == (["bob"], ["alice", "carol"])


def test_a_favourite_stands_nowhere_else() -> None:
    home = arranged([item("alice", "contacts", favourite=True), item("bob", favourite=True)])
    assert (names(home.favourites), home.contacts, home.others) == (["alice", "bob"], [], [])


def test_whoever_asks_can_be_called_all_the_same() -> None:
    home = arranged([item("alice", "received")])
    assert (names(home.received), names(home.others)) == (["alice"], ["alice"])


def test_somebody_blocked_stands_only_among_the_blocked() -> None:
    home = arranged([item("alice", "contacts", favourite=True, blocked=True)])
    assert names(home.blocked) == ["alice"]
    assert [home.received, home.favourites, home.contacts, home.others] == [[], [], [], []]
