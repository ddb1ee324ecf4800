"""The task kind ``call_roadmap``: collect, outline, one batch for each part, a review by a person, the document."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import msgspec
from msgspec.structs import replace

from server.calls.model import Call
from server.calls.readable import readable_until
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.errors import BadRequest, BadState
from server.ids import new_id
from server.languages.choice import Languages
from server.languages.language import Language
from server.languages.sentences import N_, Sentence
from server.log import get_logger
from server.realtime.frames import UserRef
from server.roadmaps.collecting import Collector
from server.roadmaps.comments import joined
from server.roadmaps.document import Writer, title_of
from server.roadmaps.findings import Findings
from server.roadmaps.material import Material
from server.roadmaps.model import Roadmap
from server.roadmaps.parts import Part, parts_of
from server.roadmaps.reading import Round, next_round, read_or_left
from server.roadmaps.rules import LOOK_AHEAD
from server.roadmaps.splitting import is_chinese
from server.store.driver import Duplicate
from server.store.roadmaps import RoadmapStore
from server.tasks.endings import Retry, TaskFailed
from server.tasks.tasks import Tasks
from server.tasks.work import Work

COLLECTED, OUTLINED, READ = 0.1, 0.2, 0.9
"""How far the work is when a stage is over; a person's review is the rest."""
MAX_ROUNDS = 50
"""Drafts that are shown at most: each is kept until the task is over."""

log = get_logger("roadmaps")


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a roadmap is asked for with. ``language`` is that of the document (None: that of the talk), ``time_zone``
    an IANA name."""

    call_id: str
    language: str | None = None
    time_zone: str = "UTC"


class Basis(msgspec.Struct, frozen=True):
    """What a roadmap is made with besides what was said: the call, the tag of the language, how much was said."""

    material: Material
    language: str
    utterances: int


class Source:
    """What was said in a call, read when somebody wants it, once."""

    def __init__(self, kind: CallRoadmap, call_id: str, user_id: str) -> None:
        self._kind = kind
        self._call_id = call_id
        self._user_id = user_id
        self._material: Material | None = None

    async def material(self) -> Material:
        """All of it; raises as :meth:`CallRoadmap.check`."""
        if self._material is None:
            self._material = await self._kind.material(self._call_id, self._user_id)
        return self._material


class CallRoadmap:
    """Makes roadmaps of calls that are over."""

    name = "call_roadmap"
    stages = ("collect", "outline", "parts", "review", "document")
    deadline_s = 600.0

    def __init__(
        self,
        store: RoadmapStore,
        tasks: Tasks,
        collector: Collector,
        switchboard: Switchboard,
        languages: Languages,
        clock: Clock,
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._collector = collector
        self._switchboard = switchboard
        self._languages = languages
        self._clock = clock

    def title(self, params: dict[str, Any]) -> Sentence:
        """See :class:`~server.tasks.kinds.Kind`."""
        return N_("Roadmap of a call")

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """``{call_id, language?, time_zone?}``; the call is over and the person took part in it.

        Raises :class:`BadRequest`, :class:`~server.errors.NotFound`, :class:`~server.errors.Forbidden`, and
        :class:`BadState` while the call goes on, or when it has its roadmap.
        """
        asked = _asked(params)
        if asked.language is not None:
            self._languages.chosen(asked.language, "language")
        if asked.time_zone not in _time_zones():
            raise BadRequest.of("time_zone", N_("the name of a time zone, such as Europe/Berlin"))
        await self._call(asked.call_id, user.id)
        if await self._store.of_call(asked.call_id) is not None:
            raise BadState(N_("This call has its roadmap"))
        open_tasks = await self._tasks.open_of(user.id)
        if any(task.kind == self.name and task.params["call_id"] == asked.call_id for task in open_tasks):
            raise BadState(N_("You are making the roadmap of this call already"))
        return msgspec.structs.asdict(asked)

    async def _call(self, call_id: str, user_id: str) -> Call:
        call = await self._switchboard.of(call_id, user_id)
        readable_until(call, user_id)
        if not call.is_over:
            raise BadState(N_("The call goes on; its roadmap is made when it is over"))
        return call

    async def run(self, work: Work) -> dict[str, Any]:
        """See the module; ``{url, title, roadmap_id}``.

        What was said is read once: what is approved is what was shown, whatever has become of the call meanwhile.
        """
        asked = msgspec.convert(work.params, Params)
        source = Source(self, asked.call_id, work.user_id)
        basis = await self._basis(work, asked, source)
        parts = await self._parts(work, basis, source)
        findings = await self._read(work, basis.material, parts, asked.time_zone, source)
        language = self._languages.of(basis.language) or self._languages.english
        writer = Writer(basis.material, language, asked.time_zone)
        document = await self._reviewed(work, basis.material, findings, writer, asked)
        title = title_of(document) or writer.title()
        roadmap_id = await work.step("document", lambda: self._kept(work, asked.call_id, title, writer, document))
        return {"url": f"/roadmaps/{roadmap_id}", "title": title, "roadmap_id": roadmap_id}

    async def material(self, call_id: str, user_id: str) -> Material:
        """All of a call that is over, for somebody who took part; raises as :meth:`check`."""
        return await self._collector.material(await self._call(call_id, user_id), user_id)

    async def _basis(self, work: Work, asked: Params, source: Source) -> Basis:
        async def collect() -> Any:
            material = await source.material()
            if not material.utterances:
                raise TaskFailed("nothing_said", "Nothing was written in this call, and nothing of it was transcribed")
            language = self._language(asked, material).tag
            return msgspec.to_builtins(Basis(replace(material, utterances=()), language, len(material.utterances)))

        basis = msgspec.convert(await work.step("collect", collect), Basis)
        await work.progress(
            COLLECTED,
            "collect",
            "roadmap_collected",
            "Read %(count)s messages and lines of the transcript",
            count=basis.utterances,
        )
        return basis

    async def _parts(self, work: Work, basis: Basis, source: Source) -> list[Part]:
        work.stage("outline")

        async def outline() -> Any:
            return msgspec.to_builtins(await work.cpu(parts_of, (await source.material()).utterances))

        parts = msgspec.convert(await work.step("outline", outline), list[Part])
        await work.progress(
            OUTLINED, "outline", "roadmap_outlined", "Divided the call into %(count)s parts", count=len(parts)
        )
        return parts

    async def _read(
        self, work: Work, basis: Material, parts: list[Part], time_zone: str, source: Source
    ) -> list[Findings]:
        work.stage("parts")
        found: list[Findings] = []
        for number, part in enumerate(parts, 1):

            async def read(part: Part = part) -> Any:
                said = (await source.material()).utterances[part.begin : part.begin + part.count + LOOK_AHEAD]
                findings = await work.cpu(read_or_left, basis.people, said, part, time_zone)
                if findings.unread:
                    log.error("roadmap_part_unread", task_id=work.task.task_id, why=findings.unread)
                return msgspec.to_builtins(findings)

            found.append(msgspec.convert(await work.step(f"part-{number}", read), Findings))
            await work.progress(
                OUTLINED + (READ - OUTLINED) * number / len(parts),
                "parts",
                "roadmap_part_read",
                "Read part %(number)s of %(count)s",
                number=number,
                count=len(parts),
            )
        return found

    async def _reviewed(
        self, work: Work, material: Material, parts: list[Findings], writer: Writer, asked: Params
    ) -> str:
        """The document that a person has approved, as it was shown to them; each round takes up what they said."""
        work.stage("review")

        async def kept(made: Round) -> Any:
            document = await asyncio.to_thread(writer.document, parts, made.found, made.notes)
            return msgspec.to_builtins(replace(made, document=document))

        async def first() -> Any:
            return await kept(Round(await asyncio.to_thread(joined, parts)))

        shown = msgspec.convert(await work.step("round-1", first), Round)
        for number in range(2, MAX_ROUNDS + 2):
            await self._require_none_of_others(work, asked.call_id)
            review = await work.review(shown.document)
            if review.decision == "approve":
                return shown.document

            async def again(before: Round = shown, comment: str = review.comment) -> Any:
                people, at = material.people, material.ended_at
                return await kept(
                    await work.cpu(next_round, before, comment, people, work.user_id, at, asked.time_zone)
                )

            if number <= MAX_ROUNDS:
                shown = msgspec.convert(await work.step(f"round-{number}", again), Round)
        raise TaskFailed("too_many_rounds", "Another round was asked for more often than is possible")

    async def _require_none_of_others(self, work: Work, call_id: str) -> None:
        """Before somebody reviews in vain."""
        known = await self._store.of_call(call_id)
        if known is not None and known.task_id != work.task.task_id:
            raise TaskFailed("roadmap_exists", "Somebody else has made the roadmap of this call")

    async def _kept(self, work: Work, call_id: str, title: str, writer: Writer, document: str) -> str:
        """The id of the roadmap, kept with its call; the same when it was kept by a run that broke off."""
        work.stage("document")
        call = await self._switchboard.find(call_id)
        if call is None:  # nobody has it in their history any more
            raise TaskFailed("call_removed", "The call was removed meanwhile, and its roadmap with it")
        took_part = [leg.user for leg in call.legs if leg.took_part]
        user = next(person for person in took_part if person.id == work.user_id)
        now = self._clock.now()
        roadmap = Roadmap(
            roadmap_id=new_id(),
            call_id=call.call_id,
            task_id=work.task.task_id,
            title=title,
            language=writer.language,
            document=document,
            readers=tuple(person.id for person in took_part),
            made_by=user,
            changed_by=user,
            created_at=now,
            changed_at=now,
        )
        try:
            await self._store.insert(roadmap)
        except Duplicate:
            await self._require_none_of_others(work, call.call_id)
            known = await self._store.of_call(call.call_id)
            if known is None:  # whoever made it has removed it since
                raise Retry("roadmap_gone", "The roadmap was removed while it was kept") from None
            return known.roadmap_id
        return roadmap.roadmap_id

    def _language(self, asked: Params, material: Material) -> Language:
        """The one that was asked for, else the one in which most was said."""
        if asked.language is not None:
            return self._languages.chosen(asked.language, "language")
        chinese = sum(is_chinese(each.text) for each in material.utterances)
        tag = "zh-Hans" if 2 * chinese > len(material.utterances) else "en"
        return self._languages.of(tag) or self._languages.english


def _asked(params: dict[str, Any]) -> Params:
    try:
        return msgspec.convert(params, Params)
    except msgspec.ValidationError:
        raise BadRequest.of(
            "params", N_("an object with `call_id` and, if wanted, `language` and `time_zone`, each of them text")
        ) from None


@cache
def _time_zones() -> set[str]:
    """The names that there are: to find them, some hundred files are opened."""
    return available_timezones()
