"""All that following tasks needs, put together."""

from __future__ import annotations

from server.following.devices import TaskNotices
from server.following.task import TaskEndpoint
from server.following.tasks import TasksEndpoint
from server.realtime.background import Background
from server.realtime.bus import Bus
from server.realtime.endpoint import Endpoint
from server.realtime.hub import Hub
from server.settings import SocketSettings
from server.store.users import UserStore
from server.tasks.tasks import Tasks
from server.wire import Stamp


def following(
    tasks: Tasks, users: UserStore, hub: Hub, bus: Bus, background: Background, stamp: Stamp, settings: SocketSettings
) -> dict[str, Endpoint]:
    """The sockets of tasks, by kind. From now on the devices of people hear of their tasks, too."""
    TaskNotices(tasks, hub, stamp)
    beat_s, window_s = settings.heartbeat_interval_s, settings.resume_window_s
    one = TaskEndpoint(tasks, hub, bus, background, stamp, beat_s, window_s)
    all_of_a_person = TasksEndpoint(tasks, users, hub, bus, background, beat_s, window_s)
    return {one.kind: one, all_of_a_person.kind: all_of_a_person}
