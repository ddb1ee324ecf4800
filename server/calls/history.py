"""Where a call stands in the histories of its people, as tokens: a pure function of the call.

A call carries one list of tokens, and one index of them serves every list that a person may ask for, newest first:

    <user id>                                    it stands in their history
    <user id>:live:<state>                       … and goes on with or for them, in that state
    <user id>:incoming, <user id>:outgoing       … and they were called, or called
    <user id>:incoming:with:<other's id> …       … together with that person
    <user id>:missed                             … and they were called in vain
    <user id>:missed:with:<other's id>
    <user id>:unread                             … and have not yet seen that

Whoever removes the call from their history takes their tokens away; whoever looks at it, the last one. Only a call that
is over is changed so: one that goes on is stored anew, tokens and all, with each of its changes, and its leg says that
it was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from server.calls.model import Call, Leg, has_gone, was_missed_by

Filter = Literal["all", "missed", "incoming", "outgoing"]
Direction = Literal["incoming", "outgoing"]

AFTER_SEPARATOR = ";"
"""The character behind ``:``. A person's tokens are their id and whatever lies between that and id + this."""


def direction_of(call: Call, user_id: str) -> Direction:
    """Whether the person called or was called."""
    return "outgoing" if call.created_by.id == user_id else "incoming"


def tokens(call: Call, *, seen: bool = False) -> list[str]:
    """Every token of the call, for all its people; with ``seen`` none of them has it as unread."""
    return [token for leg in call.legs if _stands_in_history(call, leg) for token in _of(call, leg, seen)]


def unread_by(call: Call) -> tuple[str, ...]:
    """The ids of those for whom the call is unread when it is stored: they missed it, though others may talk on."""
    return tuple(leg.user.id for leg in call.legs if was_missed_by(call, leg.user.id) and not leg.seen)


def wanted(user_id: str, kind: Filter, people: Sequence[str] | None = None) -> list[str]:
    """The tokens of which a call must have one to be in that list; with ``people``, together with one of these."""
    if people is None:
        return [user_id if kind == "all" else f"{user_id}:{kind}"]
    kinds = ("incoming", "outgoing") if kind == "all" else (kind,)
    return [f"{user_id}:{each}:with:{other}" for other in people for each in kinds]


def live(user_id: str, state: str) -> str:
    """The token of a call that goes on in ``state``."""
    return f"{user_id}:live:{state}"


def unread(user_id: str) -> str:
    """The token of a call that was missed and not yet seen."""
    return f"{user_id}:unread"


def _stands_in_history(call: Call, leg: Leg) -> bool:
    """A call from somebody whom the person has blocked is no news to them: it is there to be found when it is over."""
    return leg.state != "blocked" or call.is_over


def _had_to_do(leg: Leg, other: Leg) -> bool:
    """Whether the two were in the call, or one called the other in, or it was placed to both. Whoever was called in in
    vain had nothing to do with all the others: their names would be as many as the square of the legs."""
    if leg.took_part and other.took_part:
        return True
    if other.user.id in (leg.invited_by, leg.rings_for) or leg.user.id in (other.invited_by, other.rings_for):
        return True
    return leg.ring_deadline is None and other.ring_deadline is None


def _of(call: Call, leg: Leg, seen: bool) -> Iterator[str]:
    user_id = leg.user.id
    kinds: list[str] = [direction_of(call, user_id)]
    if was_missed_by(call, user_id):
        kinds.append("missed")
    yield user_id
    if not call.is_over and not has_gone(call, leg):
        yield live(user_id, call.state)
    for kind in kinds:
        yield f"{user_id}:{kind}"
        for other in call.legs:
            if other is not leg and _had_to_do(leg, other):
                yield f"{user_id}:{kind}:with:{other.user.id}"
    if not seen and user_id in unread_by(call):
        yield unread(user_id)
