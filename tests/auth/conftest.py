"""Fixtures of the tests of signing in.

auth        the whole of it on an empty database, with a clock that a test moves
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop

from server.auth.accounts import Accounts
from server.auth.passwords import Passwords
from server.auth.sign_ins import SignIns
from server.auth.throttle import LoginThrottle
from server.auth.tokens import Tokens
from server.realtime.bus import SIGN_INS, LocalBus, Message, SignInsEnded
from server.settings import AuthSettings
from server.store.driver import Database, connect
from server.store.sign_ins import SignInStore
from server.store.users import UserStore
from tests.clock import ManualClock
from tests.conftest import SettingsFactory
from tests.helpers import today

CACHE_S = 30.0


class Auth:
    """Accounts and sign-ins on one database; `second` is another process on the same one."""

    def __init__(self, database: Database, settings: AuthSettings, clock: ManualClock) -> None:
        self.database, self.settings, self.clock = database, settings, clock
        self.bus = LocalBus()
        self.ended: list[str] = []
        self.bus.subscribe(SIGN_INS, self._note)
        self.users, self.store = UserStore(database), SignInStore(database)
        self.passwords = Passwords(settings)
        self.tokens = Tokens(settings, settings.secret, clock)
        self.throttle = LoginThrottle(settings, clock)
        self.sign_ins = SignIns(
            self.users, self.store, self.tokens, self.passwords, self.throttle, self.bus, clock, CACHE_S
        )
        self.accounts = Accounts(self.users, self.sign_ins, self.passwords, clock)

    def second(self) -> Auth:
        """Another process: what it does, this one hears of only by the database."""
        return Auth(self.database, self.settings, self.clock)

    async def prepare(self) -> None:
        """Makes the indexes."""
        await self.users.ensure_indexes()
        await self.store.ensure_indexes()

    def _note(self, message: Message) -> None:
        if isinstance(message, SignInsEnded):
            self.ended += message.sign_in_ids


@pytest.fixture
def auth(io_loop: IOLoop, settings: SettingsFactory, mongo_overrides: dict[str, object]) -> Iterator[Auth]:
    """See the module's docstring."""
    made = settings(mongo_overrides)
    database = connect(made.mongo, made.mongo.uri)
    auth = Auth(database, made.auth, ManualClock(today()))
    io_loop.run_sync(auth.prepare)
    yield auth
    auth.passwords.close()
    database.close()
