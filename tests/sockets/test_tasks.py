"""``/ws/tasks/{user_id}`` and the frame ``task`` on ``/ws/user``: all tasks of a person."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pymongo
import pytest
from pymongo.database import Database

from server.close_codes import CloseCode
from server.following import tasks as following_tasks
from server.ids import new_id
from server.languages.sentences import N_
from server.tasks.model import EventDraft
from server.wire import encode
from tests.following.lives import LIFE, begun, events_of, follow, heard, live, shown, story
from tests.peer import Peer
from tests.running import Person, Running, Start
from tests.sockets.held import Held, Moment


async def follow_all(person: Person, whose: Person | None = None, **query: str) -> Peer:
    """A socket on all tasks of somebody, upgraded; nothing has been received yet."""
    return await person.open(f"/ws/tasks/{(whose or person).id}", **query)


class TestTheSnapshot:
    @pytest.mark.gen_test
    async def test_has_the_open_tasks_first_and_then_the_newest_others(self, running: Running) -> None:
        owner = await running.person("alice")
        tasks = [await begun(owner, f"number {number}") for number in range(4)]
        for task in tasks[1:3]:
            await live(running, task, *LIFE)
        peer = await follow_all(owner)
        await peer.next("connected")
        listed = peer.connected["snapshot"]["tasks"]
        assert [task["title"] for task in listed] == ["number 3", "number 0", "number 2", "number 1"]
        views = [running.services.tasks.brief(await running.services.tasks.load(task["task_id"])) for task in listed]
        assert listed == views

    @pytest.mark.gen_test
    async def test_has_nothing_of_others(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await begun(alice)
        peer = await follow_all(bob)
        assert (await peer.next("connected"))["snapshot"] == {"tasks": []}

    @pytest.mark.gen_test
    async def test_waits_for_one_look_at_the_database(
        self, running: Running, mongo_uri: str, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = await running.person("alice")
        await begun(owner)
        await owner.api("GET", "/users/me")
        held = Held(monkeypatch, "newer", "before")  # what is read after `connected`
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(mongo_uri) as client:
            profiled: Database[dict[str, Any]] = client[database]
            profiled.drop_collection("system.profile")
            profiled.command("profile", 2)
            await (await running.open(f"/ws/tasks/{owner.id}", token=owner.ws_token())).next("connected")
            profiled.command("profile", 0)
            done = Counter(entry["op"] for entry in profiled["system.profile"].find({"appName": "ringback"}))
            profiled.drop_collection("system.profile")
        held.go_on()
        assert done == {"insert": 1, "query": 1}  # the token is spent, the tasks are read

    @pytest.mark.gen_test
    async def test_of_many_large_tasks_is_small(self, running: Running) -> None:
        owner = await running.person("alice")
        for number in range(20):
            result = {"url": f"/x/{number}", "text": "x" * 60_000}
            await live(running, await begun(owner), EventDraft(type="completed", data=result))
        peer = await follow_all(owner)
        await peer.next("connected")
        results = [task["result"] for task in peer.connected["snapshot"]["tasks"]]
        assert len(encode(peer.connected)) < 50_000  # more than a MiB may not wait for a reader
        assert results == [{"url": f"/x/{number}"} for number in reversed(range(20))]

    @pytest.mark.gen_test
    async def test_has_no_document_and_the_socket_of_the_task_has_it(self, running: Running) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        await live(running, task, EventDraft(type="review_requested", data={"document": "# Plan"}))
        all_tasks, one = await follow_all(owner), await follow(owner, task)
        await all_tasks.next("connected")
        await one.next("connected")
        (listed,) = all_tasks.connected["snapshot"]["tasks"]
        assert (listed["review"], shown(one)["review"]) == ({"round": 1}, {"document": "# Plan", "round": 1})

    @pytest.mark.gen_test
    async def test_leaves_out_what_is_over_where_all_would_be_too_much(
        self, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(following_tasks, "SNAPSHOT_BYTES", 1_500)  # two tasks are less, three are more
        owner = await running.person("alice")
        tasks = [await begun(owner, f"number {number}") for number in range(4)]
        for task in tasks[2:]:
            await live(running, task, EventDraft(type="cancelled"))
        peer = await follow_all(owner)
        await peer.next("connected")
        assert [task["title"] for task in peer.connected["snapshot"]["tasks"]] == ["number 1", "number 0"]


class TestEvents:
    @pytest.mark.gen_test
    async def test_of_every_task_come_in_the_order_of_each(self, running: Running) -> None:
        owner = await running.person("alice")
        first = await begun(owner)
        peer = await follow_all(owner)
        await peer.next("connected")
        second = await begun(owner)
        for draft in LIFE:
            await live(running, first, draft)
            await live(running, second, draft)
        await peer.next("completed")
        await peer.next("completed")
        told = heard(peer)
        assert [each for each in told if each["task_id"] == first.task_id] == (await story(running, first))[1:]
        assert [each for each in told if each["task_id"] == second.task_id] == await story(running, second)

    @pytest.mark.gen_test
    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_that_happen_while_the_tasks_are_read_come_once(
        self, running: Running, monkeypatch: pytest.MonkeyPatch, when: Moment
    ) -> None:
        owner = await running.person("alice")
        old = await begun(owner)
        held = Held(monkeypatch, "open_first", when)
        peer = await follow_all(owner)
        await held.reached.wait()
        await live(running, old, *LIFE)
        new = await begun(owner)
        await live(running, new, LIFE[0])
        held.go_on()
        await peer.next("connected")
        await live(running, new, LIFE[1])
        await peer.next("progress", task_id=new.task_id)
        known = Counter({task["task_id"]: task["number"] for task in peer.connected["snapshot"]["tasks"]})
        expected = [each for task in (old, new) for each in (await story(running, task))[known[task.task_id] :]]
        assert heard(peer) == expected

    @pytest.mark.gen_test
    async def test_come_by_a_resume_after_the_line_was_cut(self, running: Running) -> None:
        owner = await running.person("alice")
        task = await begun(owner)
        peer = await follow_all(owner)
        await peer.next("connected")
        peer.cut()
        await running.until_away(peer)
        await live(running, task, *LIFE)
        again = await owner.again(peer)
        assert (await again.next("resumed"))["complete"] is True
        assert heard(again) == (await story(running, task))[1:]

    @pytest.mark.gen_test
    async def test_of_one_person_do_not_come_to_others(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        peer = await follow_all(bob)
        await live(running, await begun(alice), *LIFE)
        assert await peer.settled() == ["connected"]


class TestWhoMayFollow:
    @pytest.mark.gen_test
    async def test_others_may_not(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        codes = [
            (await (await bob.open(f"/ws/tasks/{user_id}")).closed()).code for user_id in (alice.id, new_id(), "alice")
        ]
        assert codes == [CloseCode.FORBIDDEN] * 3

    @pytest.mark.gen_test
    async def test_an_administrator_may(self, running: Running) -> None:
        alice, root = await running.person("alice"), await running.person("root", admin=True)
        task = await begun(alice)
        peer = await follow_all(root, alice)
        assert len((await peer.next("connected"))["snapshot"]["tasks"]) == 1
        await live(running, task, LIFE[0])
        assert (await peer.next("started"))["task_id"] == task.task_id

    @pytest.mark.gen_test
    async def test_an_administrator_is_told_of_a_person_who_is_not_there(self, running: Running) -> None:
        root = await running.person("root", admin=True)
        peer = await root.open(f"/ws/tasks/{new_id()}")
        assert (await peer.closed()).code == CloseCode.NOT_FOUND

    @pytest.mark.gen_test
    async def test_nobody_leaves_anything_behind(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        await (await follow_all(bob, alice)).closed()
        peer = await follow_all(alice)
        await peer.next("connected")
        await peer.close()
        await running.until(lambda: not running.services.hub.connections)
        assert (len(running.services.hub), len(running.services.endpoints["tasks"])) == (0, 0)  # type: ignore[arg-type]


class TestDevices:
    @pytest.mark.gen_test
    async def test_are_told_neither_documents_nor_large_results(self, running: Running) -> None:
        owner = await running.person("alice")
        device = await owner.inbox()
        task = await begun(owner)
        drafts = (
            EventDraft(type="review_requested", data={"document": "# Plan"}),
            EventDraft(type="reviewed", data={"decision": "approve", "comment": "", "round": 1}),
            EventDraft(type="completed", data={"title": "Plan", "text": "x" * 5_000}),
        )
        await live(running, task, *drafts)
        told = [(await device.next("task"))["task"] for _ in range(4)]
        assert (told[1]["review"], told[3]["result"]) == ({"round": 1}, {"title": "Plan"})

    @pytest.mark.gen_test
    async def test_hear_at_each_event_how_the_task_stands(self, running: Running) -> None:
        owner = await running.person("alice")
        phone, laptop = await owner.inbox(), await (await running.device(owner.user)).inbox()
        task = await begun(owner)
        await live(running, task, *LIFE)
        for device in (phone, laptop):
            told = [await device.next("task") for _ in range(len(LIFE) + 1)]
            events = await events_of(running, task)
            assert [frame["task"]["number"] for frame in told] == [event.number for event in events]
            assert [frame["task"]["state"] for frame in told] == [event.state for event in events]
            last = await running.services.tasks.load(task.task_id)
            assert (told[-1]["task_id"], told[-1]["task"]) == (task.task_id, running.services.tasks.brief(last))

    @pytest.mark.gen_test
    async def test_of_others_hear_nothing(self, running: Running) -> None:
        alice, bob = await running.people("alice", "bob")
        device = await bob.inbox()
        await begun(alice)
        assert await device.settled() == []

    @pytest.mark.gen_test
    async def test_hear_it_in_their_language(self, running: Running) -> None:
        owner = await running.person("alice")
        english = await owner.inbox()
        await owner.api("PATCH", "/users/me", {"locale": "zh-Hans"})
        chinese = await owner.inbox()
        title = N_("Task of another program")
        task = await running.services.tasks.create(owner.id, "external", {}, user=owner.user.ref)
        titles = [(await device.next("task"))["task"]["title"] for device in (english, chinese)]
        language = running.services.languages.of("zh-Hans")
        assert language is not None
        assert titles == [title, language.translate(title)]
        assert titles[0] != titles[1]
        snapshot = (await (await follow_all(owner)).next("connected"))["snapshot"]
        assert [each["title"] for each in snapshot["tasks"]] == [titles[1]]
        assert task.title == title

    @pytest.mark.gen_test
    async def test_that_read_slowly_hear_only_how_it_stands_last(self, start: Start) -> None:
        running = await start({"sockets.coalesce_bytes": 1_024})
        owner = await running.person("alice")
        device = await owner.inbox()
        device.socket.transport.pause_reading()
        (session,) = running.services.hub.devices_of(owner.id)
        while session.connection is not None and session.connection.buffered_bytes <= 1_024:
            session.deliver(b'{"type":"unread","missed":1,"x":"%s"}' % (b"x" * 60_000))  # what the kernel takes differs
        task = await begun(owner)
        await live(running, task, *LIFE)
        device.socket.transport.resume_reading()
        await running.until(lambda: session.connection is not None and not session.connection.buffered_bytes)
        session.release_held()  # as the heartbeat does
        assert (await device.next("task"))["task"]["state"] == "completed"
