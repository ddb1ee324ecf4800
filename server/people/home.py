"""Everybody whom a person meets on their home page, each in one place."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from server.people.contacts import Contacts
from server.store.contacts import ContactList
from server.store.users import UserStore

SHOWN = 100
"""Of each list; who has more finds them by name."""
OTHERS_SHOWN = 50
"""Of those with whom the person has nothing to do yet."""
LISTS: tuple[ContactList, ...] = ("received", "favourites", "contacts", "sent", "blocked")
ORDER = ("online", "away", "in_call", "do_not_disturb", "offline")
"""Who can take a call now comes first."""

Item = dict[str, Any]
"""As ``GET /contacts`` gives it: user, state, favourite, blocked, presence."""


class Home(msgspec.Struct, frozen=True):
    """The lists of the home page; each of ``everybody`` stands in one of them, whoever asked also in ``received``."""

    everybody: list[Item]
    received: list[Item]
    favourites: list[Item]
    contacts: list[Item]
    others: list[Item]
    blocked: list[Item]


async def home_of(user_id: str, contacts: Contacts, users: UserStore) -> Home:
    """The home page of that person."""
    pages, others = await asyncio.gather(
        asyncio.gather(*(contacts.page(user_id, which, SHOWN) for which in LISTS)), _others(user_id, contacts, users)
    )
    known = {item["user"].id: item for page in pages for item in page.items}
    strangers = [item for item in others if item["user"].id not in known]
    return arranged(msgspec.to_builtins([*known.values(), *strangers]))


def arranged(everybody: list[Item]) -> Home:
    """``everybody`` in the lists, as static/js/pages/home.js arranges them when something changes."""
    everybody = sorted(everybody, key=_by_presence)
    heard = [item for item in everybody if not item["blocked"]]
    plain = [item for item in heard if not item["favourite"]]
    return Home(
        everybody,
        received=[item for item in heard if item["state"] == "received"],
        favourites=[item for item in heard if item["favourite"]],
        contacts=[item for item in plain if item["state"] == "contacts"],
        others=[item for item in plain if item["state"] != "contacts"],
        blocked=[item for item in everybody if item["blocked"]],
    )


async def _others(user_id: str, contacts: Contacts, users: UserStore) -> list[Item]:
    people = [user for user in await users.search("", limit=OTHERS_SHOWN + 1) if user.user_id != user_id]
    seen = await contacts.seen(user_id, people[:OTHERS_SHOWN])
    return [
        {
            "user": user.ref,
            "state": person["contact"],
            "favourite": person["favourite"],
            "blocked": person["blocked"],
            "presence": person["presence"],
        }
        for user, person in zip(people, seen, strict=False)
    ]


def _by_presence(item: Item) -> tuple[int, str]:
    return ORDER.index(item["presence"]), item["user"]["display_name"].casefold()
