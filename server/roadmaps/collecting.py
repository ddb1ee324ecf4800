"""From a call that is over to what its roadmap is made of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from server.calls.model import Call, seen_by
from server.calls.readable import readable_until
from server.roadmaps.material import Happening, Material, Utterance
from server.store.chat import ChatStore
from server.store.transcripts import TranscriptStore

AT_A_TIME = 500
"""Messages or lines that are read with one question to the database."""


class Collector:
    """Reads what was written and said in calls."""

    def __init__(self, messages: ChatStore, transcripts: TranscriptStore) -> None:
        self._messages = messages
        self._transcripts = transcripts

    async def material(self, call: Call, user_id: str) -> Material:
        """Everything of a call that is over and that this person may read, who took part; raises
        :class:`~server.errors.Forbidden` for one who did not."""
        until = readable_until(call, user_id)
        call = seen_by(call, user_id)
        utterances = await self._written(call, until) + await self._said(call, until)
        return Material(
            call_id=call.call_id,
            people=tuple(leg.user for leg in call.legs if leg.took_part),
            begun_at=call.answered_at or call.created_at,
            ended_at=until or call.ended_at or call.created_at,
            utterances=tuple(sorted(utterances, key=lambda each: each.at)),
            happenings=tuple(sorted(_happenings(call), key=lambda each: each.at)),
        )

    async def _written(self, call: Call, until: datetime | None) -> list[Utterance]:
        found: list[Utterance] = []
        before: str | None = None
        while page := await self._messages.newest(call.call_id, limit=AT_A_TIME, before=before, until=until):
            found += [Utterance(each.user.id, each.text, each.sent_at, True) for each in page]
            before = page[-1].message_id
        return found

    async def _said(self, call: Call, until: datetime | None) -> list[Utterance]:
        speakers = {leg.leg_id: leg.user.id for leg in call.legs}
        found: list[Utterance] = []
        before: str | None = None
        while page := await self._transcripts.page(call.call_id, before, AT_A_TIME, until):
            found += [
                Utterance(speakers[each.leg_id], each.text, each.said_at, False)
                for each in page
                if each.leg_id in speakers
            ]
            before = page[0].line_id
        return found


def _happenings(call: Call) -> Iterator[Happening]:
    yield Happening("called", call.created_at, call.created_by.id)
    for leg in call.legs:
        if leg.joined_at is not None and leg is not call.caller:
            yield Happening("joined", leg.joined_at, leg.user.id)
        if leg.took_part and leg.left_at is not None and leg.left_at != call.ended_at:
            yield Happening("left", leg.left_at, leg.user.id)
    for recording in call.recordings:
        if recording.started_at is not None:
            yield Happening("recorded", recording.started_at, recording.by.id)
    if call.ended_at is not None:
        yield Happening("ended", call.ended_at, call.ended_by or "")
