"""One person on one server: HTTP and sockets tied together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from .address import socket_url
from .api import Api
from .backoff import Backoff
from .call import CallRoom
from .clock import Clock
from .dialogues import Dialogues
from .model import User
from .tasks import Tasks
from .user import UserInbox
from .websocket import Credentials, RingbackSocket


class Client:
    """The way into this package.

        async with Client("https://calls.example") as client:
            await client.sign_in("alice", password)
            call = await client.api.create_call(["bob"])
            async with client.room(call.call_id) as room:
                ...

    Attributes:
        api: everything over HTTP that has no attribute of its own here.
        tasks: what takes minutes: started, followed, stopped.
        dialogues: what is written with the assistant: started, asked, read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        credentials: Credentials = "first_frame",
        backoff: Callable[[], Backoff] = Backoff,
        clock: Clock | None = None,
    ) -> None:
        """`base_url` is the address that people know; `credentials` and `backoff` are those of its sockets."""
        self.api = Api(base_url, clock=clock)
        self._base_url = base_url
        self._credentials = credentials
        self._backoff = backoff
        self._clock = clock
        self.tasks = Tasks(self)
        self.dialogues = Dialogues(self)

    def __repr__(self) -> str:
        return f"<Client {self.api!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the HTTP connections. Sockets are closed by who opened them."""
        await self.api.close()

    async def sign_in(self, username: str, password: str, device: str | None = None) -> User:
        """Sign in; see `Api.sign_in`."""
        return await self.api.sign_in(username, password, device)

    async def sign_in_by_token(self, refresh_token: str) -> User:
        """Go on as a service account; see `Api.sign_in_by_token`."""
        return await self.api.sign_in_by_token(refresh_token)

    def inbox(self) -> UserInbox:
        """The socket on which this device rings, to be opened with `async with`."""
        return UserInbox(self.socket("/ws/user"), clock=self._clock)

    def room(self, call_id: str) -> CallRoom:
        """The room of a call, to be opened with `async with`."""
        return CallRoom(self.socket(f"/ws/call/{call_id}"))

    def socket(self, path: str) -> RingbackSocket:
        """Any other socket, by its path under the prefix: `/ws/task/…`."""
        return RingbackSocket(
            socket_url(self._base_url, path),
            # A header is not limited to one use, so it can carry the token that HTTP has; the other ways are made safe
            # by a token that counts once.
            self.api.access_token if self._credentials == "header" else self.api.ws_token,
            credentials=self._credentials,
            backoff=self._backoff(),
            clock=self._clock,
        )
