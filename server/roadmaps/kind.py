"""The task kind ``call_roadmap``: collect, outline, one batch for each part, a review by a person, the document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

import msgspec

from server.calls.model import Call
from server.calls.readable import readable_until
from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.errors import BadRequest, BadState
from server.ids import new_id
from server.languages.choice import Languages
from server.languages.language import Language
from server.languages.sentences import N_, Sentence
from server.realtime.frames import UserRef
from server.roadmaps.collecting import Collector
from server.roadmaps.comments import applied, joined, wanted_by
from server.roadmaps.document import Writer
from server.roadmaps.findings import Findings
from server.roadmaps.material import Material, Utterance
from server.roadmaps.model import Roadmap
from server.roadmaps.parts import Part, parts_of
from server.roadmaps.rules import LOOK_AHEAD, read_part
from server.roadmaps.splitting import is_chinese
from server.store.driver import Duplicate
from server.store.roadmaps import RoadmapStore
from server.tasks.endings import TaskFailed
from server.tasks.work import Work

COLLECTED, OUTLINED, READ = 0.1, 0.2, 0.9
"""How far the work is when a stage is over; a person's review is the rest."""


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a roadmap is asked for with. ``language`` is that of the document (None: that of the talk), ``time_zone``
    an IANA name."""

    call_id: str
    language: str | None = None
    time_zone: str = "UTC"


class CallRoadmap:
    """Makes roadmaps of calls that are over."""

    name = "call_roadmap"
    stages = ("collect", "outline", "parts", "review", "document")
    deadline_s = 600.0

    def __init__(
        self,
        store: RoadmapStore,
        collector: Collector,
        switchboard: Switchboard,
        languages: Languages,
        clock: Clock,
    ) -> None:
        self._store = store
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
        try:
            asked = msgspec.convert(params, Params)
        except msgspec.ValidationError as error:
            raise BadRequest.of("params", str(error)) from None
        if asked.language is not None:
            self._languages.chosen(asked.language, "language")
        if asked.time_zone not in available_timezones():
            raise BadRequest.of("time_zone", N_("the name of a time zone, such as Europe/Berlin"))
        await self._call(asked.call_id, user.id)
        if await self._store.of_call(asked.call_id) is not None:
            raise BadState(N_("This call has its roadmap"))
        return msgspec.structs.asdict(asked)

    async def _call(self, call_id: str, user_id: str) -> Call:
        call = await self._switchboard.of(call_id, user_id)
        readable_until(call, user_id)
        if not call.is_over:
            raise BadState(N_("The call goes on; its roadmap is made when it is over"))
        return call

    async def run(self, work: Work) -> dict[str, Any]:
        """See the module; ``{url, title, roadmap_id}``."""
        asked = msgspec.convert(work.params, Params)
        call = await self._call(asked.call_id, work.user_id)
        material = await self._collector.material(call, work.user_id)
        if not material.utterances:
            raise TaskFailed("nothing_said", "Nothing was written in this call, and nothing of it was transcribed")
        await work.progress(
            COLLECTED,
            "collect",
            "roadmap_collected",
            "Read %(count)s messages and lines of the transcript",
            count=len(material.utterances),
        )
        parts = await self._parts(work, material)
        findings = await self._read(work, material, parts, asked.time_zone)
        writer = Writer(material, self._language(asked, material), asked.time_zone)
        document = await self._reviewed(work, material, findings, writer, asked.time_zone)
        roadmap_id = await work.step("document", lambda: self._kept(work, call, writer, document))
        return {"url": f"/roadmaps/{roadmap_id}", "title": writer.title(), "roadmap_id": roadmap_id}

    async def _parts(self, work: Work, material: Material) -> list[Part]:
        work.stage("outline")

        async def outline() -> Any:
            return msgspec.to_builtins(await work.cpu(parts_of, material.utterances))

        parts = msgspec.convert(await work.step("outline", outline), list[Part])
        await work.progress(
            OUTLINED, "outline", "roadmap_outlined", "Divided the call into %(count)s parts", count=len(parts)
        )
        return parts

    async def _read(self, work: Work, material: Material, parts: list[Part], time_zone: str) -> list[Findings]:
        work.stage("parts")
        found: list[Findings] = []
        for number, part in enumerate(parts, 1):
            said = material.utterances[part.begin : part.begin + part.count + LOOK_AHEAD]

            async def read(part: Part = part, said: Sequence[Utterance] = said) -> Any:
                findings = await work.cpu(read_part, material.people, said, part.count, time_zone, part.title)
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
        self, work: Work, material: Material, parts: list[Findings], writer: Writer, time_zone: str
    ) -> str:
        """The document that a person has approved; each round takes up what they said."""
        work.stage("review")
        found = joined(parts)
        notes: tuple[str, ...] = ()
        while True:
            document = writer.document(parts, found, notes)
            review = await work.review(document)
            if review.decision == "approve":
                return document
            wanted = wanted_by(review.comment, material.people, work.user_id, material.ended_at, time_zone)
            found = applied(found, wanted)
            notes = tuple(note for note in notes if note not in wanted.without) + wanted.notes

    async def _kept(self, work: Work, call: Call, writer: Writer, document: str) -> str:
        """The id of the roadmap, kept with its call; the same when it was kept by a run that broke off."""
        work.stage("document")
        took_part = [leg.user for leg in call.legs if leg.took_part]
        user = next(person for person in took_part if person.id == work.user_id)
        now = self._clock.now()
        roadmap = Roadmap(
            roadmap_id=new_id(),
            call_id=call.call_id,
            task_id=work.task.task_id,
            title=writer.title(),
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
            known = await self._store.of_call(call.call_id)
            if known is None or known.task_id != work.task.task_id:
                raise TaskFailed("roadmap_exists", "Somebody else has made the roadmap of this call") from None
            return known.roadmap_id
        return roadmap.roadmap_id

    def _language(self, asked: Params, material: Material) -> Language:
        """The one that was asked for, else the one in which most was said."""
        if asked.language is not None:
            return self._languages.chosen(asked.language, "language")
        chinese = sum(is_chinese(each.text) for each in material.utterances)
        tag = "zh-Hans" if 2 * chinese > len(material.utterances) else "en"
        return self._languages.of(tag) or self._languages.english
