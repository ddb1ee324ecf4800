"""A connection may be cut anywhere: whoever comes back has missed nothing, and nothing comes twice."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

import msgspec
import pytest

from ringback_client.backoff import Backoff
from ringback_client.errors import Closed
from ringback_client.websocket import Credentials, RingbackSocket, SocketState
from server.close_codes import CloseCode
from server.realtime.bus import CallNews, call_topic
from tests.faults.conftest import Through
from tests.faults.conversation import Conversation, Ledger, Participant, Telephone
from tests.faults.cutting import AfterFrames
from tests.faults.proxy import End, Link, Proxy, Way
from tests.running import Running, StallingMongo, Start

QUICK_CLOSE: dict[str, object] = {"sockets.close_timeout_s": 0.05}
MANY_CALLS: dict[str, object] = {"calls.calls_per_minute": 1_000, "calls.calls_per_pair_per_minute": 1_000}
"""Whoever hangs half-open does not answer a close."""

PLACES = {"between frames": 0, "in a header": 1, "in a frame": 5}
"""How many bytes of the next frame come through."""

DIRECTIONS = ["up", "down"]


class Cutter:
    """Cuts the next link of a proxy in one direction after some frames, and no other."""

    def __init__(self, proxy: Proxy, direction: str, end_as: End = End.CUT) -> None:
        self._direction = direction
        self._cut: AfterFrames | None = None
        proxy.end_as = end_as
        proxy.prepare = self._prepare

    def arm(self, frames: int, more: int = 0) -> AfterFrames:
        """The cut that the next link gets."""
        self._cut = AfterFrames(frames, more)
        return self._cut

    def _prepare(self, link: Link) -> None:
        way: Way = getattr(link, self._direction)
        way.stop, self._cut = self._cut, None


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("end_as", End, ids=lambda end: end.name.lower())
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.gen_test
async def test_a_cut_after_any_frame_of_a_conversation_loses_nothing(
    start: Start, through: Through, direction: str, end_as: End, place: str
) -> None:
    running = await start(QUICK_CLOSE)
    proxy = await through(running.port)
    conversation, ledger = await Conversation.begin(running, proxy.port), Ledger()
    cutter = Cutter(proxy, direction, end_as)
    for frames in count():
        cut = cutter.arm(frames, PLACES[place])
        proxy.links[-1].end(End.CUT)
        await conversation.turn()
        await conversation.settle()
        conversation.expect_all_heard_once()
        await conversation.agree()
        ledger.check(proxy.links[-3:])
        if not cut.has_cut:
            break
    assert frames >= 4, "there were no frames to cut between"
    assert all(conversation.alice.resumed)
    await conversation.end()


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.gen_test
async def test_whoever_has_missed_too_much_is_told_so_and_sees_what_the_others_see(
    start: Start, through: Through, direction: str
) -> None:
    fast = {"sockets.frames_burst": 10_000, "sockets.chats_per_minute": 10_000}
    running = await start(QUICK_CLOSE | {"sockets.resume_frames": 10} | fast)
    proxy = await through(running.port)
    conversation, ledger = await Conversation.begin(running, proxy.port), Ledger()
    cutter = Cutter(proxy, direction, End.HALF_OPEN)
    for frames in count():
        cut = cutter.arm(frames)
        proxy.links[-1].end(End.CUT)
        await conversation.talk_behind_her_back(11)
        await conversation.turn()
        await conversation.agree()
        ledger.check(proxy.links[-3:])
        if not cut.has_cut:
            break
    assert frames >= 4, "there were no frames to cut between"
    assert not all(conversation.alice.resumed)
    await conversation.end()


@pytest.mark.parametrize("end_as", [End.RESET, End.HALF_OPEN], ids=lambda end: end.name.lower())
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.gen_test
async def test_a_cut_after_any_frame_of_an_inbox_loses_no_call(
    start: Start, through: Through, direction: str, end_as: End
) -> None:
    running = await start(QUICK_CLOSE | MANY_CALLS)
    proxy = await through(running.port)
    alice, bob = await running.people("alice", "bob")
    telephone, ledger = Telephone(bob, proxy.port), Ledger()
    inbox = await telephone.inbox.open()
    cutter = Cutter(proxy, direction, end_as)
    for frames in count():
        cut = cutter.arm(frames)
        proxy.links[-1].end(End.CUT)
        call = await alice.place("bob")
        assert await telephone.take_a_call() == call["call_id"]
        ended = (await alice.do("hangup", call)).document
        await running.until(lambda: not inbox.calls, "the end was told")
        assert (ended["end_reason"], ended["duration_s"] is not None, inbox.incoming) == ("hangup", True, {})
        told = telephone.told[call["call_id"]]
        assert told == sorted(set(told)), "a revision came twice or out of order"
        ledger.check(proxy.links[-3:])
        if not cut.has_cut:
            break
    assert frames >= 2, "there were no frames to cut between"
    await inbox.close()


@pytest.mark.parametrize("credentials", ["first_frame", "query", "header"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.gen_test
async def test_a_cut_while_a_socket_opens_costs_no_more_than_the_token(
    running: Running, through: Through, direction: str, credentials: Credentials
) -> None:
    alice = await running.person("alice")
    proxy = await through(running.port)
    cutter = Cutter(proxy, direction)
    url = f"ws://127.0.0.1:{proxy.port}/api/v1/ws/user"

    async def token() -> str:
        return alice.access_token if credentials == "header" else alice.ws_token()

    for frames in range(2):
        cut = cutter.arm(frames)
        socket = RingbackSocket(url, token, credentials=credentials, backoff=Backoff(lambda: 0.0))
        await socket.open()
        if direction == "up" and frames and credentials != "first_frame":
            await socket.send({"type": "ping"})  # else there is no frame to cut after
        await running.until(partial(_is_back, cut, socket), "it was cut, and is back")
        assert (await socket.request({"type": "ping"}))["type"] == "ack"
        await socket.close()


def _is_back(cut: AfterFrames, socket: RingbackSocket) -> bool:
    return cut.has_cut and socket.state is SocketState.CONNECTED


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.gen_test
async def test_a_cut_after_any_frame_of_a_hangup_ends_the_call_once_for_both(
    start: Start, through: Through, direction: str
) -> None:
    running = await start(MANY_CALLS)
    proxy = await through(running.port)
    alice, bob = await running.people("alice", "bob")
    cutter = Cutter(proxy, direction)
    for frames in count(1):
        call = await running.answered(alice, bob)
        theirs = Participant(bob, call, running.port)
        await theirs.room.open()
        cut = cutter.arm(frames)
        mine = Participant(alice, call, proxy.port)
        await mine.room.open()
        try:
            await mine.room.hangup()
        except Closed as closed:
            assert closed.name == "ended"
        for participant in (mine, theirs):
            ending = await participant.room.socket.closed()
            assert isinstance(ending, Closed) and ending.name in ("normal", "ended")
        (item,) = [each for each in await bob.history() if each["call_id"] == call["call_id"]]
        assert (item["state"], item["end_reason"]) == ("ended", "hangup")
        if not cut.has_cut:
            break
    assert frames > 2, "there were no frames to cut between"


@pytest.mark.gen_test
async def test_news_that_somebody_who_comes_in_has_read_already_is_told_to_the_others(running: Running) -> None:
    alice, bob = await running.people("alice", "bob")
    call, mine, theirs = await running.both_in(alice, bob)
    theirs.cut()
    await mine.next("call")  # the loss of the other's socket is stored, and told
    stored = await running.services.calls.get(call["call_id"])
    assert stored is not None
    changed = msgspec.structs.replace(stored, rev=stored.rev + 1)
    assert await running.services.calls.replace(changed, rev=stored.rev)
    await bob.again(theirs)
    running.server.bus.publish(call_topic(call["call_id"]), CallNews(changed))
    assert (await mine.next("call"))["call"]["rev"] == changed.rev


@pytest.mark.parametrize("path", ["/ws/user", "/ws/call/{call_id}"])
@pytest.mark.parametrize("resumes", [True, False], ids=["resumed", "new"])
@pytest.mark.gen_test
async def test_a_socket_given_up_while_it_was_let_in_does_not_end_the_one_that_came_after(
    start: Start, stalling: StallingMongo, path: str, resumes: bool
) -> None:
    running = await start(stalling.overrides())
    alice, bob = await running.people("alice", "bob")
    path = path.format(call_id=(await running.answered(alice, bob))["call_id"])
    first = await alice.open(path)
    await first.next("connected")
    asked: dict[str, Any] = {"resume": first.connection_id, "last_seq": "0"} if resumes else {}
    with stalling.holding_writes():  # a ws token is used up by a write, a bearer token is not
        given_up = await running.open(path, token=alice.ws_token(), **asked)
        back = await alice.open(path, **asked)
        await back.next("connected")
    if resumes or "call" in path:  # else they are two devices
        assert (await given_up.closed()).code == CloseCode.REPLACED
    assert (await back.request("ping"))["type"] == "ack"
