"""The VAPID key (RFC 8292): it tells push services that a message comes from the server that a browser subscribed to.

Whoever loses it loses every subscription: browsers subscribe for one key.
"""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.config import ConfigError, load_or_create_file

KEY_FILE = "push-key"
SETTING = "push.vapid_private_key"
RULE = "must be a P-256 private key: 32 bytes in base64url, as in the file push-key"


def new_private_key() -> str:
    """A new private key, as the setting and the file have it: 32 bytes in base64url."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def load_or_create_push_key(data_dir: Path) -> str:
    """The private key where ``push.vapid_private_key`` is empty: kept in ``data_dir``, mode 0600, generated once.

    Raises :class:`~server.config.ConfigError`, which names the file, when others can read it or it holds no key.
    """
    path = data_dir / KEY_FILE
    key = load_or_create_file(path, SETTING, new_private_key)
    VapidKey(key, f"file {path}")
    return key


class VapidKey:
    """A key pair. ``private_key`` is that of the setting, or of ``source``; raises
    :class:`~server.config.ConfigError`, which names that, if it is none."""

    def __init__(self, private_key: str, source: str = "the settings") -> None:
        try:
            raw = base64.b64decode(private_key + "=" * (-len(private_key) % 4), altchars=b"-_", validate=True)
            if len(raw) != 32:
                raise ValueError("not 32 bytes")
            self.private = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
        except ValueError:
            raise ConfigError(SETTING, "the value (hidden) cannot be used", RULE, source) from None
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = base64.urlsafe_b64encode(point).decode().rstrip("=")
        """What browsers subscribe with (``applicationServerKey``)."""
