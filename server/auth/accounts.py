"""Accounts: who exists, what they are called, and how they change."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from server.auth.passwords import Passwords
from server.auth.sign_ins import SignIns
from server.calls.quiet_hours import require_good
from server.clock import Clock
from server.errors import BadRequest, InvalidCredentials, UsernameTaken, UserNotFound
from server.ids import new_id
from server.languages.sentences import N_
from server.store.driver import Duplicate
from server.store.users import User, UserStore

USERNAME = re.compile(r"[\w.\-]{2,64}")
USERNAME_RULE = N_("2 to 64 letters, digits, '.', '_' or '-'")
MAX_DISPLAY_NAME_CHARACTERS = 100


class Accounts:
    """Makes and changes people; every change that must end their sign-ins does so."""

    def __init__(self, users: UserStore, sign_ins: SignIns, passwords: Passwords, clock: Clock) -> None:
        self._users = users
        self._sign_ins = sign_ins
        self._passwords = passwords
        self._clock = clock
        self.on_remove: list[Callable[[str], Awaitable[object]]] = []
        """What else goes when somebody is taken away; each is given the user id. Doing it twice must be no error."""

    async def add(
        self,
        username: str,
        password: str,
        display_name: str | None = None,
        *,
        admin: bool = False,
        service: bool = False,
    ) -> User:
        """Somebody new; raises :class:`BadRequest` for a bad name or password, :class:`UsernameTaken`."""
        require_username(username)
        self._passwords.require_good(password)
        user = User(
            user_id=new_id(),
            username=username,
            display_name=good_display_name(display_name or username),
            password_hash=await self._passwords.hash(password),
            created_at=self._clock.now(),
            admin=admin,
            service=service,
        )
        try:
            await self._users.insert(user)
        except Duplicate:
            raise UsernameTaken(fields={"username": N_("taken")}) from None
        return user

    async def named(self, username: str) -> User:
        """The person of that name; raises :class:`UserNotFound`."""
        user = await self._users.by_name(username)
        if user is None:
            raise UserNotFound(N_("There is nobody called %(name)s", name=repr(username)))
        return user

    async def has_password(self, user: User, password: str) -> bool:
        """Whether ``password`` is that person's."""
        return await self._passwords.matches(user.password_hash, password)

    async def set_password(self, user: User, password: str, *, but: str | None = None) -> None:
        """A new password; every sign-in ``but`` one ends."""
        self._passwords.require_good(password)
        await self._users.change(user.user_id, password_hash=await self._passwords.hash(password))
        await self._sign_ins.end_all(user.user_id, "the password was changed", but=but)

    async def change_password(self, user_id: str, current: str, new: str, *, sign_in_id: str, address: str) -> None:
        """As :meth:`set_password`, by the person: raises :class:`InvalidCredentials` unless ``current`` is right, and
        :class:`~server.errors.TooManyAttempts` for too many guesses of it from ``address``."""
        user = await self._users.get(user_id)
        if user is None:
            raise UserNotFound()
        self._passwords.require_good(new, "new_password")
        try:
            await self._sign_ins.confirm(user, current, address)
        except InvalidCredentials:
            raise InvalidCredentials(
                "The current password is wrong", fields={"current_password": N_("wrong")}
            ) from None
        await self.set_password(user, new, but=sign_in_id)

    async def set_disabled(self, user: User, disabled: bool) -> None:
        """Shuts an account (its sign-ins end) or opens it again."""
        await self._users.change(user.user_id, disabled=disabled)
        if disabled:
            await self._sign_ins.end_all(user.user_id, "the account was disabled")

    async def remove(self, user: User) -> None:
        """Takes somebody away for good, with everything in ``on_remove``; their sign-ins end. Calls keep the name of
        who was in them."""
        await self.set_disabled(user, True)
        for remove_theirs in self.on_remove:
            await remove_theirs(user.user_id)
        await self._users.remove(user.user_id)

    async def change_profile(self, user_id: str, **fields: Any) -> User:
        """Sets any of ``display_name``, ``locale``, ``do_not_disturb``, ``quiet_hours``, ``call_waiting``, ``callers``.

        Raises :class:`BadRequest` for a display name or quiet hours that break their rules, :class:`UserNotFound`.
        """
        if "display_name" in fields:
            fields["display_name"] = good_display_name(fields["display_name"])
        if fields.get("quiet_hours") is not None:
            require_good(fields["quiet_hours"])
        user = await self._users.change(user_id, **fields)
        if user is None:
            raise UserNotFound()
        self._sign_ins.forget_user(user_id)
        return user


def require_username(username: str) -> None:
    """Raises :class:`BadRequest` unless ``username`` follows the rule (a telephone number is a user name)."""
    if not USERNAME.fullmatch(username):
        raise BadRequest.of("username", USERNAME_RULE)


def good_display_name(name: str) -> str:
    """``name`` without white space around it; raises :class:`BadRequest` if it is empty, long, or has line breaks."""
    name = name.strip()
    if not name or len(name) > MAX_DISPLAY_NAME_CHARACTERS or not name.isprintable():
        rule = N_("1 to %(count)s printable characters", count=MAX_DISPLAY_NAME_CHARACTERS)
        raise BadRequest.of("display_name", rule)
    return name
