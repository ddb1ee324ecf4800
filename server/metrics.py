"""Figures for Prometheus, one registry for each server, so that two in one process do not meet."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENING_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)
"""From a warm look-up in memory to the authentication deadline."""


class Metrics:
    """What is counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.sockets_closed = Counter(
            "ringback_sockets_closed", "Closed sockets by kind and close code", ["kind", "code"], registry=self.registry
        )
        self.opening_s = Histogram(
            "ringback_socket_opening_seconds",
            "From the upgrade to connected",
            ["kind"],
            buckets=OPENING_BUCKETS_S,
            registry=self.registry,
        )
        self.dropped_frames = Counter(
            "ringback_frames_dropped_after_close", "Frames for sockets that were closing", registry=self.registry
        )
        self.expired_calls = Counter(
            "ringback_calls_expired", "Calls that a sweep ended at their deadline", registry=self.registry
        )
        self.push_messages = Counter(
            "ringback_push_messages", "Push messages by what came of them", ["outcome"], registry=self.registry
        )

        self.replies = Counter(
            "ringback_replies", "Replies of the assistant by how they ended", ["state"], registry=self.registry
        )

    def watch(self, name: str, description: str, figure: Callable[[], float]) -> None:
        """A gauge that asks ``figure`` when it is read."""
        Gauge(name, description, registry=self.registry).set_function(figure)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)
