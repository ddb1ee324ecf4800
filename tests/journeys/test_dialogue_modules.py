"""A dialogue without a page: what is kept of what is told, in which order, and what a lost piece leads to."""

from __future__ import annotations

import pytest

from server.books.model import HANDBOOK_ID
from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

THREAD = """
  const { Thread } = await import("/js/dialogues/thread.js");
  const said = (number, fields = {}) => ({
    message_id: `m${number}`, number, role: number % 2 ? "person" : "assistant", text: "", parts: 0, sources: [],
    state: number % 2 ? "stored" : "streaming", created_at: "2026-11-20T10:00:00Z", ...fields,
  });
  const thread = new Thread();
  const texts = () => thread.messages.map(({ text }) => text);
  const grow = (part, text, message_id = "m2") => thread.grow({ message_id, part, text });
"""

DIALOGUE = (
    THREAD
    + """
  const { Dialogue } = await import("/js/dialogues/dialogue.js");
  const { Emitter } = await import("/js/realtime/emitter.js");
  const { settle } = await import("/harness.js");
  class Line extends Emitter {
    asked = [];
    answers = [];
    state = "open";
    start() {}
    stop() {}
    request(type, fields) {
      this.asked.push([type, fields]);
      return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
    }
    tell(type, fields) { this.emit("frame", { type, ...fields }); }
    begin(...messages) { this.emit("snapshot", { snapshot: { dialogue: { title: "t" }, messages } }); }
  }
  const socket = new Line();
  const loads = [];
  let stored = { messages: [], next: null };
  let kept = [];
  const made = () => new Dialogue({
    socket,
    load: async (before) => { loads.push(before); return stored; },
    unsent: { read: () => kept, write: (unsent) => { kept = unsent; } },
  });
  const dialogue = made();
  const shown = () => dialogue.messages.map(({ text, state }) => [text, state]);
"""
)


def test_messages_stand_in_their_order_whatever_order_they_come_in(run: Run) -> None:
    assert run(f'{THREAD} thread.take([said(3, {{text: "c"}}), said(1, {{text: "a"}})]); return texts();') == ["a", "c"]


def test_a_reply_grows_piece_by_piece(run: Run) -> None:
    body = 'thread.take([said(2)]); const how = [grow(1, "Bei"), grow(2, "jing")]; return [how, texts()];'
    assert run(THREAD + body) == [["taken", "taken"], ["Beijing"]]


def test_a_piece_that_comes_twice_counts_once(run: Run) -> None:
    body = 'thread.take([said(2, {text: "one ", parts: 1})]); return [grow(1, "one "), grow(2, "two"), texts()];'
    assert run(THREAD + body) == ["known", "taken", ["one two"]]


@pytest.mark.parametrize("piece", ['grow(3, "x")', 'grow(1, "x", "m9")'], ids=["one is missing", "of no known reply"])
def test_a_missing_piece_is_noticed(run: Run, piece: str) -> None:
    assert run(f"{THREAD} thread.take([said(2, {{parts: 1}})]); return [{piece}, texts()];") == ["gap", [""]]


def test_a_page_from_before_takes_nothing_back(run: Run) -> None:
    body = """
      thread.take([said(2, { text: "one ", parts: 1 })]);
      grow(2, "two");
      thread.take([said(2, { text: "one ", parts: 1 })]);
      const grown = texts();
      thread.take([said(2, { text: "one two three", parts: 3, state: "complete" })]);
      thread.take([said(2, { text: "one two", parts: 2 })]);
      return [grown, texts()];
    """
    assert run(THREAD + body) == [["one two"], ["one two three"]]


def test_a_reply_that_is_over_does_not_grow(run: Run) -> None:
    body = 'thread.take([said(2, { text: "all", parts: 4, state: "complete" })]); return [grow(5, "!"), texts()];'
    assert run(THREAD + body) == ["known", ["all"]]


def test_a_reply_that_grows_does_not_wait_again(run: Run) -> None:
    body = """
      thread.take([said(2)]);
      const fresh = thread.take([said(2, { state: "waiting" })]);
      return [fresh.length, thread.get("m2").state];
    """
    assert run(THREAD + body) == [0, "streaming"]


def test_of_several_replies_that_are_open_the_one_that_grows_is_the_current_one(run: Run) -> None:
    body = """
      thread.take([said(2, { state: "waiting" }), said(4, { state: "waiting" })]);
      const next = thread.open.message_id;
      thread.take([said(4)]);
      return [next, thread.open.message_id];
    """
    assert run(THREAD + body) == ["m2", "m4"]


def test_what_one_writes_is_there_at_once_and_once(run: Run) -> None:
    body = """
      socket.begin();
      dialogue.write("hello");
      const before = dialogue.waiting.map(({ text, failed }) => [text, failed]);
      socket.tell("message", { message: said(1, { text: "hello" }) });
      socket.answers[0].resolve({ message_id: "m1" });
      await settle();
      return [before, dialogue.waiting.length, shown()];
    """
    assert run(DIALOGUE + body) == [[["hello", None]], 0, [["hello", "stored"]]]


def test_what_is_sent_again_is_the_same_message(run: Run) -> None:
    body = """
      socket.begin();
      dialogue.write("hello");
      socket.answers[0].reject({ code: "rate_limited" });
      await settle();
      const [one] = dialogue.waiting;
      const failed = one.failed;
      dialogue.deliver(one);
      const [first, second] = socket.asked.map(([, { client_id }]) => client_id);
      return [failed, one.failed, first === second];
    """
    assert run(DIALOGUE + body) == ["rate_limited", None, True]


@pytest.mark.parametrize("back", ["socket.begin()", 'socket.emit("resumed", {})'], ids=["anew", "resumed"])
def test_what_had_no_answer_is_sent_by_itself_when_the_line_is_back(run: Run, back: str) -> None:
    body = """
      socket.begin();
      dialogue.write("hello");
      socket.answers[0].reject({ code: "timeout" });
      await settle();
      const [{ failed }] = dialogue.waiting;
      BACK;
      const [first, second] = socket.asked.map(([, { client_id }]) => client_id);
      return [failed, dialogue.waiting[0].failed, first === second];
    """
    assert run(DIALOGUE + body.replace("BACK", back)) == ["timeout", None, True]


def test_what_was_not_sent_is_there_on_the_next_page_and_sent_from_there(run: Run) -> None:
    body = """
      socket.begin();
      dialogue.write("hello");
      const next = made();
      socket.begin();
      const [first, second] = socket.asked.map(([, { client_id }]) => client_id);
      socket.answers[1].resolve({ message_id: "m1" });
      await settle();
      return [next.waiting.map(({ text }) => text), first === second, kept];
    """
    assert run(DIALOGUE + body) == [["hello"], True, []]


def test_what_was_not_sent_can_be_discarded(run: Run) -> None:
    body = """
      socket.begin();
      dialogue.write("hello");
      socket.answers[0].reject({ code: "rate_limited" });
      await settle();
      const before = kept.map(({ text }) => text);
      dialogue.discard(dialogue.waiting[0]);
      return [before, dialogue.waiting, kept];
    """
    assert run(DIALOGUE + body) == [["hello"], [], []]


def test_two_equal_messages_are_two(run: Run) -> None:
    body = """
      socket.begin();
      dialogue.write("again");
      dialogue.write("again");
      socket.tell("message", { message: said(1, { text: "again" }) });
      return [dialogue.waiting.length, shown().length];
    """
    assert run(DIALOGUE + body) == [1, 1]


def test_an_older_message_of_the_same_words_is_another(run: Run) -> None:
    body = """
      socket.begin(said(9), said(10, { state: "complete" }));
      dialogue.write("again");
      stored = { messages: [said(7, { text: "again" }), said(8, { state: "complete" })], next: null };
      await dialogue.loadOlder();
      return dialogue.waiting.map(({ text }) => text);
    """
    assert run(DIALOGUE + body) == ["again"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Call a **group** [1]: `ring`", "Call a group: ring"),
        ("The _reference_ client is ringback_client", "The reference client is ringback_client"),
    ],
    ids=["sources", "names"],
)
def test_a_preview_has_the_words_of_a_reply_and_none_of_its_marks(run: Run, text: str, shown: str) -> None:
    assert run(f'return (await import("/js/dialogues/preview.js")).previewOf({text!r});') == shown


def test_a_lost_piece_is_fetched_from_what_is_stored(run: Run) -> None:
    body = """
      socket.begin(said(1), said(2, { text: "one ", parts: 1 }));
      stored = { messages: [said(1), said(2, { text: "one two three", parts: 3 })], next: null };
      socket.tell("reply_delta", { message_id: "m2", part: 3, text: "three" });
      await settle();
      socket.tell("reply_delta", { message_id: "m2", part: 4, text: "!" });
      return [loads, shown().at(-1)];
    """
    assert run(DIALOGUE + body) == [[None], ["one two three!", "streaming"]]


def test_a_new_snapshot_in_the_middle_of_a_reply_goes_on_where_it_is(run: Run) -> None:
    body = """
      socket.begin(said(1), said(2));
      socket.tell("reply_delta", { message_id: "m2", part: 1, text: "one " });
      socket.begin(said(1), said(2, { text: "one two ", parts: 2 }));
      socket.tell("reply_delta", { message_id: "m2", part: 2, text: "two " });
      socket.tell("reply_delta", { message_id: "m2", part: 3, text: "three" });
      return [loads, shown().at(-1)];
    """
    assert run(DIALOGUE + body) == [[], ["one two three", "streaming"]]


def test_older_messages_come_page_by_page_until_there_are_none(run: Run) -> None:
    body = """
      socket.begin(said(9), said(10, { state: "complete" }));
      const first = dialogue.hasOlder;
      stored = { messages: [said(7), said(8, { state: "complete" })], next: null };
      await dialogue.loadOlder();
      return [first, loads, dialogue.hasOlder, dialogue.messages.map(({ number }) => number)];
    """
    assert run(DIALOGUE + body) == [True, ["9"], False, [7, 8, 9, 10]]


def test_of_what_came_while_one_was_long_away_nothing_is_left_out_between(run: Run) -> None:
    body = """
      socket.begin(said(1), said(2, { state: "complete" }));
      socket.begin(said(101), said(102, { state: "complete" }));
      return [dialogue.messages.map(({ number }) => number), dialogue.hasOlder];
    """
    assert run(DIALOGUE + body) == [[101, 102], True]


def test_the_end_of_a_reply_is_told_once(run: Run) -> None:
    body = """
      socket.begin(said(1), said(2));
      const ends = [];
      dialogue.on("ended", ({ reply }) => ends.push(reply.state));
      for (let time = 0; time < 2; time += 1) {
        socket.tell("reply_failed", { message: said(2, { text: "one", parts: 1, state: "interrupted" }) });
      }
      return [ends, dialogue.reply];
    """
    assert run(DIALOGUE + body) == [["interrupted"], None]


def test_sources_of_one_chapter_are_told_apart_by_their_headings(run: Run) -> None:
    body = """
      const { placeOf } = await import("/js/strings/dialogues.js");
      const place = (chapter_title, heading) => placeOf({ chapter_title, heading, book_id: "b", book_title: "Lamps" });
      return [place("Calls", "Of two"), place("Calls", "Calls"), place("Calls", ""), place("", undefined)];
    """
    assert run(body) == ["Calls · Of two", "Calls", "Calls", "Lamps"]


def test_the_handbook_has_a_name_in_the_language_of_the_reader_and_other_books_their_own(run: Run) -> None:
    body = f"""
      const {{ titleOf }} = await import("/js/strings/dialogues.js");
      return [titleOf("{HANDBOOK_ID}", "as it was called then"), titleOf("another", "Its own title")];
    """
    assert run(body) == ["Ringback handbook", "Its own title"]
