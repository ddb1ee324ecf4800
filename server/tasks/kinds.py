"""Kinds of tasks: what each has to say of itself, and the registry that knows them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from server.errors import BadRequest
from server.languages.sentences import N_
from server.realtime.frames import UserRef

if TYPE_CHECKING:  # which is above this, and gets to its kinds by it
    from server.tasks.work import Work


class Kind(Protocol):
    """One kind of task.

    ``stages`` are the names of its parts, in order; ``deadline_s`` is how long its work may take, from the moment in
    which it is taken up: without the time in which it waits for its turn, for a person, or for a server that is away.
    """

    @property
    def name(self) -> str:
        """What it is called on the wire."""
        ...

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of its parts, in order."""
        ...

    @property
    def deadline_s(self) -> float:
        """How long its work may take, in seconds."""
        ...

    def title(self, params: dict[str, Any]) -> str:
        """What a task with these parameters is called: a sentence of :func:`~server.languages.sentences.N_`."""
        ...

    async def check(self, params: dict[str, Any], user: UserRef) -> dict[str, Any]:
        """The parameters as they are kept; raises :class:`BadRequest` that names the field, or
        :class:`~server.errors.NotFound`."""
        ...

    async def run(self, work: Work) -> dict[str, Any]:
        """Does the work; returns the result, which is JSON.

        It is called again from the top after a crash and after a review: what must not be done twice is a step.
        """
        ...


class Kinds:
    """All kinds, by name."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def register(self, kind: Kind) -> None:
        """Makes ``kind`` known."""
        self._kinds[kind.name] = kind

    def named(self, name: str) -> Kind:
        """The kind of that name; raises :class:`BadRequest`."""
        kind = self._kinds.get(name)
        if kind is None:
            raise BadRequest.of("kind", N_("one of %(names)s", names=", ".join(sorted(self._kinds))))
        return kind

    def names(self) -> list[str]:
        """What there is."""
        return sorted(self._kinds)
