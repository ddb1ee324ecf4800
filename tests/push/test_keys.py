"""The VAPID key: made once, kept to oneself, refused when it is none."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from server.app import Server
from server.config import ConfigError
from server.push.keys import VapidKey, load_or_create_push_key, new_private_key
from server.store.driver import connect
from tests.conftest import SettingsFactory

KNOWN_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
KNOWN_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
"""The key pair of the receiver in RFC 8291, appendix A."""


def test_the_public_key_is_that_of_the_private_one() -> None:
    assert VapidKey(KNOWN_PRIVATE).public == KNOWN_PUBLIC


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    made = load_or_create_push_key(tmp_path)
    assert load_or_create_push_key(tmp_path) == made
    assert (tmp_path / "push-key").stat().st_mode & 0o777 == 0o600
    assert VapidKey(made).public


def test_one_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_or_create_push_key(tmp_path)
    (tmp_path / "push-key").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_or_create_push_key(tmp_path)


@pytest.mark.parametrize(
    "key",
    ["", "x", "not base64 at all!", new_private_key()[:-4], base64.urlsafe_b64encode(b"\0" * 32).decode()],
    ids=["nothing", "a letter", "no base64", "too short", "zero"],
)
def test_what_is_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigError, match=r"push\.vapid_private_key: the value \(hidden\)"):
        VapidKey(key)


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff", b"not a key"])
def test_a_file_without_a_key_stops_the_start_and_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "push-key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=re.escape(f"file {path}")):
        load_or_create_push_key(tmp_path)


@pytest.mark.gen_test
async def test_an_empty_key_is_never_replaced_in_silence(settings: SettingsFactory) -> None:
    chosen = settings({})
    with pytest.raises(ConfigError, match=r"push\.vapid_private_key"):
        Server(chosen, connect(chosen.mongo, "mongodb://127.0.0.1:9"), chosen.auth.secret, push_key="")
