"""docs/protocol.md and the code say the same, in both directions."""

from __future__ import annotations

import inspect
import json
import re
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import msgspec
import pytest
from msgspec.inspect import type_info
from tornado.web import RequestHandler

from handlers.base import API, METHODS
from handlers.routes import ROUTES, Route
from handlers.sockets.elsewhere import SOCKET_PATHS
from ringback_client.close_codes import CLOSE_CODES
from server import errors
from server.app import Server
from server.calls.model import CallState, Device, EndReason, LegState, view
from server.calls.rules import Callee, Timing, place
from server.close_codes import REGISTRY
from server.config import describe, load_settings
from server.dialogues.model import ReplyState
from server.ids import new_id
from server.paths import docs_dir, static_dir
from server.realtime import frames
from server.realtime.endpoint import Endpoint
from server.rooms.room import SILENT_MEDIA
from server.store.driver import connect
from tests.markdown import Document, Row, code_in

DOCUMENT = Document(docs_dir() / "protocol.md")

EVERYWHERE = "on every socket"
SOCKETS = {"user": "on the user socket", "call": "on the call socket", "dialogue": "on the dialogue socket"}
TASK_SOCKETS = "on the task sockets"  # a client sends nothing of its own on them
SAID_WHERE = (EVERYWHERE, *SOCKETS.values(), TASK_SOCKETS)
EVENT_FIELDS = "an [event](#an-event-of-a-task)"
ADDRESS = re.compile(r"`([A-Z]+) (/\S*)`")

# How the document writes the types that the code has.
TYPE_WORDS: dict[type, set[str]] = {
    msgspec.inspect.StrType: {"string", "id", "time"},
    msgspec.inspect.IntType: {"integer"},
    msgspec.inspect.BoolType: {"boolean"},
    msgspec.inspect.ListType: {"list"},
    msgspec.inspect.DictType: {"object"},
    msgspec.inspect.StructType: {"user"},
    msgspec.inspect.AnyType: {"object", "call", "participant", "task"},
    msgspec.inspect.FloatType: {"number"},
    msgspec.inspect.RawType: {"string", "list"},
    msgspec.inspect.LiteralType: {"one"},
}

# --- Frames


def tag(frame: type[Any]) -> str:
    """The `type` of a frame."""
    return str(frame.__struct_config__.tag)


def endpoints() -> dict[str, Endpoint]:
    """The kinds of sockets of a server as it is put together, on a database that nobody asks for anything."""
    settings = load_settings(None, {}, {"auth.argon2_memory_kib": 8, "auth.argon2_time_cost": 1})
    return Server(
        settings, connect(settings.mongo, "mongodb://localhost"), "a key for tokens of no account"
    ).services.endpoints


ANYWHERE: tuple[type[frames.FromClient], ...] = (frames.Auth, *frames.EVERYWHERE)
READERS = {kind: endpoint.commands.reader for kind, endpoint in endpoints().items()}
CLIENT_FRAMES: dict[str, dict[str, type[frames.FromClient]]] = {
    EVERYWHERE: {tag(frame): frame for frame in ANYWHERE},
    **{
        where: {name: frame for name, frame in READERS[kind].types.items() if frame not in frames.EVERYWHERE}
        for kind, where in SOCKETS.items()
    },
}


def leaves(frame: type[Any]) -> list[type[Any]]:
    """The frames that are sent: those that no other is made of."""
    return [leaf for each in frame.__subclasses__() for leaf in leaves(each)] or [frame]


SERVER_FRAMES = {tag(frame): frame for frame in leaves(frames.ToClient)}


def documented_frames(direction: str, where: str) -> list[Row]:
    """The rows of one table of frames."""
    return DOCUMENT.rows(f"From {direction}, {where}")


def documented_fields(row: Row) -> dict[str, str]:
    """What a row says of each field, by name (with its `?`)."""
    if row["fields"] == EVENT_FIELDS:
        return {code_in(field["field"]): field["type"] for field in DOCUMENT.rows("An event of a task")}
    parts = [part for part in row["fields"].split("<br>") if part]
    return {code_in(part): part.partition("` ")[2] for part in parts}


def real_fields(frame: type[Any], envelope: type[Any]) -> dict[str, Any]:
    """The fields of a frame beside those of its envelope, as the document names them, with their types."""
    info: Any = type_info(frame)
    common = set(envelope.__struct_fields__) - ({"id"} if frame in (frames.Ack, frames.Error) else set())
    return {
        field.encode_name + ("" if field.required else "?"): field.type
        for field in info.fields
        if field.name not in common
    }


def plain(kind: Any) -> Any:
    """A type without its bounds and without null."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return plain(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return plain(next(each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType)))
    return kind


def assert_says(said: str, kind: Any) -> None:
    """The document's words for a field fit its type; of a Literal it has every value and no other."""
    assert re.split(r"\W", said)[0] in TYPE_WORDS[type(plain(kind))], said
    if isinstance(plain(kind), msgspec.inspect.LiteralType):
        assert set(re.findall(r'`"(\w+)"`', said)) == set(plain(kind).values)
    takes_null = isinstance(kind, msgspec.inspect.UnionType)
    assert ("or null" in said) == takes_null, said


@pytest.mark.parametrize("where", CLIENT_FRAMES)
def test_every_frame_that_a_client_may_send_is_documented_and_no_other(where: str) -> None:
    documented = [code_in(row["frame"]) for row in documented_frames("a client", where)]
    assert sorted(documented) == sorted(CLIENT_FRAMES[where])


@pytest.mark.parametrize("where", CLIENT_FRAMES)
def test_the_fields_of_a_clients_frames_are_those_of_the_registry(where: str) -> None:
    for row in documented_frames("a client", where):
        assert_fields(row, real_fields(CLIENT_FRAMES[where][code_in(row["frame"])], frames.FromClient))


def test_every_frame_of_the_server_is_documented_and_no_other() -> None:
    documented = {code_in(row["frame"]) for where in SAID_WHERE for row in documented_frames("the server", where)}
    assert documented == SERVER_FRAMES.keys()


@pytest.mark.parametrize("where", SAID_WHERE)
def test_the_fields_of_the_servers_frames_are_those_of_the_registry(where: str) -> None:
    for row in documented_frames("the server", where):
        assert_fields(row, real_fields(SERVER_FRAMES[code_in(row["frame"])], frames.ToClient))


def test_the_rows_of_events_are_those_of_the_registry() -> None:
    rows = [row for row in documented_frames("the server", TASK_SOCKETS) if row["fields"] == EVENT_FIELDS]
    assert [code_in(row["frame"]) for row in rows] == list(frames.TASK_EVENTS)


@pytest.mark.parametrize("kind", ["task", "tasks"])
def test_a_client_sends_nothing_of_its_own_on_a_task_socket(kind: str) -> None:
    assert set(READERS[kind].types.values()) == set(frames.EVERYWHERE)


def assert_fields(row: Row, real: dict[str, Any]) -> None:
    """A row has every field of a frame, with its type, and no other."""
    documented = documented_fields(row)
    assert documented.keys() == real.keys(), row["frame"]
    for name, said in documented.items():
        assert_says(said, real[name])


def test_the_frames_without_a_number_are_named() -> None:
    sentence = next(line for line in DOCUMENT.text.split("\n\n") if line.startswith("**From the server**"))
    named = re.findall(r"`(\w+)`", sentence.partition("must not be lost;")[2])
    assert set(named) == frames.UNNUMBERED


def test_the_sockets_are_those_of_the_routes() -> None:
    documented = {API + code_in(row["path"]) for row in DOCUMENT.rows("Sockets")}
    assert documented == {route.shown for route in ROUTES if route.kind == "socket"} == set(SOCKET_PATHS)


def test_a_participants_media_are_named() -> None:
    media = next(row for row in documented_frames("a client", SOCKETS["call"]) if code_in(row["frame"]) == "media")
    assert list(documented_fields(media)) == list(SILENT_MEDIA)


# --- The recorded conversation

RECORDED = [
    (*found.groups()[:2], json.loads(found[3]))
    for line in DOCUMENT.code("A recorded conversation")
    if (found := re.match(r"\w+/(user|call) ([→←]) (\{.*\})$", line))
]


@pytest.mark.parametrize(("kind", "frame"), [(kind, frame) for kind, arrow, frame in RECORDED if arrow == "→"])
def test_a_recorded_frame_of_a_client_can_be_read(kind: str, frame: dict[str, Any]) -> None:
    reader = frames.FrameReader(frames.Auth) if frame["type"] == "auth" else READERS[kind]
    refused = frame["type"] == "offer" and "sdp" not in frame  # the mistake in the conversation
    if refused:
        with pytest.raises(errors.BadRequest, match="sdp"):
            reader.read(json.dumps(frame).encode())
    else:
        assert tag(type(reader.read(json.dumps(frame).encode()))) == frame["type"]


@pytest.mark.parametrize("frame", [frame for _, arrow, frame in RECORDED if arrow == "←"])
def test_a_recorded_frame_of_the_server_has_the_fields_of_the_registry(frame: dict[str, Any]) -> None:
    info: Any = type_info(SERVER_FRAMES[frame["type"]])
    required = {field.encode_name for field in info.fields if field.required} | {"type"}
    numbered = set() if frame["type"] in frames.UNNUMBERED else {"seq"}
    allowed = {field.encode_name for field in info.fields} | {"type"} | numbered
    assert required | numbered <= frame.keys()
    assert frame["type"] == "ack" or frame.keys() <= allowed


def test_the_conversation_shows_most_frames() -> None:
    shown = {(arrow, frame["type"]) for _, arrow, frame in RECORDED}
    assert len(shown) > 20


# --- HTTP

API_ROUTES = [route for route in ROUTES if route.kind == "api"]


def methods_of(route: Route) -> list[str]:
    """The methods that an address takes."""
    unimplemented = RequestHandler._unimplemented_method
    return [each for each in METHODS if getattr(route.handler, each.lower(), unimplemented) is not unimplemented]


def body_of(address: str) -> type[msgspec.Struct] | None:
    """The struct that a handler reads its body into; None where it reads none or an empty one."""
    method, path = address.split()
    route = next(route for route in API_ROUTES if route.shown == API + path)
    source = inspect.getsource(getattr(route.handler, method.lower()))
    found = re.search(r"self\.read\((\w+)\)", source)
    shape = getattr(inspect.getmodule(route.handler), found[1]) if found else None
    return shape if shape is not None and shape.__struct_fields__ else None


REAL_ADDRESSES = {
    f"{method} {route.shown.removeprefix(API)}"
    for route in API_ROUTES
    for method in methods_of(route)
    if method != "HEAD"
}
DOCUMENTED_ADDRESSES = {
    f"{found[1]} {found[2]}" for title in DOCUMENT.headings() if (found := ADDRESS.fullmatch(title))
}


def test_every_address_is_documented_with_its_methods_and_no_other() -> None:
    assert DOCUMENTED_ADDRESSES == REAL_ADDRESSES


@pytest.mark.parametrize("address", sorted(DOCUMENTED_ADDRESSES))
def test_the_fields_of_a_body_are_those_of_the_handler(address: str) -> None:
    shape = body_of(address)
    info: Any = type_info(shape) if shape else None
    real = [field.name + ("" if field.required else "?") for field in info.fields] if info else []
    documented = [code_in(row["field"]) for row in DOCUMENT.rows(f"`{address}`") if "field" in row]
    assert sorted(documented) == sorted(real)


def test_the_actions_on_a_call_are_those_of_the_route() -> None:
    pattern = next(route.pattern for route in API_ROUTES if route.shown.endswith("/{action}"))
    documented = [code_in(row["action"]) for row in DOCUMENT.rows("`POST /calls/{call_id}/{action}`")]
    assert sorted(documented) == sorted(re.findall(r"[a-z]+", pattern.rpartition("/")[2]))


def test_the_prefix_is_that_of_the_code() -> None:
    assert f"under the prefix `{API}`" in DOCUMENT.text


# --- Errors, states, close codes, limits


def test_every_error_is_documented_with_its_status_and_no_other() -> None:
    documented = [(code_in(row["code"]), int(row["status"]), row["retryable"]) for row in DOCUMENT.rows("Errors")]
    real = [(error.code, error.status, yes_or_no(error.retryable)) for error in errors.catalogue()]
    assert sorted(documented) == sorted(real)


@pytest.mark.parametrize(
    ("heading", "column", "states"),
    [
        ("States of a call", "state", CallState),
        ("States of a leg", "state", LegState),
        ("Why a call ended", "end reason", EndReason),
    ],
)
def test_the_words_for_states_and_ends_are_those_of_the_model(heading: str, column: str, states: Any) -> None:
    assert [code_in(row[column]) for row in DOCUMENT.rows(heading)] == list(get_args(states))


def test_the_states_of_a_message_are_those_of_the_model() -> None:
    documented = [code_in(row["state"]) for row in DOCUMENT.rows("A message of a dialogue") if "state" in row]
    assert documented == ["stored", *get_args(ReplyState)]


def test_presence_is_documented_with_its_states() -> None:
    sentence = DOCUMENT.text.partition("### `GET /users`\n")[2].partition("\n#")[0]
    assert set(re.findall(r'`"(\w+)"`', sentence)) == set(get_args(frames.PresenceState))


def test_the_example_of_a_call_has_its_fields() -> None:
    alice, bob = frames.UserRef("a", "alice", "Alice"), Callee(user=frames.UserRef("b", "bob", "Bob"), reached=True)
    call = view(place(alice, Device("d", "laptop"), [bob], "video", datetime.now(UTC), Timing(), new_id), alice.id)
    example = json.loads("\n".join(DOCUMENT.code("A call")))
    assert example.keys() == call.keys()
    assert all(leg.keys() == call["legs"][0].keys() for leg in example["legs"])


def test_every_close_code_is_documented_with_what_it_asks_for_and_no_other() -> None:
    documented = [
        (int(row["code"]), code_in(row["name"]), row["action"], row["session kept"], int(row["retry after, ms"]))
        for row in DOCUMENT.rows("Closing")
    ]
    real = [
        (int(code), code.name.lower(), rule.action, yes_or_no(rule.session_kept), rule.retry_after_ms)
        for code, rule in REGISTRY.items()
    ]
    assert documented == real


def test_every_limit_is_documented_with_the_default_of_its_setting() -> None:
    defaults = {info.key: info.default for info in describe()}
    for row in DOCUMENT.rows("Limits"):
        assert float(row["default"].split()[0]) == defaults[code_in(row["setting"])], row["limit"]


def yes_or_no(value: bool) -> Literal["yes", "no"]:
    """As the tables write it."""
    return "yes" if value else "no"


# --- The clients have the same close codes


def test_the_reference_client_has_the_close_codes_of_the_registry() -> None:
    ours = {code: (entry.name, str(entry.action)) for code, entry in CLOSE_CODES.items()}
    assert ours == {int(code): (code.name.lower(), rule.action) for code, rule in REGISTRY.items()}


def test_the_pages_have_the_close_codes_of_the_registry() -> None:
    source = (static_dir() / "js" / "realtime" / "close_codes.js").read_text(encoding="utf-8")
    table = source.partition("CLOSE_CODES = Object.freeze({")[2].partition("});")[0]
    theirs = re.findall(r'(\d+): \{ name: "(\w+)", action: "(\w+)"', table)
    assert [(int(code), name, action) for code, name, action in theirs] == [
        (int(code), code.name.lower(), rule.action) for code, rule in REGISTRY.items()
    ]
