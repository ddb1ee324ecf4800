"""Settings are read once, at start: defaults, under the configuration file, under the environment, under flags.

Whatever is wrong stops the start with one line that names key, value, what is allowed and where the value came from.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml
from msgspec import inspect

from server.settings import Settings

ENVIRONMENT_PREFIX = "RINGBACK_"
DEFAULT_DATA_DIR = "ringback-data"
SECRET_FILE = "secret"
MIN_SECRET_BYTES = 32  # RFC 7518, section 3.2: a key for HS256 is at least as long as the hash
SHOWN_VALUE_CHARACTERS = 80  # an error is one line

UNITS = {
    "_s": "seconds",
    "_ms": "milliseconds",
    "_days": "days",
    "_bytes": "bytes",
    "_kib": "KiB",
    "_mib": "MiB",
    "_characters": "characters",
}


class ConfigError(Exception):
    """A setting that cannot be used. ``str()`` is one line for the person who set it; a secret's value is not in it.

    ``key`` is "section.key" (or as much of it as was understood), ``rule`` what is allowed, ``origin`` where it came
    from.
    """

    def __init__(self, key: str, problem: str, rule: str, origin: str) -> None:
        super().__init__(f"{key}: {problem}; {rule} (from {origin})")
        self.key = key
        self.rule = rule
        self.origin = origin


class SettingInfo(NamedTuple):
    """One setting as the documents and errors show it."""

    key: str  # "section.key"
    type: inspect.Type  # as msgspec sees it, bounds included
    default: Any
    unit: str  # "seconds", …; empty for what has none
    allowed: str  # in words: "a whole number of seconds from 1 to 900"
    description: str  # one line
    secret: bool  # the value is never shown

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return ENVIRONMENT_PREFIX + self.key.replace(".", "__").upper()


class _Entry(NamedTuple):
    """A value on its way to a setting."""

    key: str
    value: Any
    origin: str


@cache
def describe() -> tuple[SettingInfo, ...]:
    """Every setting, in the order of the registry."""
    return tuple(
        _setting_info(section.name, field)
        for section in _fields(Settings)
        for field in _fields(_plain(section.type).cls)
    )


def load_settings(path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
    """The settings of this process.

    ``path`` is a YAML file of sections (None: no file). ``environ`` is searched for ``RINGBACK_SECTION__KEY``; text is
    taken as it is, everything else is read as YAML, and a list may be written ``[a, b]`` or ``a, b``. ``overrides``
    maps "section.key" to a typed value, None meaning that the flag was not given.

    Raises ConfigError for a file that cannot be read, an unknown key, or a value outside what ``describe()`` says.
    """
    known = {info.key: info for info in describe()}
    entries = [
        *_from_file(path, known),
        *_from_environment(environ, known),
        *(_Entry(key, value, "the command line") for key, value in overrides.items() if value is not None),
    ]
    values: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for entry in entries:
        section, _, name = entry.key.partition(".")
        values.setdefault(section, {})[name] = _checked(entry, known)
        origins[entry.key] = entry.origin
    settings = msgspec.convert(values, Settings)
    _check_rules(settings, known, origins)
    return settings


def resolve_data_dir(settings: Settings) -> Path:
    """The absolute path of the data directory, made (mode 0700) when it is missing.

    Raises ConfigError when it cannot be made or written.
    """
    path = Path(settings.server.data_dir or DEFAULT_DATA_DIR).expanduser().absolute()
    problem = ""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        problem = error.strerror or str(error)
    if problem or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        rule = "give a folder that can be written (--data-dir)"
        raise ConfigError("server.data_dir", f"{path}: {problem or 'Permission denied'}", rule, "the file system")
    return path


def load_or_create_secret(data_dir: Path) -> str:
    """The key that signs tokens where ``auth.secret`` is empty: kept in ``data_dir``, mode 0600, generated once.

    Raises ConfigError when the file is too short for a key or can be read by others.
    """
    path = data_dir / SECRET_FILE
    secret = load_or_create_file(path, "auth.secret", lambda: secrets.token_urlsafe(MIN_SECRET_BYTES))
    if len(secret.encode()) < MIN_SECRET_BYTES:
        rule = f"must be at least {MIN_SECRET_BYTES} bytes; delete the file and a new key is made"
        raise ConfigError("auth.secret", "the key is too short", rule, f"file {path}")
    return secret


def load_or_create_file(path: Path, key: str, make: Callable[[], str]) -> str:
    """The one line in ``path`` (mode 0600), which ``make`` gives when there is no such file yet.

    Raises ConfigError for the setting ``key`` when others can read the file, and when there is no text in it.
    """
    if not path.exists():
        _create_file(path, make())
    if path.stat().st_mode & 0o077:
        raise ConfigError(key, "others can read the key", f"run: chmod 600 {path}", f"file {path}")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        text = ""
    if not text:
        rule = "must be one line of text; put the key back, or delete the file and a new key is made"
        raise ConfigError(key, "there is no key in the file", rule, f"file {path}")
    return text


def node_name(settings: Settings) -> str:
    """The name of this process among its peers: ``server.node``, or hostname:port."""
    return settings.server.node or f"{socket.gethostname()}:{settings.server.port}"


# --- The registry, read ---------------------------------------------------------------------------------------------


def _fields(struct: type) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info.fields


def _plain(kind: inspect.Type) -> Any:
    """The type under its description."""
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _setting_info(section: str, field: inspect.Field) -> SettingInfo:
    kind = field.type
    assert isinstance(kind, inspect.Metadata), f"{section}.{field.name} has no description"
    extra = kind.extra or {}
    is_rate = "_per_" in field.name  # frames_per_s is a count, not a time
    unit = "" if is_rate else UNITS.get("_" + field.name.rpartition("_")[2], "")
    return SettingInfo(
        key=f"{section}.{field.name}",
        type=kind.type,
        default=field.default,
        unit=unit,
        allowed=extra.get("allowed") or _allowed(kind.type, unit),
        description=(kind.extra_json_schema or {})["description"],
        secret=bool(extra.get("secret")),
    )


def _allowed(kind: inspect.Type, unit: str) -> str:
    """What a value may be, in words."""
    match kind:
        case inspect.IntType() | inspect.FloatType():
            number = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            return f"{number}{' of ' if unit else ''}{unit} from {kind.ge} to {kind.le}"
        case inspect.LiteralType():
            return "one of " + ", ".join(str(value) for value in kind.values)
        case inspect.VarTupleType():
            return "a list of texts"
        case inspect.StrType(min_length=int(), max_length=None):
            return "text, not empty"
        case inspect.StrType(max_length=int()):
            return f"text of at most {kind.max_length} characters"
        case _:
            return "text"


# --- The three sources ----------------------------------------------------------------------------------------------


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML in which a key that stands twice is an error, not a silent loss of the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [str(key.value) for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _from_file(path: Path | None, known: Mapping[str, SettingInfo]) -> Iterator[_Entry]:
    if path is None:
        return
    origin = f"file {path}"
    sections = _read_yaml(path, origin)
    names = {key.partition(".")[0] for key in known}
    for section, values in sections.items():
        if section not in names:
            raise _unknown(str(section), names, origin)
        if values is None:  # a section whose keys are all commented out
            continue
        if not isinstance(values, dict):
            raise ConfigError(str(section), "not a section", "must hold its keys, indented below it", origin)
        for name, value in values.items():
            yield _Entry(f"{section}.{name}", value, origin)


def _read_yaml(path: Path, origin: str) -> dict[Any, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError("configuration file", f"cannot be read: {reason}", "must be a YAML file", origin) from None
    except yaml.YAMLError as error:
        raise ConfigError("configuration file", _yaml_problem(error), "must be YAML", origin) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError("configuration file", "has no sections", "must be like config.yaml", origin)
    return content


def _yaml_problem(error: yaml.YAMLError) -> str:
    """Where and what, without the line itself: it might hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return "is not YAML"


def _from_environment(environ: Mapping[str, str], known: Mapping[str, SettingInfo]) -> Iterator[_Entry]:
    lookalikes = {info.variable.replace("__", "_"): info for info in known.values()}
    for variable, text in environ.items():
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        origin = f"environment {variable}"
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        if "__" in name:
            key = name.lower().replace("__", ".", 1)
            yield _Entry(key, _parse(text, known[key]) if key in known else text, origin)
        elif variable in lookalikes:
            rule = f"write {lookalikes[variable].variable}, with two underscores after the section"
            raise ConfigError(lookalikes[variable].key, "not set by this variable", rule, origin)


def _parse(text: str, info: SettingInfo) -> Any:
    """The value of an environment variable; what cannot be read stays text, for the check to refuse."""
    kind = info.type
    if isinstance(kind, (inspect.StrType, inspect.LiteralType)):
        return text
    if isinstance(kind, inspect.VarTupleType) and not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


# --- The checks -----------------------------------------------------------------------------------------------------


def _checked(entry: _Entry, known: Mapping[str, SettingInfo]) -> Any:
    """The value, converted to the type of its key."""
    info = known.get(entry.key)
    if info is None:
        raise _unknown(entry.key, known, entry.origin)
    section, _, name = entry.key.partition(".")
    try:
        msgspec.convert({section: {name: entry.value}}, Settings)
    except msgspec.ValidationError:
        raise _wrong(info, entry.value, entry.origin) from None
    return entry.value


def _wrong(info: SettingInfo, value: Any, origin: str) -> ConfigError:
    shown = "the value (hidden)" if info.secret else _shown(value)
    return ConfigError(info.key, f"{shown} cannot be used", f"must be {info.allowed}", origin)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_VALUE_CHARACTERS else text[:SHOWN_VALUE_CHARACTERS] + "…"


def _unknown(key: str, known: Mapping[str, Any] | set[str], origin: str) -> ConfigError:
    near = difflib.get_close_matches(key, known, n=1)
    rule = f"did you mean {near[0]}?" if near else "config.yaml shows every key"
    return ConfigError(_shown(key).strip("'"), "no such setting", rule, origin)


def _is_secret_or_empty(secret: str) -> bool:
    return not secret or len(secret.encode()) >= MIN_SECRET_BYTES


def _are_networks(names: tuple[str, ...]) -> bool:
    try:
        return all(ipaddress.ip_network(name) for name in names)
    except ValueError:
        return False


class _Rule(NamedTuple):
    """What a type cannot say about a key."""

    key: str
    kept: Callable[[Settings], bool]
    allowed: str


_KEY_LENGTH = f"at least {MIN_SECRET_BYTES} bytes, or empty"
_RULES = (
    _Rule("auth.secret", lambda s: _is_secret_or_empty(s.auth.secret), _KEY_LENGTH),
    _Rule("auth.previous_secret", lambda s: _is_secret_or_empty(s.auth.previous_secret), _KEY_LENGTH),
    _Rule(
        "server.trusted_proxies",
        lambda s: _are_networks(s.server.trusted_proxies),
        "a list of IP addresses or networks (CIDR)",
    ),
    _Rule(
        "sockets.max_sdp_bytes",
        lambda s: s.sockets.max_sdp_bytes < s.sockets.max_frame_bytes,
        "less than sockets.max_frame_bytes",
    ),
    _Rule(
        "sockets.coalesce_bytes",
        lambda s: s.sockets.coalesce_bytes <= s.sockets.max_buffered_bytes,
        "at most sockets.max_buffered_bytes",
    ),
    _Rule(
        "people.presence_lease_s",
        lambda s: s.people.presence_lease_s >= 2 * max(s.people.presence_renewal_s, s.people.presence_round_s),
        "at least twice people.presence_renewal_s and people.presence_round_s",
    ),
    _Rule(
        "dialogues.openai_url",
        lambda s: bool(s.dialogues.openai_url) or s.dialogues.responder != "openai",
        "http(s)://host[:port][/path] where dialogues.responder is openai",
    ),
    _Rule(
        "dialogues.openai_model",
        lambda s: bool(s.dialogues.openai_model) or s.dialogues.responder != "openai",
        "the name of a model where dialogues.responder is openai",
    ),
    _Rule(
        "dialogues.lease_s",
        lambda s: s.dialogues.lease_s >= 2 * s.dialogues.round_s,
        "at least twice dialogues.round_s",
    ),
    _Rule(
        "ice.turn_secret",
        lambda s: bool(s.ice.turn_secret) or not s.ice.turn_urls,
        "given where ice.turn_urls is",
    ),
    _Rule(
        "ice.policy",
        lambda s: s.ice.policy == "all" or bool(s.ice.turn_urls),
        "all where ice.turn_urls is empty",
    ),
)


def _check_rules(settings: Settings, known: Mapping[str, SettingInfo], origins: Mapping[str, str]) -> None:
    for rule in _RULES:
        if not rule.kept(settings):
            section, _, name = rule.key.partition(".")
            value = getattr(getattr(settings, section), name)
            origin = origins.get(rule.key, "its default")
            raise _wrong(known[rule.key]._replace(allowed=rule.allowed), value, origin)


def _create_file(path: Path, line: str) -> None:
    """Written aside and linked into place: of two processes that start at once both find the same, whole key."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
