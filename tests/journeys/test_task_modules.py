"""The modules of tasks by themselves: what is known of a task, and where its result leads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from server.tasks.brief import in_brief
from server.tasks.model import EventDraft, EventType, Task, TaskEvent, event_view, task_view
from server.tasks.rules import decide, fold
from server.wire import encode
from tests.journeys.test_modules import Run, files, page, run

__all__ = ["files", "page", "run"]

pytestmark = pytest.mark.journey

STORY = 'const { TaskStory, isOver } = await import("/js/tasks/story.js");'
RESULT = 'const { resultLink } = await import("/js/tasks/result.js");'

LIFE: tuple[tuple[EventType, dict[str, Any]], ...] = (
    ("queued", {}),
    ("started", {}),
    ("progress", {"progress": 0.25, "stage": "outline", "code": "outlined", "message": "The outline is ready"}),
    ("stalled", {}),
    ("cancel_requested", {}),
    ("progress", {"progress": 0.5}),
    ("review_requested", {"data": {"document": "# Draft"}}),
    ("reviewed", {"data": {"decision": "revise", "comment": "Shorter.", "round": 1}}),
    ("started", {}),
    ("review_requested", {"data": {"document": "# Shorter"}}),
    ("reviewed", {"data": {"decision": "approve", "comment": "", "round": 2}}),
    ("retrying", {}),
)
ENDS: tuple[tuple[EventType, dict[str, Any]], ...] = (
    ("completed", {"data": {"url": "/roadmaps/1", "title": "Roadmap"}}),
    ("failed", {"code": "no_text", "message": "There is nothing in it"}),
    ("cancelled", {}),
)


def life(*drafts: tuple[EventType, dict[str, Any]]) -> list[tuple[Task, TaskEvent | None]]:
    """A task after each of these events, made by the rules of the server; it begins as one that is new."""
    now = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    task = Task(
        task_id="t",
        kind="call_roadmap",
        title="A roadmap",
        user_id="u",
        stages=("collect", "outline"),
        created_at=now,
        updated_at=now,
        deadline=now + timedelta(hours=1),
        work_s=3600.0,
    )
    told: list[tuple[Task, TaskEvent | None]] = [(task, None)]
    for type, fields in drafts:
        event = decide(
            task, EventDraft(type=type, **fields), f"key {task.number}", now + timedelta(seconds=task.number)
        )
        task = fold(task, event)
        told.append((task, event))
    return told


def wire(document: object) -> str:
    """As it stands in a script."""
    return encode(document).decode()


def seen(task: Task) -> dict[str, Any]:
    """What a page can know of it: the deadline crosses the wire with the whole task only."""
    shown = task_view(task, "/ws/task/t")
    del shown["deadline"]
    return shown


@pytest.mark.parametrize("end", ENDS, ids=[type for type, _ in ENDS])
def test_a_page_makes_of_each_event_what_the_server_makes_of_it(
    run: Run, end: tuple[EventType, dict[str, Any]]
) -> None:
    told = life(*LIFE, end)
    first = wire(task_view(told[0][0], "/ws/task/t"))
    events = wire([event_view(event) for _, event in told if event])
    body = f"const story = new TaskStory({first}); return {events}.map((e) => {{ story.take(e); return story.task; }});"
    known = run(STORY + body)
    assert [{name: value for name, value in task.items() if name != "deadline"} for task in known] == [
        seen(task) for task, event in told if event
    ]


def test_an_event_that_comes_twice_or_late_is_told_once_and_in_its_place(run: Run) -> None:
    told = life(*LIFE)
    events = [event_view(event) for _, event in told if event]
    shuffled = wire([events[number] for number in (0, 2, 1, 2, 0, 3)])
    body = f"""
      const story = new TaskStory({wire(task_view(told[0][0], "/ws/task/t"))});
      const heard = [];
      story.on("change", ({{ fresh }}) => heard.push(...fresh.map(({{ number }}) => number)));
      for (const event of {shuffled}) story.take(event);
      return [heard, story.events.map(({{ number }}) => number), story.task.number, story.whole];
    """
    assert run(STORY + body) == [[1, 3, 2, 4], [1, 2, 3, 4], 4, True]


def test_an_older_state_says_nothing_and_a_newer_one_shows_that_events_are_missing(run: Run) -> None:
    told = life(*LIFE)
    views = [wire(task_view(task, "/ws/task/t")) for task, _ in told]
    body = f"""
      const story = new TaskStory({views[3]});
      story.hear({views[1]});
      const kept = story.task.number;
      story.hear({views[7]});
      return [kept, story.task.number, story.whole];
    """
    assert run(STORY + body) == [3, 7, False]


@pytest.mark.parametrize("order", ["event first", "notice first"])
def test_a_notice_takes_nothing_away_that_it_does_not_say(run: Run, order: str) -> None:
    told = life(*LIFE[:7])
    before, (after, event) = told[-2][0], told[-1]
    assert event is not None
    tell = [f"story.take({wire(event_view(event))});", f"story.hear({wire(in_brief(task_view(after, '/ws/task/t')))});"]
    body = f"""
      const story = new TaskStory({wire(task_view(before, "/ws/task/t"))});
      {"".join(tell if order == "event first" else reversed(tell))}
      return story.task.review;
    """
    assert run(STORY + body) == {"document": "# Draft", "round": 1}


def test_a_notice_takes_away_nothing_of_what_the_socket_has_told_of_the_task(run: Run) -> None:
    told = life(*LIFE[:10])
    whole, brief = (wire(shown(task_view(told[10][0], "/ws/task/t"))) for shown in (dict, in_brief))
    older = wire(task_view(told[7][0], "/ws/task/t"))
    body = f"const story = new TaskStory({older}); story.hear({whole}); story.hear({brief}); return story.task.review;"
    assert run(STORY + body) == {"document": "# Shorter", "round": 2}


@pytest.mark.parametrize(
    ("url", "does"),
    [("/roadmaps/1", "open"), ("/api/v1/exports/1/file", "download"), ("https://elsewhere.example/x", "open")],
)
def test_a_result_is_opened_or_downloaded(run: Run, url: str, does: str) -> None:
    body = f'const link = resultLink({{ state: "completed", result: {{ url: "{url}" }} }}); return link.does;'
    assert run(RESULT + body) == does


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "blob:x", "https://[", 7, None])
def test_an_address_that_is_none_of_the_web_leads_nowhere(run: Run, url: object) -> None:
    assert run(f'{RESULT} return resultLink({{ state: "completed", result: {{ url: {wire(url)} }} }});') is None


# ── notices ──

NEWS = """
  const { TaskNews } = await import("/js/tasks/news.js");
  const { Emitter } = await import("/js/realtime/emitter.js");
  document.body.innerHTML = `<div id=toasts></div><template id=toast-template><div class=toast><span data-text></span>
    <button data-action hidden></button><button data-dismiss></button></div></template>`;
  localStorage.clear();
  const link = new Emitter();
  let items = [];
  new TaskNews({ link, api: { tasks: async () => ({ items }) }, ownId: "u", here: "here" });
  const task = (number, state, fields = {}) => ({
    task_id: "t", title: "Film", number, state, updated_at: `2026-11-20T10:00:0${number}.000Z`,
    review: state === "waiting_review" ? { document: "", round: 1 } : null, ...fields,
  });
  const tell = (...all) => { for (const task of all) link.emit("frame", { type: "task", task }); };
  const shown = () => [...document.querySelectorAll(".toast [data-text]")].map((e) => e.textContent);
"""
WAITS = "“Film” waits for your review"


def test_that_a_task_waits_is_said_once_for_each_draft(run: Run) -> None:
    body = """
      tell(task(1, "running"), task(2, "waiting_review"), task(2, "waiting_review"));
      tell(task(3, "waiting_review", { cancel_requested: true }));
      const first = shown();
      tell(task(4, "running"), task(5, "waiting_review", { review: { document: "", round: 2 } }));
      return [first, shown()];
    """
    assert run(NEWS + body) == [[WAITS], [WAITS]]


def test_a_notice_goes_when_it_was_decided_elsewhere(run: Run) -> None:
    assert run(f'{NEWS} tell(task(2, "waiting_review"), task(3, "queued")); return shown();') == []


def test_the_page_of_a_task_says_itself_what_becomes_of_it(run: Run) -> None:
    assert run(f'{NEWS} tell(task(2, "completed", {{ task_id: "here" }})); return shown();') == []


def test_a_task_that_was_stopped_is_no_news(run: Run) -> None:
    assert run(f'{NEWS} tell(task(1, "running"), task(2, "cancelled")); return shown();') == []


def test_what_has_ended_while_the_line_was_away_is_said_when_it_is_back(run: Run) -> None:
    body = """
      const now = performance.now;
      performance.now = () => 10_000; // long after the page was rendered
      link.emit("snapshot", { timestamp: "2026-11-20T10:00:05.000Z" });
      await h.settle();
      items = [task(7, "failed"), task(3, "completed", { task_id: "u", title: "Of before" })];
      link.emit("snapshot", { timestamp: "2026-11-20T10:00:09.000Z" });
      await h.settle();
      performance.now = now;
      return shown();
    """
    assert run(NEWS + body) == ["“Film” has failed"]


def test_what_has_ended_while_one_page_gave_way_to_the_next_is_said_there(run: Run) -> None:
    body = """
      tell(task(1, "running"));
      items = [task(2, "completed")];
      const next = new Emitter();
      new TaskNews({ link: next, api: { tasks: async () => ({ items }) }, ownId: "u" });
      next.emit("snapshot", { timestamp: "2026-11-20T10:00:05.000Z" });
      await h.settle();
      next.emit("snapshot", { timestamp: "2026-11-20T10:00:06.000Z" });
      await h.settle();
      return [shown(), localStorage.length];
    """
    assert run(NEWS + body) == [["“Film” is done"], 0]


NEXT = """
  const open = async (ownId, timestamp) => {
    const next = new Emitter();
    new TaskNews({ link: next, api: { tasks: async () => ({ items: [...items] }) }, ownId });
    next.emit("snapshot", { timestamp });
    await h.settle();
  };
"""


def test_what_others_than_the_tasks_that_were_under_way_here_have_become_is_long_known(run: Run) -> None:
    body = """
      tell(task(1, "running"));
      const others = [3, 4, 5].map((n) => task(n, "completed", { task_id: `${n}`, title: "Long known" }));
      items = [...others, task(6, "completed")];
      await open("u", "2026-12-11T09:00:00.000Z");
      return shown();
    """
    assert run(NEWS + NEXT + body) == ["“Film” is done"]


def test_the_next_person_in_a_browser_hears_nothing_of_the_tasks_of_the_first(run: Run) -> None:
    body = 'tell(task(1, "running")); items = [task(2, "completed")]; await open("v", "2026-11-20T10:00:05.000Z");'
    assert run(f"{NEWS}{NEXT}{body} return shown();") == []


def test_of_what_has_happened_while_the_line_was_away_for_long_the_last_minutes_are_told(run: Run) -> None:
    body = """
      link.emit("snapshot", { timestamp: "2026-11-20T08:00:00.000Z" });
      const before = task(3, "completed", { task_id: "u", title: "Long ago", updated_at: "2026-11-20T09:00:00.000Z" });
      items = [task(4, "completed"), before];
      link.emit("snapshot", { timestamp: "2026-11-20T10:05:00.000Z" });
      await h.settle();
      return shown();
    """
    assert run(NEWS + body) == ["“Film” is done"]


def test_what_was_told_behind_another_window_only_is_told_on_the_next_page_again(run: Run) -> None:
    body = """
      tell(task(1, "running"));
      Object.defineProperty(document, "visibilityState", { configurable: true, value: "hidden" });
      tell(task(2, "completed"));
      delete document.visibilityState;
      document.getElementById("toasts").replaceChildren();
      items = [task(2, "completed")];
      await open("u", "2026-11-20T10:00:05.000Z");
      const first = shown();
      await open("u", "2026-11-20T10:00:06.000Z");
      return [first, shown()];
    """
    assert run(NEWS + NEXT + body) == [["“Film” is done"], ["“Film” is done"]]


# ── drafts, stories ──

DRAFT_PAGE = """
  document.body.innerHTML = `<h1 id=title></h1><section id=review hidden><h2 id=round></h2><div id=document></div>
    <div id=choice><button id=approve></button><button id=revise></button></div>
    <form id=revision hidden><textarea id=comment></textarea><button></button>
    <button type=button id=revision-back></button>
    </form></section>`;
  const { ReviewView } = await import("/js/tasks/review_view.js");
  const view = new ReviewView({}, () => {});
  const paper = document.getElementById("document");
  const approve = document.getElementById("approve");
  const drawn = () => new Promise((resolve) => new MutationObserver(resolve).observe(paper, { childList: true }));
"""


def test_a_draft_that_cannot_be_drawn_is_read_as_it_is_and_approved_no_sooner(run: Run, page: Page) -> None:
    page.route("**/roadmaps/paper.js", lambda route: route.abort())
    body = """
      const first = drawn();
      view.draw({ task_id: "t", review: { document: "# Draft", round: 1 }, cancel_requested: false });
      const before = approve.disabled;
      await first;
      await h.settle();
      return [before, paper.textContent, paper.dataset.plain, approve.disabled];
    """
    seen = run(DRAFT_PAGE + body)
    page.unroute("**/roadmaps/paper.js")
    assert seen == [True, "# Draft", "yes", False]


def test_a_story_to_which_nothing_was_added_stays_as_it_is(run: Run) -> None:
    body = """
      document.documentElement.lang = "en";
      document.body.innerHTML = `<ol id=story></ol><button id=earlier></button>
        <template id=event-day-template><li></li></template>
        <template id=event-template><li><time></time><b data-sentence></b><i data-stage></i><q data-comment></q></li>
        </template>`;
      const { StoryView } = await import("/js/tasks/story_view.js");
      const view = new StoryView("external");
      const event = (number) => ({ number, type: "progress", timestamp: "2026-11-20T10:00:00Z", progress: 0.1 * number,
        stage: null, message: `Step ${number}`, code: null, values: {}, data: null });
      view.draw([event(1), event(2)]);
      const [, newest] = document.querySelectorAll("#story li");
      view.draw([event(1), event(2)]);
      return newest.isConnected;
    """
    assert run(body) is True


# ── boxes of a roadmap ──

TICKS = """
  const { Ticks } = await import("/js/roadmaps/ticks.js");
  let stored = { roadmap_id: "r", rev: 1, document: "# Plan\\n- [ ] One\\n- [ ] Two", changed_by: {} };
  const answers = []; // each waits until the test lets it go
  const slow = () => new Promise((resolve) => answers.push(resolve));
  const api = {
    roadmap: async () => stored,
    editRoadmap: async (id, document, rev) => {
      await slow();
      if (rev !== stored.rev) throw Object.assign(new Error("no"), { code: "conflict" });
      return (stored = { ...stored, document, rev: rev + 1 });
    },
  };
  const edited = (document) => { stored = { ...stored, document, rev: stored.rev + 1 }; };
  const ticks = new Ticks(api, stored);
  const go = async () => { await h.settle(); answers.shift()?.(); await h.settle(); };
"""


def test_boxes_that_are_ticked_quickly_are_stored_one_after_the_other(run: Run) -> None:
    body = """
      const both = Promise.all([ticks.tick(1, true), ticks.tick(2, true)]);
      const shown = ticks.shown;
      await h.settle();
      const atOnce = answers.length;
      await go(); await go();
      await both;
      return [atOnce, shown === stored.document, stored.document, ticks.roadmap.rev];
    """
    assert run(TICKS + body) == [1, True, "# Plan\n- [x] One\n- [x] Two", 3]


def test_what_somebody_else_has_changed_meanwhile_is_kept_beside_the_tick(run: Run) -> None:
    body = """
      edited("# Our plan\\n- [ ] One\\n- [x] Two");
      const ticked = ticks.tick(1, true);
      await go(); await go();
      await ticked;
      return stored.document;
    """
    assert run(TICKS + body) == "# Our plan\n- [x] One\n- [x] Two"


def test_a_step_that_somebody_else_has_changed_is_not_ticked(run: Run) -> None:
    body = """
      edited("# Plan\\n- [ ] Other\\n- [ ] Two");
      const why = ticks.tick(1, true).catch(({ name }) => name);
      await go();
      return [await why, stored.document, ticks.shown === stored.document];
    """
    assert run(TICKS + body) == ["StepChanged", "# Plan\n- [ ] Other\n- [ ] Two", True]


def test_a_tick_that_does_not_arrive_is_taken_back(run: Run) -> None:
    body = """
      api.editRoadmap = async () => { throw Object.assign(new Error("away"), { code: "network" }); };
      const why = await ticks.tick(1, true).catch(({ code }) => code);
      return [why, ticks.shown === stored.document];
    """
    assert run(TICKS + body) == ["network", True]
