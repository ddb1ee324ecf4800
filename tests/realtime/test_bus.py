"""The bus between whoever has news and whoever must hear it."""

from __future__ import annotations

from collections.abc import Callable

from server.realtime.bus import LocalBus, Message, ToDevices, call_topic, user_topic

NEWS = ToDevices("bob", b"{}")


class Heard(list[Message]):
    """A listener that keeps what it hears."""

    def __call__(self, message: Message) -> None:
        self.append(message)


def test_a_listener_hears_its_topic() -> None:
    bus, heard = LocalBus(), Heard()
    bus.subscribe("topic", heard)
    assert (bus.publish("topic", NEWS), heard) == (1, [NEWS])


def test_a_listener_does_not_hear_other_topics() -> None:
    bus, heard = LocalBus(), Heard()
    bus.subscribe("topic", heard)
    assert (bus.publish("another", NEWS), heard) == (0, [])


def test_listeners_hear_in_the_order_in_which_they_came() -> None:
    bus, order = LocalBus(), list[str]()
    bus.subscribe("topic", lambda _: order.append("first"))
    bus.subscribe("topic", lambda _: order.append("second"))
    bus.publish("topic", NEWS)
    assert order == ["first", "second"]


def test_a_listener_that_fails_keeps_nobody_else_from_hearing(expect_error: Callable[[str], None]) -> None:
    expect_error("listener_failed")
    bus, heard = LocalBus(), Heard()
    bus.subscribe("topic", lambda _: [].pop())
    bus.subscribe("topic", heard)
    assert (bus.publish("topic", NEWS), heard) == (2, [NEWS])


def test_one_who_unsubscribes_hears_nothing_more() -> None:
    bus, gone, staying = LocalBus(), Heard(), Heard()
    bus.subscribe("topic", gone.append)
    bus.subscribe("topic", staying.append)
    bus.unsubscribe("topic", gone.append)
    bus.publish("topic", NEWS)
    assert (gone, staying) == ([], [NEWS])


def test_unsubscribing_what_does_not_listen_is_no_error() -> None:
    LocalBus().unsubscribe("topic", Heard())


def test_a_topic_without_listeners_takes_no_room() -> None:
    bus, heard = LocalBus(), Heard()
    bus.subscribe("topic", heard.append)
    bus.unsubscribe("topic", heard.append)
    assert len(bus) == 0


def test_a_listener_may_unsubscribe_while_it_hears() -> None:
    bus, heard = LocalBus(), Heard()

    def once(message: Message) -> None:
        bus.unsubscribe("topic", once)

    bus.subscribe("topic", once)
    bus.subscribe("topic", heard)
    assert (bus.publish("topic", NEWS), bus.publish("topic", NEWS), len(heard)) == (2, 1, 2)


def test_a_listener_that_comes_during_a_message_hears_the_next_one() -> None:
    bus, heard = LocalBus(), Heard()
    bus.subscribe("topic", lambda _: bus.subscribe("topic", heard) if not len(heard) else None)
    bus.publish("topic", NEWS)
    assert heard == []


def test_topics_of_people_and_calls_differ() -> None:
    assert user_topic("1") != call_topic("1")
