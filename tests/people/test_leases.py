"""Who is there, as another process on the same database sees it: two servers, of which one may die."""

from __future__ import annotations

import pytest
from tornado.ioloop import IOLoop

from server.errors import Unavailable
from tests.peer import Peer
from tests.running import Person, Running, StallingMongo, Start
from tests.store.conftest import Plans

LEASE_S = 30.0
RENEWAL_S = 10.0


def process(name: str) -> dict[str, object]:
    """The settings of one of several; the tests call the rounds themselves."""
    return {
        "server.node": name,
        "people.presence_round_s": RENEWAL_S,
        "people.presence_renewal_s": RENEWAL_S,
        "people.presence_lease_s": LEASE_S,
    }


class Two:
    """Two processes: `here` somebody watches, `there` are those who are watched."""

    def __init__(self, here: Running, there: Running) -> None:
        self.here = here
        self.there = there

    async def round(self) -> None:
        """What both do every other second, first the one that has something to tell."""
        await self.there.server.presence_round()
        await self.here.server.presence_round()

    def pass_by(self, seconds: float) -> None:
        """Time passes for both."""
        for running in (self.here, self.there):
            running.clock.move(seconds)

    async def watching(self, *others: Person) -> Peer:
        """The open page of somebody here who watches these people."""
        inbox = await (await self.here.person("watcher")).inbox()
        await inbox.request("watch", user_ids=[other.id for other in others])
        return inbox

    def sees(self, other: Person) -> str:
        """How somebody is, as seen here."""
        return self.here.services.presence.state(other.id)


@pytest.fixture
def two(io_loop: IOLoop, start: Start) -> Two:
    async def start_both() -> Two:
        return Two(await start(process("here")), await start(process("there")))

    made: Two = io_loop.run_sync(start_both)
    return made


async def told(inbox: Peer) -> list[str]:
    """The states that a page was told so far."""
    await inbox.settled()
    return [frame["state"] for frame in inbox.frames if frame["type"] == "presence"]


# ── as long as all is well ──


@pytest.mark.gen_test
async def test_a_page_hears_of_people_on_another_process(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    await two.round()
    assert await told(page) == ["online"]


@pytest.mark.gen_test
async def test_what_changes_there_is_told_here(two: Two) -> None:
    alice, bob = await two.there.people("alice", "bob")
    page = await two.watching(alice)
    inbox = await alice.inbox()
    await two.round()
    await inbox.request("presence", state="away")
    await two.round()
    _, room, _ = await two.there.both_in(alice, bob)
    await two.round()
    await inbox.request("presence", state="do_not_disturb")
    await two.round()
    await room.close()
    assert await told(page) == ["online", "away", "in_call", "do_not_disturb"]


@pytest.mark.gen_test
async def test_one_who_leaves_there_goes_offline_here(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    inbox = await alice.inbox()
    await two.round()
    inbox.cut()
    await two.there.until_away(inbox)
    two.there.clock.move(11)
    await two.there.server.sweep()
    await two.round()
    assert await told(page) == ["online", "offline"]


@pytest.mark.gen_test
async def test_lists_say_the_same_as_pages_are_told(two: Two) -> None:
    alice = await two.there.person("alice")
    await alice.inbox()
    await two.round()
    watcher = await two.here.person("watcher")
    items = (await watcher.api("GET", "/users?q=alice")).document["items"]
    assert [item["presence"] for item in items] == ["online"]


@pytest.mark.gen_test
async def test_a_device_on_another_process_counts_as_one_that_can_be_reached(two: Two) -> None:
    alice = await two.there.person("alice")
    await alice.inbox()
    await two.round()
    presence = two.here.services.presence
    assert (presence.is_online(alice.id), presence.can_ring(alice.id)) == (True, True)


@pytest.mark.gen_test
async def test_one_with_devices_here_and_there_is_there_until_both_are_gone(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    await (await two.here.device(alice.user)).inbox()
    await two.round()
    two.here.clock.move(LEASE_S)
    await two.here.server.presence_round()
    assert await told(page) == ["online"]


@pytest.mark.gen_test
async def test_one_is_away_when_the_devices_here_and_there_are(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    for running in (two.there, two.here):
        inbox = await (await running.device(alice.user)).inbox()
        await inbox.request("presence", state="away")
        await two.round()
    assert await told(page) == ["away", "online", "away"]  # a new device begins as used


@pytest.mark.gen_test
async def test_do_not_disturb_that_is_set_here_holds_for_devices_there(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    await two.round()
    elsewhere = await two.here.device(alice.user)
    await elsewhere.api("PATCH", "/users/me", {"do_not_disturb": True})
    await two.round()
    assert await told(page) == ["online", "do_not_disturb"]
    assert two.there.services.presence.state(alice.id) == "do_not_disturb"


@pytest.mark.gen_test
async def test_a_block_there_hides_from_a_page_here_and_its_end_shows_again(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    await two.round()
    watcher = await two.here.services.accounts.named("watcher")
    for method in ("PUT", "DELETE"):
        assert (await alice.api(method, f"/contacts/{watcher.user_id}/block")).status == 200
        await two.round()
    assert await told(page) == ["online", "offline", "online"]


@pytest.mark.gen_test
async def test_a_block_is_told_once_however_many_rounds_read_it(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    watcher = await two.here.services.accounts.named("watcher")
    await alice.inbox()
    await two.round()
    for method, states in [("PUT", ["online", "offline"]), ("DELETE", ["online", "offline", "online"])]:
        assert (await alice.api(method, f"/contacts/{watcher.user_id}/block")).status == 200
        for _ in range(3):
            await two.round()
        assert await told(page) == states


@pytest.mark.gen_test
async def test_a_device_that_goes_takes_its_signs_with_it_though_another_came_meanwhile(two: Two) -> None:
    alice = await two.there.person("alice")
    laptop = await two.there.device(alice.user)
    await laptop.api("PATCH", f"/devices/{laptop.sign_in_id}", {"silenced": True})
    telephone = await alice.inbox()
    await two.round()
    assert two.here.services.presence.can_ring(alice.id)
    telephone.cut()
    await two.there.until_away(telephone)
    two.pass_by(5)
    await (await laptop.inbox()).request("presence", state="away")
    await two.round()
    two.pass_by(6)
    two.there.services.presence.sweep()
    await two.round()
    assert (two.sees(alice), two.here.services.presence.can_ring(alice.id)) == ("away", False)


# ── leases ──


@pytest.mark.gen_test
async def test_people_of_a_process_that_died_go_offline_within_the_lease(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    await two.round()
    two.here.clock.move(LEASE_S - 1)
    await two.here.server.presence_round()  # and of the other one there is no word any more
    assert await told(page) == ["online"]
    two.here.clock.move(1)
    await two.here.server.presence_round()
    assert await told(page) == ["online", "offline"]
    assert not two.here.services.presence.is_online(alice.id)


@pytest.mark.gen_test
async def test_people_of_a_process_that_lives_stay(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    for _ in range(10):
        await two.round()
        two.pass_by(RENEWAL_S)
    assert await told(page) == ["online"]


@pytest.mark.gen_test
async def test_people_of_a_process_that_stops_are_gone_at_once(two: Two) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    await two.round()
    await two.there.server.stop(within_s=2.0)
    await two.here.server.presence_round()
    assert await told(page) == ["online", "offline"]


@pytest.mark.gen_test
async def test_a_process_that_has_stopped_tells_nothing_any_more(two: Two) -> None:
    alice = await two.there.person("alice")
    await alice.inbox()
    await two.there.server.leases.end()
    await two.round()
    assert two.sees(alice) == "offline"


@pytest.mark.gen_test
async def test_a_process_that_starts_removes_what_an_earlier_one_of_its_name_left(two: Two, start: Start) -> None:
    alice = await two.there.person("alice")
    page = await two.watching(alice)
    await alice.inbox()
    await two.round()
    next_one = await start(process("there"))  # the other one died
    await next_one.server.presence_round()
    await two.here.server.presence_round()
    assert await told(page) == ["online", "offline"]


@pytest.mark.gen_test
async def test_a_process_whose_leases_were_thrown_away_writes_them_again(two: Two) -> None:
    alice = await two.there.person("alice")
    await alice.inbox()
    await two.round()
    await two.there.services.database.collection("presence").delete({})
    two.pass_by(RENEWAL_S)
    await two.round()
    assert two.sees(alice) == "online"


@pytest.mark.gen_test
async def test_what_could_not_be_written_is_written_later(start: Start, stalling: StallingMongo) -> None:
    settings = stalling.overrides(timeout_ms=300)
    two = Two(await start(settings | process("here")), await start(settings | process("there")))
    alice, bob, carol = await two.there.people("alice", "bob", "carol")
    inbox = await alice.inbox()
    await bob.inbox()
    await two.round()
    await inbox.request("presence", state="away")
    with stalling.stalled(), pytest.raises(Unavailable):
        await two.there.server.presence_round()
    await carol.inbox()
    await two.round()
    assert [two.sees(each) for each in (alice, bob, carol)] == ["away", "online", "online"]


@pytest.mark.gen_test
async def test_without_a_database_what_was_seen_elsewhere_stays(start: Start, stalling: StallingMongo) -> None:
    settings = stalling.overrides(timeout_ms=300)
    two = Two(await start(settings | process("here")), await start(settings | process("there")))
    alice = await two.there.person("alice")
    await alice.inbox()
    await two.round()
    with stalling.stalled(), pytest.raises(Unavailable):
        await two.here.server.presence_round()
    assert two.sees(alice) == "online"


@pytest.mark.gen_test
async def test_a_round_asks_the_database_no_oftener_for_many_people(two: Two, plans: Plans) -> None:
    people = await two.there.people(*(f"p{number}" for number in range(30)))
    page = await two.watching(*people)
    for person in people:
        await person.inbox()
    await two.round()
    asked = [plan for plan in plans() if " presence:" in plan]
    assert len(asked) < 10  # of both processes; a new document has no plan
    assert sorted(await told(page)) == ["online"] * 30


@pytest.mark.gen_test
async def test_a_quiet_round_writes_nothing(two: Two) -> None:
    alice = await two.there.person("alice")
    await alice.inbox()
    await two.round()
    presence = two.there.services.database.collection("presence")
    before = await presence.find({})
    await two.round()
    assert await presence.find({}) == before


@pytest.mark.gen_test
async def test_somebody_who_is_seen_nowhere_leaves_no_document(two: Two) -> None:
    alice = await two.there.person("alice")
    inbox = await alice.inbox()
    await two.round()
    await inbox.close(1000)
    await two.there.until(lambda: not two.there.services.hub.devices_of(alice.id))
    two.there.clock.move(11)
    await two.there.server.sweep()
    await two.round()
    assert await two.there.services.database.collection("presence").count({}) == 0
