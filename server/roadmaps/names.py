"""Who is meant in a sentence: people in the call by the names they go by, and others by how names are used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from server.languages.sentences import HAN
from server.realtime.frames import UserRef

OUTSIDER = (
    r"(?-i:(?!(?:I|It|This|That|He|She|They|We|You|There|Who|What|Everybody|Everyone"
    r"|Somebody|Someone|Nobody|If|When|The|A|Then|But|And|So|Maybe|All|Monday|Tuesday"
    r"|Wednesday|Thursday|Friday|Saturday|Sunday|Tomorrow|Today|Next|Please|Just|Let"
    r"|Not|Decision|Question|Note)\b)[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
)
"""A word that is written like a name, at the place of one."""
HAN_OUTSIDER = r"(?:[小老阿][\u4e00-\u9fff]|[\u4e00-\u9fff](?:总|工|经理|老师|主任))"

_CHINESE_NAME = re.compile(rf"{HAN}{{2,4}}")


class Names:
    """The names of the people in a call, as they may stand in a sentence."""

    def __init__(self, people: Sequence[UserRef]) -> None:
        self._people = {person.id: person for person in people}
        taken = Counter(alias for person in people for alias in _aliases(person))
        self._ids = {alias: person.id for person in people for alias in _aliases(person) if taken[alias] == 1}
        known = sorted(self._ids, key=len, reverse=True)
        self.known = "|".join(map(re.escape, known)) or "(?!)"
        """An expression that finds each of them."""
        self._at_the_end = re.compile(rf"[,，]\s*(?P<name>{self.known})\s*[?？.。!！]*$", re.IGNORECASE)

    def shown(self, user_id: str) -> str:
        """What readers know that person by; «?» for whoever took no part."""
        person = self._people.get(user_id)
        return person.display_name if person else "?"

    def of(self, said: str) -> str:
        """The name to show for a name that was said."""
        user_id = self._ids.get(said.strip().casefold())
        return self.shown(user_id) if user_id else said.strip()

    def other(self, user_id: str) -> str | None:
        """In a call of two, the name of the other one."""
        others = [each for each in self._people if each != user_id]
        return self.shown(others[0]) if len(others) == 1 and user_id in self._people else None

    def called_at_the_end(self, sentence: str) -> str | None:
        """The name to show of whoever is spoken to at the end of ``sentence``."""
        found = self._at_the_end.search(sentence)
        return self.of(found["name"]) if found else None

    def without_the_end(self, sentence: str) -> str:
        """``sentence`` without a name that is spoken to at its end."""
        return self._at_the_end.sub("", sentence)


def _aliases(person: UserRef) -> set[str]:
    name = person.display_name.strip()
    aliases = {name, person.username, name.split(" ")[0]}
    if _CHINESE_NAME.fullmatch(name):
        aliases |= {f"{before}{name[0]}" for before in "小老"} | {
            f"{name[0]}{after}" for after in ("总", "工", "经理", "老师")
        }
        if len(name) > 2:
            aliases.add(name[-2:])
    return {alias.casefold() for alias in aliases if len(alias) > 1}
