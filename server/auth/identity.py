"""Who is behind a request or a socket, once that is proven."""

from __future__ import annotations

import msgspec

from server.calls.quiet_hours import QuietHours
from server.realtime.frames import UserRef


class Identity(msgspec.Struct, frozen=True):
    """A person (``user``) in one sign-in (``sign_in_id``) on one ``device`` (its label), which does not ring
    when it is ``silenced``."""

    user: UserRef
    sign_in_id: str
    device: str
    admin: bool = False
    do_not_disturb: bool = False
    quiet_hours: QuietHours | None = None
    silenced: bool = False
    locale: str | None = None  # the language that the person has chosen, as a tag
    service: bool = False  # another program
