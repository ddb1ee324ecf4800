"""All that roadmaps need, put together."""

from __future__ import annotations

from server.calls.switchboard import Switchboard
from server.clock import Clock
from server.languages.choice import Languages
from server.roadmaps.collecting import Collector
from server.roadmaps.kind import CallRoadmap
from server.roadmaps.roadmaps import Roadmaps
from server.store.chat import ChatStore
from server.store.roadmaps import RoadmapStore
from server.store.transcripts import TranscriptStore
from server.tasks.tasks import Tasks


def open_roadmaps(
    store: RoadmapStore,
    tasks: Tasks,
    messages: ChatStore,
    transcripts: TranscriptStore,
    switchboard: Switchboard,
    languages: Languages,
    clock: Clock,
) -> Roadmaps:
    """Everybody's roadmaps; the kind of task that makes them is known to ``tasks`` from now on."""
    tasks.kinds.register(CallRoadmap(store, tasks, Collector(messages, transcripts), switchboard, languages, clock))
    return Roadmaps(store, clock)
