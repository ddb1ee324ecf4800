"""The table of paths, walked: who may come, by which method, and what a look changes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from string import Formatter
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from tornado.web import RequestHandler

from handlers.base import API, METHODS, ApiHandler, BaseHandler
from handlers.routes import ROUTES, Route
from server.ids import new_id
from tests.handlers.browser import Browser
from tests.running import Running

SERVED = [route for route in ROUTES if route.kind != "socket"]
APIS = [route for route in SERVED if route.kind == "api"]
ALL_METHODS = (*METHODS, "OPTIONS")


def methods_of(route: Route) -> set[str]:
    """What the handler of a route implements."""
    nothing = RequestHandler._unimplemented_method
    return {method for method in ALL_METHODS if getattr(route.handler, method.lower()) is not nothing}


def address(route: Route, call_id: str) -> str:
    """The route's path for a real call; what else is named in it does not exist."""
    names = {name for _, name, _, _ in Formatter().parse(route.shown) if name}
    return route.shown.format(
        **dict.fromkeys(names, new_id()) | {"call_id": call_id, "action": "decline", "number": "1"}
    )


def each(routes: list[Route]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("route", routes, ids=[route.shown for route in routes])


@each(APIS)
def test_every_handler_of_the_api_speaks_json(route: Route) -> None:
    assert issubclass(route.handler, ApiHandler)


def test_only_these_addresses_are_open_to_everybody() -> None:
    public = {route.shown for route in SERVED if issubclass(route.handler, BaseHandler) and route.handler.public}
    assert public == {
        "/language",
        "/login",
        "/logout",
        *(f"{API}/auth/{name}" for name in ("login", "refresh", "register")),
        *(f"{API}/{name}" for name in ("health", "livez", "readyz", "metrics")),
        *(f"{API}/push/{name}" for name in ("ringing", "decline")),
    }


@each([route for route in APIS if not route.handler.public])  # type: ignore[attr-defined]
@pytest.mark.gen_test
async def test_an_address_that_is_not_public_asks_for_a_sign_in(running: Running, route: Route) -> None:
    for method in methods_of(route):
        answer = await running.fetch(method, address(route, new_id()))
        assert (answer.status, answer.code) == (401, "unauthenticated")


@each(SERVED)
@pytest.mark.gen_test
async def test_a_method_that_an_address_does_not_take_is_405_with_allow(running: Running, route: Route) -> None:
    alice = await running.person("alice")
    allowed = methods_of(route)
    for method in set(ALL_METHODS) - allowed - {"HEAD"}:
        answer = await running.fetch(method, address(route, new_id()), headers=alice.bearer)
        if route.kind == "page" and method != "GET" and method != "OPTIONS":
            assert answer.status == 403  # whatever is sent to a page needs the page's token first
            continue
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == allowed


@each(SERVED)
@pytest.mark.gen_test
async def test_a_look_changes_nothing(running: Running, mongo_uri: str, database: str, route: Route) -> None:
    alice, _ = await running.people("alice", "bob")
    call = await alice.place("bob")
    browser = await Browser.of(alice)
    before = contents(mongo_uri, database)
    for method, headers in itertools.product(("GET", "HEAD", "OPTIONS"), (alice.bearer, {})):
        await browser.fetch(method, address(route, call["call_id"]), headers=headers)
    assert contents(mongo_uri, database) == before


def contents(mongo_uri: str, database: str) -> dict[str, list[Any]]:
    """Every document there is."""
    client: MongoClient[Mapping[str, Any]]
    with MongoClient(mongo_uri) as client:
        stored: Database[Mapping[str, Any]] = client[database]
        return {name: list(stored[name].find(sort=[("_id", 1)])) for name in stored.list_collection_names()}


class TestWhatIsNotThere:
    @pytest.mark.gen_test
    @pytest.mark.parametrize(
        "path", ["", "/", "/nothing", "/calls/", "/calls/x", "/users/me/", "/api/v1/users", "/auth", "/calls/../users"]
    )
    async def test_under_the_prefix_is_a_problem(self, running: Running, path: str) -> None:
        answer = await running.api("GET", path)
        expected = "application/problem+json" if path else "text/html; charset=UTF-8"
        assert (answer.status, answer.headers["Content-Type"]) == (404, expected)

    @pytest.mark.gen_test
    async def test_is_404_for_every_method(self, running: Running) -> None:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            assert (await running.api(method, "/nothing")).status == 404

    @pytest.mark.gen_test
    async def test_includes_actions_on_calls_that_there_are_not(self, running: Running) -> None:
        alice, _ = await running.people("alice", "bob")
        call = await alice.place("bob")
        assert (await alice.do("explode", call)).status == 404

    @pytest.mark.gen_test
    async def test_includes_paths_in_other_capitals(self, running: Running) -> None:
        alice = await running.person("alice")
        assert (await alice.api("GET", "/Users/me")).status == 404


class TestASocketsPathWithoutAnUpgrade:
    @pytest.mark.gen_test
    async def test_is_no_page(self, running: Running) -> None:
        answer = await running.api("GET", "/ws/user")
        assert answer.status in (400, 426)

    @pytest.mark.gen_test
    async def test_takes_get_only(self, running: Running) -> None:
        answer = await running.api("POST", "/ws/user", {})
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")
