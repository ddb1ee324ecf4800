"""The HTTP side of Ringback: signing in and staying signed in, people, calls, ICE servers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, Self, TypeVar

import httpx2
import msgspec

from .address import api_url
from .clock import Clock, SystemClock
from .errors import ApiError, Unreachable
from .model import (
    Call,
    Chat,
    Contact,
    ContactList,
    Contacts,
    Device,
    HistoryFilter,
    IceServer,
    LegQuality,
    MediaKind,
    Page,
    People,
    Recording,
    Transcript,
    User,
    Voicemail,
    Voicemails,
)

REQUEST_TIMEOUT_S = 10.0
# A token that ends this soon could end under way: it is renewed before use.
REFRESH_MARGIN_S = 30.0

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
T = TypeVar("T")


class _Tokens(msgspec.Struct, frozen=True):
    """The pair of one sign-in. Never shown: not in a repr, not in a log, not in an error."""

    access_token: str
    refresh_token: str
    expires_in: float

    def __repr__(self) -> str:
        return "_Tokens(…)"


class _SignIn(_Tokens, frozen=True):
    """The answer to a sign-in: the pair, and who it is for."""

    user: User


class _WsToken(msgspec.Struct, frozen=True):
    ws_token: str

    def __repr__(self) -> str:
        return "_WsToken(…)"


class _Devices(msgspec.Struct, frozen=True):
    items: list[Device]


class _Seen(msgspec.Struct, frozen=True):
    missed: int


class _Quality(msgspec.Struct, frozen=True):
    legs: list[LegQuality]


class _Recordings(msgspec.Struct, frozen=True):
    items: list[Recording]


class _IceServers(msgspec.Struct, frozen=True):
    ice_servers: list[IceServer]


class Api:
    """Requests to one server in the name of one person.

    Every method raises ApiError for an answer of 400 or above and Unreachable when none of Ringback's comes.

    Attributes:
        user: who is signed in; None before `sign_in` and after the end of the sign-in.
    """

    def __init__(self, base_url: str, *, timeout_s: float = REQUEST_TIMEOUT_S, clock: Clock | None = None) -> None:
        """`base_url` is the address that people know, without the prefix of the API: `https://calls.example`."""
        self.user: User | None = None
        self._base_url = base_url
        self._http = httpx2.AsyncClient(base_url=api_url(base_url), timeout=timeout_s)
        self._clock = clock or SystemClock()
        self._tokens: _Tokens | None = None
        self._expires_at = 0.0
        self._renewal: asyncio.Task[_Tokens] | None = None

    def __repr__(self) -> str:
        return f"<Api {self._base_url} {self.user.username if self.user else 'signed out'}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the HTTP connections. The sign-in lives on; `logout` ends it."""
        await self._http.aclose()

    # Signing in

    async def sign_in(self, username: str, password: str, device: str | None = None) -> User:
        """Sign in and stay so: from here on tokens are fetched, renewed and sent without further ado.

        `device` is the name under which the person finds this program in the list of their devices. ApiError
        `invalid_credentials` for a wrong name or password, `too_many_attempts` (with `retry_after_s`) after several.
        """
        body = {"username": username, "password": password} | ({"device": device} if device else {})
        answer = read(_SignIn, await self._send("POST", "/auth/login", body))
        self._keep(answer)
        self.user = answer.user
        return answer.user

    async def sign_in_by_token(self, refresh_token: str) -> User:
        """Go on with a sign-in that was begun elsewhere: that of a service account, by `ringback token --kind refresh`.

        The token counts once; from here on this program has the next ones. ApiError `unauthenticated`, `token_reused`.
        """
        begun = self._keep(_Tokens("", refresh_token, 0.0))
        await self._renew(begun)
        self.user = read(User, await self.request("GET", "/users/me"))
        return self.user

    async def refresh(self) -> None:
        """Exchange the tokens for new ones now. ApiError 401 means that the sign-in is over."""
        await self._renew(self._signed_in())

    async def access_token(self) -> str:
        """An access token that holds for at least half a minute."""
        return (await self._fresh_tokens()).access_token

    async def ws_token(self) -> str:
        """A token for one attempt to open a socket: one use, two minutes."""
        return read(_WsToken, await self.request("POST", "/auth/ws-token")).ws_token

    async def logout(self) -> None:
        """End this sign-in; its sockets close with 4506. Not being signed in any more is not an error."""
        try:
            await self.request("POST", "/auth/logout")
        except ApiError as error:
            if error.status != 401:
                raise
        finally:
            self._forget()

    # Devices

    async def devices(self) -> list[Device]:
        """The person's own sign-ins, the one that was there last first."""
        return read(_Devices, await self.request("GET", "/devices")).items

    async def change_device(self, device_id: str, *, label: str | None = None, silenced: bool | None = None) -> Device:
        """Rename a device, silence it or let it ring again; what is None stays. ApiError `not_found`, `bad_request`."""
        body = {name: value for name, value in (("label", label), ("silenced", silenced)) if value is not None}
        return read(Device, await self.request("PATCH", f"/devices/{device_id}", body))

    async def sign_out_device(self, device_id: str) -> None:
        """Sign a device out; its sockets close with 4506. ApiError `not_found`."""
        await self.request("DELETE", f"/devices/{device_id}")

    async def sign_out_other_devices(self) -> None:
        """Sign every device out but this one."""
        await self.request("DELETE", "/devices")

    # People and calls

    async def users(self, query: str = "", *, before: str | None = None) -> People:
        """People whose user name, or a word of whose display name, begins with `query`; by user name."""
        return read(People, await self.request("GET", "/users", q=query, before=before))

    async def contacts(self, which: ContactList = "contacts", *, before: str | None = None) -> Contacts:
        """One of the person's lists, the newest first."""
        return read(Contacts, await self.request("GET", "/contacts", state=which, before=before))

    async def add_contact(self, username: str) -> Contact:
        """Ask somebody to be a contact; `contacts` at once where they had asked.

        ApiError `user_not_found`, `cannot_add_self`, `too_many_contact_requests`, `bad_state` for somebody blocked.
        """
        return read(Contact, await self.request("POST", "/contacts", {"username": username}))

    async def accept_contact(self, user_id: str) -> Contact:
        """Take up somebody's request. ApiError `bad_state` if they have not asked."""
        return read(Contact, await self.request("POST", f"/contacts/{user_id}/accept"))

    async def decline_contact(self, user_id: str) -> Contact:
        """Turn somebody's request down. ApiError `bad_state` if they have not asked."""
        return read(Contact, await self.request("POST", f"/contacts/{user_id}/decline"))

    async def remove_contact(self, user_id: str) -> None:
        """Withdraw the own request, or end the contact. ApiError `not_found` if there is neither."""
        await self.request("DELETE", f"/contacts/{user_id}")

    async def set_favourite(self, user_id: str, favourite: bool) -> Contact:
        """Mark somebody as a favourite, or no longer."""
        return read(Contact, await self.request(_put_or_delete(favourite), f"/contacts/{user_id}/favourite"))

    async def set_blocked(self, user_id: str, blocked: bool) -> Contact:
        """Block somebody, or no longer. They are not told."""
        return read(Contact, await self.request(_put_or_delete(blocked), f"/contacts/{user_id}/block"))

    async def create_call(
        self, callees: list[str], media: MediaKind = "audio", *, client_key: str | None = None
    ) -> Call:
        """Call people by user name. The same `client_key` again gives the same call.

        ApiError `user_not_found`, `cannot_call_self`, `too_many_calls`. That somebody is busy is no error: see the leg.
        """
        body = {"callees": callees, "media": media} | ({"client_key": client_key} if client_key else {})
        return read(Call, await self.request("POST", "/calls", body))

    async def call(self, call_id: str) -> Call:
        """One call, live or over."""
        return read(Call, await self.request("GET", f"/calls/{call_id}"))

    async def calls(
        self,
        kind: HistoryFilter | None = None,
        *,
        query: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        before: str | None = None,
    ) -> Page:
        """The person's own history, newest first, missed calls included.

        `kind` and `query` (a beginning of a name) choose among them; `state` goes with neither.
        """
        wanted: dict[str, object] = {"filter": kind, "q": query, "state": state, "limit": limit, "before": before}
        return read(Page, await self.request("GET", "/calls", **wanted))

    async def mark_seen(self, until: str | None = None) -> int:
        """Say that the missed calls were seen, up to the one with the id `until`; how many are unread still."""
        body = {"until": until} if until else {}
        return read(_Seen, await self.request("POST", "/calls/seen", body)).missed

    async def forget_call(self, call_id: str) -> None:
        """Take a call that is over out of the own history. ApiError `not_found`, `bad_state` while it goes on."""
        await self.request("DELETE", f"/calls/{call_id}")

    async def forget_calls(self, until: str | None = None) -> None:
        """Take all calls that are over out of the own history, up to the one with the id `until`."""
        await self.request("DELETE", "/calls", until=until)

    async def quality(self, call_id: str) -> list[LegQuality]:
        """What those in a call have measured, each of their paths to the others. ApiError `forbidden`, `not_found`."""
        return read(_Quality, await self.request("GET", f"/calls/{call_id}/quality")).legs

    async def recordings(self, call_id: str) -> list[Recording]:
        """Every recording of a call, who agreed to it, and what is kept. ApiError `forbidden`, `not_found`."""
        return read(_Recordings, await self.request("GET", f"/calls/{call_id}/recordings")).items

    async def keep_recording(self, call_id: str, recording_id: str, content: bytes, duration_s: float) -> Recording:
        """Keep what was recorded (WebM, Ogg or MP4) with the call, once the recording has ended.

        ApiError `bad_state`, `forbidden`, `too_large`, `unsupported_media_type`, `rate_limited`.
        """
        path = f"/calls/{call_id}/recordings/{recording_id}"
        return read(Recording, await self.request("POST", path, content, duration_ms=round(1000 * duration_s)))

    async def recording(self, call_id: str, recording_id: str) -> bytes:
        """What is kept of a recording, in its `content_type`."""
        return await self.request("GET", f"/calls/{call_id}/recordings/{recording_id}")

    async def delete_recording(self, call_id: str, recording_id: str) -> None:
        """Delete what is kept of one's own recording, for everybody."""
        await self.request("DELETE", f"/calls/{call_id}/recordings/{recording_id}")

    async def transcript(self, call_id: str, *, limit: int | None = None, before: str | None = None) -> Transcript:
        """What was said in a call, the newest page first; `before` is the `next` of an earlier page.

        ApiError `forbidden`, `not_found`.
        """
        return read(Transcript, await self.request("GET", f"/calls/{call_id}/transcript", limit=limit, before=before))

    async def answer(self, call_id: str) -> Call:
        """Answer. ApiError `already_answered` if another device was faster, `call_ended` if it rings no longer."""
        return read(Call, await self.request("POST", f"/calls/{call_id}/answer"))

    async def invite(self, call_id: str, usernames: list[str]) -> Call:
        """Call others into a call that one takes part in. ApiError `call_full`, `bad_state` before it was answered."""
        return read(Call, await self.request("POST", f"/calls/{call_id}/invite", {"usernames": usernames}))

    async def chat(self, call_id: str, *, limit: int | None = None, before: str | None = None) -> Chat:
        """What was written in a call, newest first. ApiError `forbidden` for whoever did not take part, `not_found`."""
        return read(Chat, await self.request("GET", f"/calls/{call_id}/chat", limit=limit, before=before))

    async def decline(self, call_id: str) -> Call:
        """Decline, on all of the person's devices."""
        return read(Call, await self.request("POST", f"/calls/{call_id}/decline"))

    async def cancel(self, call_id: str) -> Call:
        """Take back a call that nobody has answered."""
        return read(Call, await self.request("POST", f"/calls/{call_id}/cancel"))

    async def hangup(self, call_id: str) -> Call:
        """End a call; where more than two talk and one is not the host, leave it."""
        return read(Call, await self.request("POST", f"/calls/{call_id}/hangup"))

    async def leave(self, call_id: str) -> Call:
        """Leave a call; the others talk on. One that only two have to do with ends."""
        return read(Call, await self.request("POST", f"/calls/{call_id}/leave"))

    # Voicemail

    async def leave_voicemail(
        self, call_id: str, recording: bytes, duration_s: float, waveform: Sequence[int] = ()
    ) -> Voicemail:
        """Leave a recording (WebM, Ogg or MP4) for whoever did not take that call.

        `waveform` is how loud it is: at most 128 numbers from 0 to 100. ApiError `bad_state` after a call that was
        taken, is of several, goes on, or is over for more than ten minutes; `already_left`, `mailbox_full`,
        `too_large`, `unsupported_media_type`.
        """
        query = {"duration_ms": round(1000 * duration_s), "waveform": ",".join(map(str, waveform))}
        return read(Voicemail, await self.request("POST", f"/calls/{call_id}/voicemail", recording, **query))

    async def voicemail(self, *, limit: int | None = None, before: str | None = None) -> Voicemails:
        """The messages that others left, newest first."""
        return read(Voicemails, await self.request("GET", "/voicemail", limit=limit, before=before))

    async def voicemail_audio(self, voicemail_id: str) -> bytes:
        """How a message sounds, in its `content_type`."""
        return await self.request("GET", f"/voicemail/{voicemail_id}/audio")

    async def mark_voicemail_heard(self, voicemail_id: str) -> Voicemail:
        """Say that the person has listened to a message."""
        return read(Voicemail, await self.request("POST", f"/voicemail/{voicemail_id}/heard"))

    async def delete_voicemail(self, voicemail_id: str) -> None:
        """Delete a message for good."""
        await self.request("DELETE", f"/voicemail/{voicemail_id}")

    # The rest

    async def ice_servers(self) -> list[IceServer]:
        """STUN and TURN servers, with credentials that live minutes: ask before each connection and ICE restart.

        ApiError `not_in_call` for somebody without a call that rings or goes on.
        """
        return read(_IceServers, await self.request("GET", "/ice-servers")).ice_servers

    async def health(self) -> dict[str, Any]:
        """`{"status", "version", "checks"}`, without a sign-in. ApiError from a server that cannot serve."""
        return read(dict[str, Any], await self._send("GET", "/health"))

    async def request(self, method: Method, path: str, body: object = None, **query: object) -> bytes:
        """Any request under the prefix in the person's name; the body of its answer, for `read`.

        `body` goes as JSON, or as it is if it is bytes; what is None in `query` is left out. It is sent once more with
        new tokens if the access token is refused.
        """
        tokens = await self._fresh_tokens()
        try:
            return await self._send(method, path, body, query, tokens)
        except ApiError as error:
            if error.status != 401:
                raise
        return await self._send(method, path, body, query, await self._renew(tokens))

    # Underneath

    async def _send(
        self,
        method: Method,
        path: str,
        body: object = None,
        query: dict[str, object] | None = None,
        tokens: _Tokens | None = None,
    ) -> bytes:
        """One request, its body as JSON unless it is a recording; the body of its answer."""
        kind, content = _body(body)
        try:
            response = await self._http.request(
                method,
                path,
                content=content,
                params={key: str(value) for key, value in (query or {}).items() if value is not None},
                headers=({} if kind is None else {"Content-Type": kind})
                | ({} if tokens is None else {"Authorization": f"Bearer {tokens.access_token}"}),
            )
        except httpx2.RequestError as error:
            raise Unreachable(f"{method} {path}: {type(error).__name__}") from error
        if response.status_code >= 400:
            raise _problem(response)
        if response.status_code >= 300:  # a hotel's sign-in page, say
            raise Unreachable(f"{method} {path}: redirected elsewhere with {response.status_code}")
        return response.content

    async def _fresh_tokens(self) -> _Tokens:
        tokens = self._signed_in()
        return tokens if self._clock.now() < self._expires_at - REFRESH_MARGIN_S else await self._renew(tokens)

    async def _renew(self, stale: _Tokens) -> _Tokens:
        """Exchange `stale` for a new pair, once, however many ask, and to the end, whoever stops waiting.

        A refresh token counts once: showing it again is taken for theft and ends the sign-in.
        """
        if self._tokens is not stale:
            return self._signed_in()
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._exchange(stale))
        return await asyncio.shield(self._renewal)

    async def _exchange(self, stale: _Tokens) -> _Tokens:
        try:
            answer = await self._send("POST", "/auth/refresh", {"refresh_token": stale.refresh_token})
        except ApiError as error:
            if error.status == 401:
                self._forget()
            raise
        return self._keep(read(_Tokens, answer))

    def _keep(self, tokens: _Tokens) -> _Tokens:
        self._tokens, self._expires_at = tokens, self._clock.now() + tokens.expires_in
        return tokens

    def _forget(self) -> None:
        self._tokens = self.user = None

    def _signed_in(self) -> _Tokens:
        if self._tokens is None:
            raise ApiError(401, "unauthenticated", "nobody is signed in")
        return self._tokens


class _Problem(msgspec.Struct, frozen=True):
    """`application/problem+json` (RFC 9457) with Ringback's additions."""

    code: str
    detail: str | None = None
    title: str | None = None
    errors: dict[str, str] | None = None
    request_id: str | None = None


def _problem(response: httpx2.Response) -> ApiError:
    """The error in an answer; what a proxy answers in Ringback's place is one without a code of Ringback's."""
    retry_after = response.headers.get("Retry-After", "")
    retry_after_s = float(retry_after) if retry_after.isdecimal() else None
    try:
        said = msgspec.json.decode(response.content, type=_Problem)
    except msgspec.MsgspecError:
        said = _Problem("http_error", f"the server answered {response.status_code}")
    return ApiError(
        response.status_code,
        said.code,
        said.detail or said.title or "",
        errors=said.errors,
        request_id=said.request_id,
        retry_after_s=retry_after_s,
    )


def _put_or_delete(wanted: bool) -> Method:
    """How a mark is set, or taken away."""
    return "PUT" if wanted else "DELETE"


def _body(body: object) -> tuple[str | None, bytes | None]:
    """The content type of what is sent, and its bytes; a recording says itself what it is."""
    if body is None:
        return None, None
    if isinstance(body, bytes):
        return "application/octet-stream", body
    return "application/json", msgspec.json.encode(body)


def read(shape: type[T], body: bytes) -> T:
    """The body of an answer as a `shape`; raises Unreachable if it is not one."""
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:  # it names the field and the rule, never a value
        raise Unreachable(f"the answer is not one of Ringback's: {error}") from error
