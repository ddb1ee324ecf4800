"""People in MongoDB."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import asdict, replace
from tornado.ioloop import IOLoop

from server.ids import new_id
from server.store.driver import Database, Duplicate
from server.store.users import INDEXES, MIGRATION_BATCH, User, UserStore
from tests.helpers import today
from tests.store.conftest import Plans


@pytest.fixture
def store(db: Database, io_loop: IOLoop) -> UserStore:
    store = UserStore(db)
    io_loop.run_sync(store.ensure_indexes)
    return store


def user(name: str = "alice") -> User:
    return User(new_id(), name, name.capitalize(), "a hash", today())


async def stored(store: UserStore, *people: User) -> list[User]:
    for person in people:
        await store.insert(person)
    return list(people)


async def found(store: UserStore, text: str, *, limit: int = 50, after: str | None = None) -> list[str]:
    """The names that a search gives."""
    return [person.username for person in await store.search(text, limit=limit, after=after)]


@pytest.mark.gen_test
async def test_somebody_comes_back_as_they_were_stored(store: UserStore) -> None:
    person = replace(user(), admin=True, service=True, disabled=True, locale="de", do_not_disturb=True)
    await stored(store, person)
    assert await store.get(person.user_id) == person


@pytest.mark.gen_test
async def test_an_unknown_id_is_nobody(store: UserStore) -> None:
    assert await store.get(new_id()) is None


@pytest.mark.gen_test
@pytest.mark.parametrize(("name", "asked"), [("alice", "ALICE"), ("Ärger", "ärger"), ("straße", "STRASSE")])
async def test_somebody_is_found_however_the_name_is_capitalised(store: UserStore, name: str, asked: str) -> None:
    (person,) = await stored(store, user(name))
    assert await store.by_name(asked) == person


@pytest.mark.gen_test
async def test_the_name_is_kept_as_it_was_written(store: UserStore) -> None:
    await stored(store, user("McAlice"))
    person = await store.by_name("mcalice")
    assert person is not None and person.username == "McAlice"


@pytest.mark.gen_test
async def test_a_name_is_taken_once_however_it_is_capitalised(store: UserStore) -> None:
    await stored(store, user("alice"))
    with pytest.raises(Duplicate):
        await store.insert(user("ALICE"))


@pytest.mark.gen_test
async def test_exactly_one_of_20_people_gets_a_name(store: UserStore) -> None:
    results = await asyncio.gather(*(store.insert(user("alice")) for _ in range(20)), return_exceptions=True)
    assert [result for result in results if not isinstance(result, Duplicate)] == [None]


@pytest.mark.gen_test
async def test_many_are_found_by_names(store: UserStore) -> None:
    people = await stored(store, user("alice"), user("bob"), user("carol"))
    assert {person.username for person in await store.by_names(["ALICE", "bob", "nobody"])} == {"alice", "bob"}
    assert await store.by_names([]) == []
    assert len(people) == 3


@pytest.mark.gen_test
async def test_many_are_found_by_ids(store: UserStore) -> None:
    alice, bob, _ = await stored(store, user("alice"), user("bob"), user("carol"))
    got = await store.by_ids([alice.user_id, bob.user_id, new_id()])
    assert {person.user_id for person in got} == {alice.user_id, bob.user_id}


@pytest.mark.gen_test
async def test_a_search_finds_those_whose_user_name_begins_so_in_order(store: UserStore) -> None:
    await stored(store, user("bob"), user("alina"), user("Alice"), user("zal"))
    assert await found(store, "AL") == ["Alice", "alina"]


@pytest.mark.gen_test
async def test_an_empty_search_finds_everybody(store: UserStore) -> None:
    await stored(store, user("bob"), user("alice"))
    assert await found(store, "") == ["alice", "bob"]


@pytest.mark.gen_test
async def test_a_search_leaves_services_and_disabled_people_out(store: UserStore) -> None:
    await stored(store, user("alice"), replace(user("alworker"), service=True), replace(user("algone"), disabled=True))
    assert await found(store, "al") == ["alice"]


@pytest.mark.gen_test
async def test_a_search_comes_in_pages(store: UserStore) -> None:
    await stored(store, *(user(f"al{number}") for number in range(5)))
    first = await found(store, "al", limit=2)
    assert (first, await found(store, "al", limit=2, after=first[-1])) == (["al0", "al1"], ["al2", "al3"])


@pytest.mark.gen_test
async def test_a_page_begins_after_a_name_however_it_is_capitalised(store: UserStore) -> None:
    await stored(store, user("alice"), user("bob"))
    assert await found(store, "", after="ALICE") == ["bob"]


@pytest.mark.gen_test
@pytest.mark.parametrize("text", [".", ".*", "^a", "a|b", "(", "[", "\\", "$", "a\x00", "$regex", "alice.*"], ids=ascii)
async def test_a_search_is_for_text_and_not_for_a_pattern(store: UserStore, text: str) -> None:
    await stored(store, user("alice"))
    assert await found(store, text) == []


@pytest.mark.gen_test
async def test_a_search_finds_signs_that_mean_something_in_patterns(store: UserStore) -> None:
    await stored(store, user("a.b"), user("axb"), user("a-b"))
    assert await found(store, "a.") == ["a.b"]


@pytest.mark.gen_test
async def test_a_search_finds_names_in_any_script(store: UserStore) -> None:
    await stored(store, user("阿黛"), user("阿尔"), user("\U00020000阿"))
    assert [await found(store, text) for text in ("阿黛", "阿", "黛", "\U00020000")] == [
        ["阿黛"],
        ["阿尔", "阿黛", "\U00020000阿"],
        ["阿黛"],
        ["\U00020000阿"],
    ]


@pytest.mark.gen_test
@pytest.mark.parametrize("text", ["sch", "anna-lena sch", "LENA", "anna lena", "  Anna", "Ann\u0101"], ids=ascii)
async def test_a_search_finds_by_words_of_the_display_name(store: UserStore, text: str) -> None:
    await stored(store, replace(user("asc"), display_name="Anna-Lena Schäfer"), user("other"))
    assert await found(store, text) == ([] if text == "anna lena" else ["asc"])


@pytest.mark.gen_test
@pytest.mark.parametrize("text", ["nna", "chäfer", "na-le", "Schäfer Anna"])
async def test_a_search_finds_nobody_by_the_inside_of_a_word(store: UserStore, text: str) -> None:
    await stored(store, replace(user("asc"), display_name="Anna-Lena Schäfer"))
    assert await found(store, text) == []


@pytest.mark.gen_test
async def test_a_search_finds_only_by_one_key_that_begins_so(store: UserStore) -> None:
    await stored(store, replace(user("aaa"), display_name="Zoe"))  # one key before "m", one after it
    assert await found(store, "m") == []


@pytest.mark.gen_test
async def test_a_search_finds_somebody_once_however_many_words_begin_so(store: UserStore) -> None:
    await stored(store, replace(user("anna"), display_name="Anna Anders"))
    assert await found(store, "an") == ["anna"]


@pytest.mark.gen_test
async def test_a_search_goes_by_the_new_display_name_only(store: UserStore) -> None:
    (person,) = await stored(store, user("alice"))
    await store.change(person.user_id, display_name="Björk")
    assert [await found(store, text) for text in ("bjork", "Alice", "bob")] == [["alice"], ["alice"], []]
    await store.change(person.user_id, display_name="Carla")
    assert await found(store, "bjork") == []


@pytest.mark.gen_test
async def test_people_who_were_stored_without_search_keys_get_them_once(store: UserStore) -> None:
    people = [replace(user(f"al{number}"), display_name=f"Zoë {number}") for number in range(MIGRATION_BATCH + 2)]
    await store._users.insert_all(
        [{"_id": each.user_id, "username_key": each.username, **asdict(each)} for each in people]
    )
    assert await found(store, "zoe 7") == []
    assert (await store.add_missing_search_keys(), await store.add_missing_search_keys()) == (len(people), 0)
    assert await found(store, "zoe 7", limit=2) == ["al7", "al70"]


@pytest.mark.gen_test
@pytest.mark.parametrize("text", ["$ne", "{'$gt': ''}", "\x00", ""], ids=ascii)
async def test_texts_that_look_like_operators_find_nobody(store: UserStore, text: str) -> None:
    await stored(store, user())
    assert (await store.get(text), await store.by_name(text), await store.by_names([text])) == (None, None, [])


@pytest.mark.gen_test
async def test_everybody_is_listed_by_name(store: UserStore) -> None:
    await stored(store, user("bob"), replace(user("Alice"), disabled=True))
    assert [person.username for person in await store.all()] == ["Alice", "bob"]


@pytest.mark.gen_test
async def test_a_change_gives_the_person_as_they_are_then(store: UserStore) -> None:
    (person,) = await stored(store, user())
    assert await store.change(person.user_id, locale="de") == replace(person, locale="de")
    assert await store.get(person.user_id) == replace(person, locale="de")


@pytest.mark.gen_test
async def test_those_who_have_changed_since_are_found(store: UserStore) -> None:
    people = await stored(store, user("alice"), user("bob"))
    changed = await store.change(people[0].user_id, do_not_disturb=True)
    assert await store.changed_since(today() - timedelta(minutes=1)) == [changed]
    assert await store.changed_since(today() + timedelta(minutes=1)) == []


@pytest.mark.gen_test
async def test_nobody_cannot_be_changed(store: UserStore) -> None:
    assert await store.change(new_id(), locale="de") is None
    assert await store.all() == []


@pytest.mark.gen_test
async def test_somebody_is_removed_once(store: UserStore) -> None:
    (person,) = await stored(store, user())
    assert (await store.remove(person.user_id), await store.remove(person.user_id)) == (True, False)
    assert await store.get(person.user_id) is None


@pytest.mark.gen_test
async def test_every_index_is_made(store: UserStore, db: Database) -> None:
    made = await db._motor.users.index_information()
    assert {index.document["name"] for index in INDEXES} == set(made) - {"_id_"}


@pytest.mark.gen_test
async def test_no_query_scans_the_collection(store: UserStore, plans: Plans) -> None:
    (person,) = await stored(store, user())
    await store.get(person.user_id)
    await store.by_name("alice")
    await store.by_names(["alice", "bob"])
    await store.by_ids([person.user_id, new_id()])
    await store.search("al", limit=5)
    await store.search("al", limit=5, after="alice")
    await store.search("", limit=5)
    await store.search("", limit=5, after="alice")
    await store.all()
    await store.change(person.user_id, locale="de")
    await store.change(person.user_id, display_name="Ada")
    await store.add_missing_search_keys()
    await store.changed_since(today())
    await store.remove(person.user_id)
    found = plans()
    assert len(found) == 15
    assert [plan for plan in found if "COLLSCAN" in plan] == []
