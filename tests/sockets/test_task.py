"""``/ws/task/{task_id}``: whoever follows a task ends with the same list of events, whenever and however often they
connect."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pymongo
import pytest
from msgspec.structs import replace
from pymongo.database import Database

from handlers.base import API
from server.close_codes import CloseCode
from server.following.task import PAUSE_BYTES
from server.ids import new_id
from server.realtime.bus import TaskNews, task_topic
from server.store.tasks import TaskStore
from server.tasks.model import EventDraft, Task
from server.tasks.rules import decide, fold
from tests.following.lives import LIFE, begun, follow, heard, live, shown, story
from tests.peer import Peer
from tests.running import Person, Running, Start
from tests.sockets.held import Held, Moment
from tests.sockets.raw import RawClient

HISTORY = pytest.mark.parametrize("history", [True, False], ids=["history", "no history"])


class TestWhoeverConnects:
    @pytest.mark.gen_test
    async def test_at_every_moment_of_a_life_ends_with_the_same_list(self, start: Start) -> None:
        running = await start({"sockets.max_connections_per_user": 100})
        owner = await running.person("alice")
        task = await begun(owner)
        complete, later = [], []
        for draft in LIFE:
            complete.append(await follow(owner, task))
            later.append(await follow(owner, task, history=False))
            _, *during = await asyncio.gather(
                live(running, task, draft), follow(owner, task), follow(owner, task, history=False)
            )
            complete.append(during[0])
            later.append(during[1])
        complete.append(await follow(owner, task))
        later.append(await follow(owner, task, history=False))
        assert {(await peer.closed()).code for peer in (*complete, *later)} == {CloseCode.NORMAL}
        events = await story(running, task)
        assert len(events) == len(LIFE) + 1
        assert all(heard(peer) == events for peer in complete)
        assert all(heard(peer) == events[shown(peer)["number"] :] for peer in later)

    @pytest.mark.gen_test
    @HISTORY
    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("read", ["get", "events"])
    async def test_misses_nothing_that_happens_while_it_is_read(
        self, running: Running, monkeypatch: pytest.MonkeyPatch, read: str, when: Moment, history: bool
    ) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        await live(running, task, *LIFE[:2])
        held = Held(monkeypatch, read, when)
        peer = await follow(owner, task, history=history)
        await held.reached.wait()
        await live(running, task, *LIFE[2:])
        held.go_on()
        assert (await peer.closed()).code == CloseCode.NORMAL
        known = 0 if history else shown(peer)["number"]
        assert heard(peer) == (await story(running, task))[known:]

    @pytest.mark.gen_test
    @HISTORY
    async def test_when_it_is_over_is_told_so_and_let_go(self, running: Running, history: bool) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        await live(running, task, EventDraft(type="cancelled"))
        peer = await follow(owner, task, history=history)
        bye, code, _ = await peer.closed()
        assert (code, bye and bye["action"]) == (CloseCode.NORMAL, "stop")
        assert shown(peer)["state"] == "cancelled"
        types = ["queued", "cancelled"] if history else []
        assert [frame["type"] for frame in peer.frames] == ["connected", "current_status", *types, "bye"]

    @pytest.mark.gen_test
    async def test_is_told_how_it_stands_before_its_history(self, running: Running) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        await live(running, task, *LIFE[:1])
        peer = await follow(owner, task)
        await peer.next("started")
        status = peer.frames[1]
        assert [frame["type"] for frame in peer.frames] == ["connected", "current_status", "queued", "started"]
        assert (status["seq"], status["task_id"], status["task"]) == (1, task.task_id, shown(peer))
        tasks = running.services.tasks
        assert shown(peer) == tasks.view(await tasks.get(task.task_id, owner.id))

    @pytest.mark.gen_test
    async def test_with_a_number_is_told_what_comes_after_it(self, running: Running) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        await live(running, task, *LIFE)
        peer = await follow(owner, task, after="4")
        await peer.closed()
        assert [event["number"] for event in heard(peer)] == [5, 6, 7, 8, 9]

    @pytest.mark.gen_test
    @pytest.mark.parametrize("after", ["-1", "x", "", "1e3", "9" * 50])
    async def test_with_something_that_is_no_number_is_told_everything(self, running: Running, after: str) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        peer = await follow(owner, task, after=after)
        assert (await peer.next("queued"))["number"] == 1

    @pytest.mark.gen_test
    async def test_with_a_number_that_is_not_there_yet_is_told_what_happens(self, running: Running) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        peer = await follow(owner, task, after="700")
        await peer.next("current_status")
        await live(running, task, LIFE[0])
        assert (await peer.next("started"))["number"] == 2

    @pytest.mark.gen_test
    async def test_waits_for_one_look_at_the_database(
        self, running: Running, mongo_uri: str, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        await owner.api("GET", "/users/me")
        held = Held(monkeypatch, "events", "before")  # what is read after `connected`
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(mongo_uri) as client:
            profiled: Database[dict[str, Any]] = client[database]
            profiled.drop_collection("system.profile")
            profiled.command("profile", 2)
            path = f"/ws/task/{task.task_id}"
            await (await running.open(path, token=owner.ws_token(), include_history="true")).next("connected")
            profiled.command("profile", 0)
            done = Counter(entry["op"] for entry in profiled["system.profile"].find({"appName": "ringback"}))
            profiled.drop_collection("system.profile")
        held.go_on()
        assert done == {"insert": 1, "query": 1}  # the token is spent, the task is read


class TestWhoeverComesBack:
    """At every event the line breaks; every other one happens while it is broken."""

    @staticmethod
    async def lives(running: Running, owner: Person, back: Callable[[Peer], Awaitable[Peer]]) -> list[Peer]:
        """The sockets of one who follows a task from its first event to its last."""
        task = await begun(owner)
        peers = [await follow(owner, task)]
        await peers[0].next("queued")
        for at, draft in enumerate(LIFE):
            if at % 2 == 0:
                await live(running, task, draft)
                await peers[-1].next(draft.type)
            peers[-1].cut()
            await running.until_away(peers[-1])
            if at % 2:
                await live(running, task, draft)
            peers.append(await back(peers[-1]))
        assert (await peers[-1].closed()).code == CloseCode.NORMAL
        return peers

    @staticmethod
    async def everything(running: Running, peers: list[Peer]) -> list[dict[str, Any]]:
        task_id = shown(peers[0])["task_id"]
        task = await running.services.tasks.load(task_id)
        return await story(running, task)

    @pytest.mark.gen_test
    async def test_by_a_resume_has_every_event_once(self, running: Running) -> None:
        owner = await running.person("alice")

        async def back(peer: Peer) -> Peer:
            path = f"/ws/task/{shown(peer)['task_id']}"
            resume = {"resume": peer.connection_id, "last_seq": str(seen(peer))}
            again = await owner.open(path, include_history="true", **resume)
            again_sees[again] = seen(peer)
            assert (await again.next("resumed"))["complete"] is True
            return again

        again_sees: dict[Peer, int] = {}

        def seen(peer: Peer) -> int:
            return max(peer.last_seq, again_sees.get(peer, 0))

        peers = await self.lives(running, owner, back)
        assert heard(*peers) == await self.everything(running, peers)

    @pytest.mark.gen_test
    async def test_with_the_number_of_the_last_event_has_every_event_once(self, running: Running) -> None:
        owner = await running.person("alice")
        known = 0

        async def back(peer: Peer) -> Peer:
            nonlocal known
            known = max([known, *(event["number"] for event in heard(peer))])
            task_id = shown(peer)["task_id"]
            again = await owner.open(f"/ws/task/{task_id}", include_history="true", after=str(known))
            await again.next("current_status")
            return again

        peers = await self.lives(running, owner, back)
        assert heard(*peers) == await self.everything(running, peers)

    @pytest.mark.gen_test
    async def test_from_the_beginning_ends_with_the_same_list(self, running: Running) -> None:
        owner = await running.person("alice")

        async def back(peer: Peer) -> Peer:
            again = await owner.open(f"/ws/task/{shown(peer)['task_id']}", include_history="true")
            await again.next("current_status")
            return again

        peers = await self.lives(running, owner, back)
        events = await self.everything(running, peers)
        assert heard(peers[-1]) == events
        assert all(heard(peer) == events[: len(heard(peer))] for peer in peers)

    @pytest.mark.gen_test
    async def test_after_more_than_is_kept_for_them_begins_anew(self, start: Start) -> None:
        running = await start({"sockets.resume_frames": 2})
        owner = await running.person("alice")
        task = await begun(owner)
        first = await follow(owner, task)
        await first.next("queued")
        first.cut()
        await running.until_away(first)
        await live(running, task, *LIFE)
        resume = {"resume": first.connection_id, "last_seq": str(first.last_seq)}
        again = await follow(owner, task, **resume, after="1")
        await again.closed()
        assert again.connection_id != first.connection_id
        assert (await again.next("resumed"))["complete"] is False
        assert heard(first, again) == await story(running, task)

    @pytest.mark.gen_test
    async def test_after_the_end_is_told_of_it_and_let_go(self, running: Running) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        first = await follow(owner, task, history=False)
        await first.next("current_status")
        first.cut()
        await running.until_away(first)
        await live(running, task, *LIFE)
        again = await owner.again(first)
        assert (await again.closed()).code == CloseCode.NORMAL
        assert [frame["type"] for frame in again.frames][-3:] == ["completed", "resumed", "bye"]
        assert heard(again) == (await story(running, task))[1:]


class TestAServerThatIsKilledBetweenAnEventAndItsNews:
    """The event has happened, and nobody was told."""

    @staticmethod
    async def stored_untold(running: Running, owner: Person) -> Task:
        """A task that its document shows as it was before its last event."""
        task = await begun(owner)
        await live(running, task, LIFE[0])
        known = await running.services.tasks.load(task.task_id)
        event = decide(known, LIFE[1], new_id(), running.clock.now())
        await TaskStore(running.services.database).append(event)
        return task

    @pytest.mark.gen_test
    async def test_is_told_before_the_next_event(self, running: Running) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        peer = await follow(owner, task, history=False)
        await peer.next("current_status")
        await running.until(lambda: not len(running.services.background), "the store was looked at")
        event = decide(await running.services.tasks.load(task.task_id), LIFE[0], new_id(), running.clock.now())
        await TaskStore(running.services.database).append(event)
        await live(running, task, LIFE[1])
        await peer.next("progress")
        assert [each["number"] for each in heard(peer)] == [2, 3]

    @pytest.mark.gen_test
    @HISTORY
    async def test_is_told_to_whoever_connects(self, running: Running, history: bool) -> None:
        owner = await running.person("alice")
        peer = await follow(owner, await self.stored_untold(running, owner), history=history)
        assert (await peer.next("progress"))["number"] == 3
        assert shown(peer)["number"] == 2

    @pytest.mark.gen_test
    async def test_is_told_to_whoever_follows_all_tasks(self, running: Running) -> None:
        owner = await running.person("alice")
        await self.stored_untold(running, owner)
        peer = await owner.open(f"/ws/tasks/{owner.id}")
        assert (await peer.next("progress"))["number"] == 3

    @pytest.mark.gen_test
    async def test_is_told_to_nobody_when_all_have_gone_while_it_is_read(
        self, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        peer = await follow(owner, task, history=False)
        await peer.next("current_status")
        await running.until(lambda: not len(running.services.background), "the store was looked at")
        missed = decide(task, LIFE[0], new_id(), running.clock.now())
        known = fold(task, missed)
        heard_of = decide(known, LIFE[1], new_id(), running.clock.now())
        for event in (missed, heard_of):
            await TaskStore(running.services.database).append(event)
        held = Held(monkeypatch, "events", "after")
        running.server.bus.publish(task_topic(task.task_id), TaskNews(fold(known, heard_of), heard_of))
        await held.reached.wait()
        await peer.close()
        await running.until(lambda: not len(running.services.endpoints["task"]))  # type: ignore[arg-type]
        held.go_on()
        await running.until(lambda: not len(running.services.background), "it was read; an error logged fails the test")


class TestWhoMayFollow:
    @pytest.mark.gen_test
    async def test_a_task_that_is_not_there_and_one_of_others_are_answered_alike(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        root = await running.person("root", admin=True)
        task = await begun(alice)
        byes = []
        for person, task_id in ((bob, task.task_id), (bob, new_id()), (bob, "nonsense"), (root, task.task_id)):
            peer = await person.open(f"/ws/task/{task_id}", include_history="true")
            bye, code, reason = await peer.closed()
            assert bye is not None
            byes.append((code, reason, [frame["type"] for frame in peer.frames], bye | {"timestamp": ""}))
        assert byes == [byes[0]] * 4
        assert (byes[0][0], byes[0][2]) == (CloseCode.NOT_FOUND, ["bye"])

    @pytest.mark.gen_test
    async def test_one_who_is_sent_away_leaves_nothing_behind(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        task = await begun(alice)
        await (await follow(bob, task)).closed()
        await running.until(lambda: not running.services.hub.connections)
        assert (len(running.services.hub), len(running.services.endpoints["task"])) == (0, 0)  # type: ignore[arg-type]

    @pytest.mark.gen_test
    async def test_the_program_that_works_at_it_may(self, running: Running) -> None:
        alice = await running.person("alice")
        worker, other = await running.person("worker", service=True), await running.person("other", service=True)
        tasks, mine = running.services.tasks, alice.user.ref
        task = await tasks.create(alice.id, "external", {}, user=mine, worker_id=worker.id)
        await (await follow(worker, task)).next("queued")
        assert (await (await follow(other, task)).closed()).code == CloseCode.NOT_FOUND

    @pytest.mark.gen_test
    async def test_nobody_does_after_signing_out(self, running: Running) -> None:
        owner = await running.person("alice")
        peer = await follow(owner, await begun(owner))
        await peer.next("queued")
        await owner.api("POST", "/auth/logout")
        assert (await peer.closed()).code == CloseCode.SIGNED_OUT


@pytest.mark.gen_test
async def test_an_event_names_the_person_who_did_it(running: Running) -> None:
    owner = await running.person("alice")
    task = await begun(owner)
    await live(running, task, EventDraft(type="review_requested", data={"document": "# Plan"}))
    for path, body in (("review", {"decision": "approve"}), ("cancel", None)):
        assert (await owner.api("POST", f"/tasks/{task.task_id}/{path}", body)).status == 200
    await live(running, task, EventDraft(type="cancelled"))
    peer = await follow(owner, task)
    await peer.closed()
    people = {event["type"]: event["user_id"] for event in heard(peer)}
    nobody = dict.fromkeys(("queued", "review_requested", "cancelled"))
    assert people == nobody | {"reviewed": owner.id, "cancel_requested": owner.id}
    assert heard(peer) == await story(running, task)


@pytest.mark.gen_test
async def test_a_client_has_nothing_to_say(running: Running) -> None:
    owner = await running.person("alice")
    peer = await follow(owner, await begun(owner))
    assert (await peer.request("ping"))["type"] == "ack"
    assert (await peer.request("cancel"))["code"] == "unknown_type"


@pytest.mark.gen_test
async def test_an_event_is_made_into_a_frame_once_for_all(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = await running.person("alice")
    task = await begun(owner)
    peers = [await follow(owner, task) for _ in range(5)]
    for peer in peers:
        await peer.next("queued")
    await running.until(lambda: not len(running.services.background), "all are as far as everybody else")
    await live(running, task, LIFE[0])
    for peer in peers:
        await peer.next("started")
    bodies = {id(session.buffer.after(2)[0][1]) for session in running.services.hub.sessions_of(owner.id)}  # type: ignore[index]
    assert len(bodies) == 1


@pytest.mark.gen_test
async def test_a_history_longer_than_may_wait_reaches_a_slow_reader_whole(running: Running) -> None:
    owner = await running.person("alice")
    task = await begun(owner)
    long = decide(task, EventDraft(type="started", message="x" * 10_000), "", running.clock.now())
    store = TaskStore(running.services.database)
    await asyncio.gather(*(store.append(replace(long, key=new_id(), number=number)) for number in range(2, 602)))
    path = f"{API}/ws/task/{task.task_id}?include_history=true&token={owner.ws_token()}"
    async with await RawClient.connect(running.port, path, receive_buffer_bytes=4_096) as slow:
        slow.stop_reading()
        await running.until(lambda: any(each.buffered_bytes > PAUSE_BYTES for each in running.services.hub.connections))
        slow.read_on()
        frames = [json.loads((await slow.read_frame()).payload) for _ in range(603)]
    assert [frame["number"] for frame in frames[2:]] == list(range(1, 602))
