"""Settings: defaults, under the file, under the environment, under flags; a mistake is one clear line."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.config import ConfigError, describe, load_or_create_secret, load_settings, node_name, resolve_data_dir
from server.settings import Settings
from tools.config_yaml import render

REPOSITORY = Path(__file__).parents[1]
KEYS = {info.key: info for info in describe()}
GOOD_SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """Where a test writes its configuration file."""
    return tmp_path / "config.yaml"


def refusal(
    file: Path | None = None, environ: dict[str, str] | None = None, flags: dict[str, object] | None = None
) -> str:
    """The line with which these sources are refused."""
    with pytest.raises(ConfigError) as caught:
        load_settings(file, environ or {}, flags or {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def at(settings: Settings, key: str) -> Any:
    """The value of "section.key"."""
    section, name = key.split(".")
    return getattr(getattr(settings, section), name)


# --- config.yaml and the registry


def test_config_yaml_is_what_the_registry_says() -> None:
    assert (REPOSITORY / "config.yaml").read_text() == render(), "run: python -m tools.config_yaml > config.yaml"


def test_config_yaml_holds_every_key_with_its_default_and_no_other() -> None:
    sections = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    shown = {f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()}
    defaults = {key: info.default for key, info in KEYS.items()}
    assert shown == {key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()}


@pytest.mark.parametrize("key", KEYS)
def test_config_yaml_explains_a_key_with_its_unit_above_it(key: str) -> None:
    section, name = key.split(".")
    text = (REPOSITORY / "config.yaml").read_text().partition(f"\n{section}:\n")[2].partition(f"\n  {name}: ")[0]
    comment = " ".join(line.strip().removeprefix("# ") for line in text.rpartition("\n\n")[2].splitlines())
    assert KEYS[key].description in comment
    assert KEYS[key].unit in comment


def test_a_rate_is_not_shown_as_a_time() -> None:
    assert KEYS["sockets.frames_per_s"].allowed == "a number from 0.1 to 10000"


def test_config_yaml_as_it_is_changes_nothing() -> None:
    assert load_settings(REPOSITORY / "config.yaml", {}, {}) == load_settings(None, {}, {})


@pytest.mark.parametrize("key", KEYS)
def test_a_default_is_one_of_the_allowed_values(key: str) -> None:
    settings = load_settings(None, {}, {key: KEYS[key].default})
    assert at(settings, key) == KEYS[key].default


def test_no_secret_has_a_default() -> None:
    assert {info.key for info in KEYS.values() if info.secret} == {
        "mongo.uri",
        "auth.secret",
        "auth.previous_secret",
        "ice.turn_secret",
        "metrics.token",
        "dialogues.openai_key",
        "push.vapid_private_key",
    }
    assert all(info.default == "" for info in KEYS.values() if info.secret)


# --- What goes over what


def test_without_any_source_the_defaults_hold() -> None:
    assert load_settings(None, {}, {}) == Settings()


def test_the_file_goes_over_the_defaults(config_file: Path) -> None:
    config_file.write_text("server:\n  port: 1\n")
    assert load_settings(config_file, {}, {}).server.port == 1


def test_the_environment_goes_over_the_file(config_file: Path) -> None:
    config_file.write_text("server:\n  port: 1\n")
    assert load_settings(config_file, {"RINGBACK_SERVER__PORT": "2"}, {}).server.port == 2


def test_a_flag_goes_over_the_environment() -> None:
    assert load_settings(None, {"RINGBACK_SERVER__PORT": "2"}, {"server.port": 3}).server.port == 3


def test_a_flag_that_was_not_given_changes_nothing() -> None:
    assert load_settings(None, {"RINGBACK_SERVER__PORT": "2"}, {"server.port": None}).server.port == 2


def test_one_key_of_a_section_leaves_its_others_alone(config_file: Path) -> None:
    config_file.write_text("calls:\n  ring_timeout_s: 7\n")
    settings = load_settings(config_file, {"RINGBACK_CALLS__MAX_PARTICIPANTS": "3"}, {})
    assert (settings.calls.ring_timeout_s, settings.calls.max_participants) == (7, 3)
    assert settings.calls.connect_timeout_s == Settings().calls.connect_timeout_s


@pytest.mark.parametrize("content", ["", "# nothing\n", "server:\n", "server:\n  # port: 1\n"])
def test_a_file_that_sets_nothing_is_fine(config_file: Path, content: str) -> None:
    config_file.write_text(content)
    assert load_settings(config_file, {}, {}) == Settings()


# --- How the environment is read


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("RINGBACK_SERVER__PORT", "9000", 9000),
        ("RINGBACK_SOCKETS__AUTH_TIMEOUT_S", "0.5", 0.5),
        ("RINGBACK_SOCKETS__AUTH_TIMEOUT_S", "7", 7.0),
        ("RINGBACK_LOG__LEVEL", "debug", "debug"),
        ("RINGBACK_AUTH__ISSUER", "12", "12"),
        ("RINGBACK_AUTH__ISSUER", "yes", "yes"),
        ("RINGBACK_SERVER__ALLOWED_HOSTS", "a.example, b.example", ("a.example", "b.example")),
        ("RINGBACK_SERVER__ALLOWED_HOSTS", "[a.example, b.example]", ("a.example", "b.example")),
        ("RINGBACK_SERVER__ALLOWED_HOSTS", "", ()),
        ("RINGBACK_ICE__STUN_URLS", "stun:stun.example.org:3478", ("stun:stun.example.org:3478",)),
    ],
)
def test_a_variable_is_read_as_its_key_needs_it(variable: str, text: str, value: object) -> None:
    key = variable.removeprefix("RINGBACK_").lower().replace("__", ".")
    found = at(load_settings(None, {variable: text}, {}), key)
    assert found == value and type(found) is type(value)


def test_variables_of_others_are_left_alone() -> None:
    environ = {"HOME": "/root", "RINGBACK": "x", "RINGBACK_SERVICE_HOST": "10.0.0.1", "SERVER__PORT": "1"}
    assert load_settings(None, environ, {}) == Settings()


def test_every_key_has_a_variable_of_its_own() -> None:
    assert len({info.variable for info in KEYS.values()}) == len(KEYS)
    assert KEYS["mongo.max_pool_size"].variable == "RINGBACK_MONGO__MAX_POOL_SIZE"


# --- What is refused


def test_refuses_an_unknown_key_of_the_file_and_names_the_nearest(config_file: Path) -> None:
    config_file.write_text("server:\n  prot: 1\n")
    assert refusal(config_file) == f"server.prot: no such setting; did you mean server.port? (from file {config_file})"


def test_refuses_an_unknown_section(config_file: Path) -> None:
    config_file.write_text("servers:\n  port: 1\n")
    assert refusal(config_file).startswith("servers: no such setting; did you mean server?")


def test_refuses_an_unknown_variable() -> None:
    line = refusal(environ={"RINGBACK_CATS__COUNT": "1"})
    assert line == ("cats.count: no such setting; config.yaml shows every key (from environment RINGBACK_CATS__COUNT)")


def test_refuses_an_unknown_flag() -> None:
    assert refusal(flags={"server.ports": 1}).startswith("server.ports: no such setting; did you mean server.port?")


def test_refuses_a_variable_with_one_underscore_too_few() -> None:
    line = refusal(environ={"RINGBACK_SERVER_PORT": "1"})
    assert line.startswith("server.port: not set by this variable; write RINGBACK_SERVER__PORT")


def test_a_refused_value_is_shown_with_what_is_allowed_and_where_it_came_from() -> None:
    assert refusal(environ={"RINGBACK_SERVER__PORT": "70000"}) == (
        "server.port: 70000 cannot be used; must be a whole number from 0 to 65535 "
        "(from environment RINGBACK_SERVER__PORT)"
    )


def test_a_refused_duration_is_shown_with_its_unit() -> None:
    assert "a number of seconds from 0.05 to 600" in refusal(flags={"calls.ring_timeout_s": 0})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("server.host", ""),
        ("server.port", -1),
        ("server.port", "80a"),
        ("server.port", True),
        ("server.port", 80.5),
        ("server.port", None),
        ("server.public_url", "example.org"),
        ("server.public_url", "https://example.org/path"),
        ("server.public_url", "https://user@example.org"),
        ("server.allowed_hosts", "example.org"),
        ("server.allowed_hosts", [1]),
        ("server.allowed_origins", ["example.org"]),
        ("server.trusted_proxies", ["localhost"]),
        ("server.trusted_proxies", ["10.0.0.1/8"]),
        ("mongo.uri", "http://example.org"),
        ("mongo.database", "a b"),
        ("auth.secret", "x" * 31),
        ("auth.previous_secret", "x" * 31),
        ("auth.registration", "perhaps"),
        ("sockets.heartbeat_interval_s", 0),
        ("sockets.heartbeat_interval_s", float("nan")),
        ("sockets.heartbeat_interval_s", float("inf")),
        ("sockets.max_sdp_bytes", 65_536),
        ("sockets.coalesce_bytes", 2_000_000),
        ("ice.policy", "relay"),
        ("ice.stun_urls", ["turn:example.org"]),
        ("ice.turn_urls", ["turn:example.org"]),
        ("ice.turn_urls", ["stun:example.org"]),
        ("log.level", "loud"),
        ("log.format", []),
    ],
)
def test_refuses_a_value_that_is_not_allowed(config_file: Path, key: str, value: object) -> None:
    section, name = key.split(".")
    config_file.write_text(yaml.safe_dump({section: {name: value}}))
    needed_with = {"ice.turn_urls": "ice.turn_secret"}
    assert refusal(config_file).startswith((f"{key}: ", needed_with.get(key, key) + ": "))


def test_relay_is_allowed_where_there_is_a_turn_server() -> None:
    turn = {"ice.policy": "relay", "ice.turn_urls": ["turn:a?transport=tcp"], "ice.turn_secret": "s"}
    assert load_settings(None, {}, turn).ice.policy == "relay"


def test_accepts_a_key_of_32_bytes() -> None:
    assert load_settings(None, {"RINGBACK_AUTH__SECRET": GOOD_SECRET}, {}).auth.secret == GOOD_SECRET


@pytest.mark.parametrize("key", [info.key for info in KEYS.values() if info.secret])
def test_never_shows_a_secret_that_is_refused(key: str, config_file: Path) -> None:
    section, name = key.split(".")
    config_file.write_text(f"{section}:\n  {name}: [canary]\n")
    assert "canary" not in refusal(config_file)


def test_never_shows_a_secret_of_the_environment() -> None:
    assert "hunter2" not in refusal(environ={"RINGBACK_AUTH__SECRET": "hunter2"})


def test_never_shows_a_secret_where_settings_are_printed() -> None:
    settings = load_settings(None, {"RINGBACK_AUTH__SECRET": GOOD_SECRET}, {})
    assert GOOD_SECRET not in f"{settings!r} {settings.auth}"


def test_cuts_a_long_value_in_the_line() -> None:
    assert len(refusal(environ={"RINGBACK_LOG__LEVEL": "x" * 10_000})) < 300


# --- Files that cannot be used


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"server: [", "line 1: "),
        (b"- server\n", "has no sections"),
        (b"server: 8000\n", "not a section"),
        (b"server:\n  port: 1\n  port: 2\n", "line 2: port stands twice"),
        (b"server:\n  port: 1\nserver:\n  host: h\n", "line 1: server stands twice"),
        (b"server: !!python/object/apply:os.system [exit]\n", "line 1: "),
        (b"server:\n  host: \xff\n", "not UTF-8"),
    ],
)
def test_refuses_a_file_that_is_not_what_it_should_be(config_file: Path, content: bytes, problem: str) -> None:
    config_file.write_bytes(content)
    line = refusal(config_file)
    assert problem in line and str(config_file) in line


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in refusal(tmp_path / "none.yaml")


# --- The data directory and what is kept there


def test_the_data_directory_is_the_one_that_is_given(tmp_path: Path) -> None:
    settings = load_settings(None, {}, {"server.data_dir": str(tmp_path / "a" / "b")})
    assert resolve_data_dir(settings) == tmp_path / "a" / "b"


def test_the_data_directory_is_in_the_current_folder_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_data_dir(Settings()) == tmp_path / "ringback-data"


def test_a_new_data_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    path = resolve_data_dir(load_settings(None, {}, {"server.data_dir": str(tmp_path / "data")}))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_refuses_a_data_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = load_settings(None, {}, {"server.data_dir": str(tmp_path / "file" / "data")})
    with pytest.raises(ConfigError, match=r"^server\.data_dir: .*Not a directory; give a folder"):
        resolve_data_dir(settings)


def test_a_generated_key_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    secret = load_or_create_secret(tmp_path)
    assert len(secret) >= 32
    assert load_or_create_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_two_data_directories_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert load_or_create_secret(tmp_path) != load_or_create_secret(tmp_path / "other")


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    found: set[str] = set()
    threads = [threading.Thread(target=lambda: found.add(load_or_create_secret(tmp_path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_refuses_a_kept_key_that_is_too_short(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary\n")
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(ConfigError, match=r"^auth\.secret: the key is too short; must be at least 32 bytes") as caught:
        load_or_create_secret(tmp_path)
    assert "canary" not in str(caught.value)


def test_refuses_a_kept_key_that_others_can_read(tmp_path: Path) -> None:
    load_or_create_secret(tmp_path)
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(ConfigError, match=r"others can read the key; run: chmod 600 "):
        load_or_create_secret(tmp_path)


def test_a_process_is_named_after_its_machine_and_port() -> None:
    assert node_name(load_settings(None, {}, {"server.port": 8001})).endswith(":8001")


def test_a_process_may_be_given_a_name() -> None:
    assert node_name(load_settings(None, {}, {"server.node": "left"})) == "left"
