"""Signing in over HTTP: login, refresh, socket tokens, logout, registration, profile and password."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from handlers.base import ApiHandler
from server.auth.sign_ins import TokenPair
from server.calls.model import CallWaiting
from server.calls.quiet_hours import QuietHours
from server.errors import NotFound, RegistrationClosed
from server.store.users import Callers, User


class LoginBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /auth/login``."""

    username: Annotated[str, msgspec.Meta(max_length=64)]
    password: str
    device: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class RefreshBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /auth/refresh``."""

    refresh_token: Annotated[str, msgspec.Meta(max_length=4096)]


class RegisterBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /auth/register``."""

    username: str
    password: str
    display_name: str | None = None


class NoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where nothing is to be said."""


class ProfileBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``PATCH /users/me``; what is left out stays as it is."""

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    locale: Annotated[str, msgspec.Meta(max_length=35)] | msgspec.UnsetType | None = msgspec.UNSET
    do_not_disturb: bool | msgspec.UnsetType = msgspec.UNSET
    quiet_hours: QuietHours | msgspec.UnsetType | None = msgspec.UNSET
    call_waiting: CallWaiting | msgspec.UnsetType = msgspec.UNSET
    callers: Callers | msgspec.UnsetType = msgspec.UNSET


class PasswordBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /users/me/password``."""

    current_password: str
    new_password: str


def profile(user: User) -> dict[str, Any]:
    """A person as they see themselves."""
    return {
        "id": user.user_id,
        "username": user.username,
        "display_name": user.display_name,
        "locale": user.locale,
        "do_not_disturb": user.do_not_disturb,
        "quiet_hours": user.quiet_hours,
        "call_waiting": user.call_waiting,
        "callers": user.callers,
        "admin": user.admin,
    }


class LoginHandler(ApiHandler):
    """``POST /auth/login``."""

    public = True

    async def post(self) -> None:
        """200 with tokens; 401 ``invalid_credentials``; 429 ``too_many_attempts``."""
        body = self.read(LoginBody)
        sign_ins = self.services.sign_ins
        user, sign_in = await sign_ins.sign_in(
            body.username, body.password, self.device_label(body.device), self.request.remote_ip or ""
        )
        self.reply(
            token_answer(self.services.settings.auth.access_token_ttl_s, user, sign_ins.pair(sign_in))
            | {"ws_token": sign_ins.tokens.issue("ws", user.user_id, sign_in.sign_in_id)}
        )


class RefreshHandler(ApiHandler):
    """``POST /auth/refresh``."""

    public = True

    async def post(self) -> None:
        """200 with the next pair; 401 ``token_reused`` for one that was used before."""
        user, pair = await self.services.sign_ins.refresh(self.read(RefreshBody).refresh_token)
        self.reply(token_answer(self.services.settings.auth.access_token_ttl_s, user, pair))


def token_answer(expires_in_s: int, user: User, pair: TokenPair) -> dict[str, Any]:
    """What login and refresh have in common."""
    return {
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
        "token_type": "Bearer",
        "expires_in": expires_in_s,
        "user": user.ref,
    }


class WsTokenHandler(ApiHandler):
    """``POST /auth/ws-token``."""

    async def post(self) -> None:
        """A token that opens one socket, once."""
        self.read(NoBody)
        token = self.services.sign_ins.tokens.issue("ws", self.who.user.id, self.who.sign_in_id)
        self.reply({"ws_token": token, "expires_in": self.services.settings.auth.ws_token_ttl_s})


class LogoutHandler(ApiHandler):
    """``POST /auth/logout``."""

    async def post(self) -> None:
        """204; this sign-in's sockets close with 4506."""
        self.read(NoBody)
        await self.services.sign_ins.end(self.who.sign_in_id, "signed out")
        self.no_content()


class RegisterHandler(ApiHandler):
    """``POST /auth/register``."""

    public = True

    async def post(self) -> None:
        """201 with the profile; 403 ``registration_closed`` unless the configuration opens it."""
        if self.services.settings.auth.registration != "open":
            raise RegistrationClosed()
        body = self.read(RegisterBody)
        self.reply(profile(await self.services.accounts.add(body.username, body.password, body.display_name)), 201)


class MeHandler(ApiHandler):
    """``/users/me``."""

    async def get(self) -> None:
        """The own profile."""
        user = await self.services.users.get(self.who.user.id)
        if user is None:
            raise NotFound()
        self.reply(profile(user))

    async def patch(self) -> None:
        """Changes display name, locale (whichever of our languages it finds), and whose calls ring when."""
        body = self.read(ProfileBody)
        changes = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
        if not changes:
            return await self.get()
        if isinstance(body.locale, str):
            changes["locale"] = self.services.languages.chosen(body.locale, "locale").tag
        user = await self.services.accounts.change_profile(self.who.user.id, **changes)
        self.services.presence.changed(user.user_id, user.do_not_disturb, user.quiet_hours)
        if changes.keys() & {"do_not_disturb", "quiet_hours"} and user.wants_quiet(self.services.clock.now()):
            await self.services.switchboard.disturb_no_more(user.user_id)
        self.reply(profile(user))


class PasswordHandler(ApiHandler):
    """``POST /users/me/password``."""

    async def post(self) -> None:
        """204; every other sign-in of the person ends."""
        body = self.read(PasswordBody)
        await self.services.accounts.change_password(
            self.who.user.id,
            body.current_password,
            body.new_password,
            sign_in_id=self.who.sign_in_id,
            address=self.request.remote_ip or "",
        )
        self.no_content()


class UsersHandler(ApiHandler):
    """``GET /users?q=``."""

    async def get(self) -> None:
        """People with presence, by name; the cursor is the last name."""
        limit = self.page_limit()
        found = await self.services.users.search(
            self.get_query_argument("q", ""), limit=limit + 1, after=self.get_query_argument("before", None)
        )
        people = found[:limit]
        self.reply(
            {
                "items": await self.services.contacts.seen(self.who.user.id, people),
                "next": people[-1].username if len(found) > limit else None,
            }
        )
