"""All that long tasks need, put together: the service, the runner of this process, and their jobs."""

from __future__ import annotations

from server.clock import Clock
from server.jobs import Job
from server.realtime.background import Background
from server.realtime.bus import Bus
from server.settings import TaskSettings
from server.store.tasks import TaskStore
from server.tasks.external import External
from server.tasks.kinds import Kinds
from server.tasks.processes import Processes
from server.tasks.runner import RENEWALS, Runner
from server.tasks.tasks import Tasks

CLEAN_EVERY_S = 3600.0
"""Tasks are kept for days: an hour more or less is nothing."""


class TaskArea:
    """The parts; whoever has a kind of task registers it with ``kinds``."""

    def __init__(
        self,
        store: TaskStore,
        bus: Bus,
        background: Background,
        clock: Clock,
        settings: TaskSettings,
        prefix: str,
        owner: str,
    ) -> None:
        """``owner`` names this process in leases, ``prefix`` is what the paths of sockets begin with."""
        self._settings = settings
        self.kinds = Kinds()
        self.kinds.register(External())
        self.processes = Processes(settings.processes, settings.process_memory_mib)
        self.tasks = Tasks(store, self.kinds, bus, background, clock, settings, prefix)
        self.runner = Runner(self.tasks, store, self.processes, bus, clock, settings, owner)

    def jobs(self, sweep_interval_s: float) -> list[Job]:
        """What has to be done again and again; deadlines hold as exactly as ``sweep_interval_s``."""
        return [
            Job("tasks", self._settings.poll_interval_s, self.runner.round),
            Job("task_leases", self._settings.lease_s / RENEWALS, self.runner.renew),
            Job("task_deadlines", sweep_interval_s, self.tasks.sweep),
            Job("old_tasks", CLEAN_EVERY_S, self.tasks.clean),
        ]
