"""The dialogues of a server, put together."""

from __future__ import annotations

from server.clock import Clock
from server.dialogues.dialogues import Dialogues
from server.dialogues.replies import Library
from server.dialogues.responders.offline import OfflineResponder
from server.dialogues.responders.openai import OpenAIResponder
from server.dialogues.responders.responder import Responder
from server.languages.choice import Languages
from server.metrics import Metrics
from server.realtime.bus import Bus
from server.realtime.hub import Hub
from server.settings import Settings
from server.store.dialogues import DialogueStore


def open_dialogues(
    store: DialogueStore,
    library: Library,
    languages: Languages,
    hub: Hub,
    bus: Bus,
    clock: Clock,
    epoch: str,
    metrics: Metrics,
    settings: Settings,
    sockets_at: str,
) -> Dialogues:
    """Everybody's dialogues, answered by whomever the settings name; ``epoch`` tells this process from every other,
    ``sockets_at`` is under what path their sockets lie."""
    responder: Responder = OfflineResponder(languages)
    if settings.dialogues.responder == "openai":
        responder = OpenAIResponder(settings.dialogues)
    return Dialogues(store, library, responder, hub, bus, clock, epoch, metrics, settings, sockets_at)
