"""The registry of what can be wrong with a STUN or TURN server: each fault with what it means and what to do next.

``{…}`` in a sentence is filled in by whoever finds the fault: ``host``, ``port`` and ``transport`` of the server,
``address`` of whatever else it is about.
"""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One thing that can be wrong, in plain words."""

    meaning: str
    advice: str


class Trouble(Exception):
    """A step of a check-up has failed: ``code`` is a key of `FAULTS`, ``seen`` is what happened."""

    def __init__(self, code: str, seen: str, address: str = "") -> None:
        self.code = code
        self.seen = seen
        self.address = address
        super().__init__(f"{code}: {seen}")


FAULTS: dict[str, Fault] = {
    # ── getting there ──
    "bad_address": Fault(
        "This is no address of a STUN or TURN server, and browsers refuse it.",
        "Write it as turn:host:port?transport=udp, turn:host:port?transport=tcp or turns:host:port.",
    ),
    "dtls": Fault(
        "No browser speaks TURN over DTLS.",
        "Take ?transport=udp out of the turns: address; turns: alone is TLS over TCP.",
    ),
    "unknown_host": Fault(
        "The name {host} leads nowhere.",
        "Correct the name in the address, or add it to the DNS. Is the DNS of this machine working?",
    ),
    "refused": Fault(
        "The machine is there, and nobody listens on {transport} port {port}.",
        "Start coturn, and compare listening-port (for turns: tls-listening-port, cert and pkey) with the address.",
    ),
    "no_answer": Fault(
        "Nothing comes back from {transport} port {port}: a firewall drops the packets, or the machine is not there.",
        "Open {transport} port {port} in the firewalls of the TURN server, of its provider, and on the way from here.",
    ),
    "unreachable": Fault(
        "This machine has no way to {host}.",
        "Look at the network of this machine, and at which addresses the name {host} stands for.",
    ),
    "not_turn": Fault(
        "Something takes connections on port {port}, and does not speak TURN.",
        "See what listens there; a proxy before coturn has to pass on TCP as it is, not HTTP.",
    ),
    "cut_off": Fault(
        "The connection was taken and then closed by the other side.",
        "Look into the log of coturn; a proxy or a firewall on the way may do it, too.",
    ),
    "bad_certificate": Fault(
        "The certificate is not good for {host}, and browsers refuse the connection without a word.",
        "Give coturn the full chain of a certificate for {host} (cert, pkey), and restart it after each renewal.",
    ),
    "no_tls": Fault(
        "What listens on port {port} does not speak TLS as it should.",
        "Set cert and pkey in turnserver.conf, so that coturn can read them, and see whether turns: names that port.",
    ),
    # ── who is let in ──
    "open_relay": Fault(
        "Anybody may relay through this server, without any password: strangers will, at your cost and in your name.",
        "Set use-auth-secret and static-auth-secret in turnserver.conf, take no-auth out, and restart coturn.",
    ),
    "any_secret": Fault(
        "The server took credentials that were made with another secret: it lets anybody in.",
        "Set use-auth-secret and static-auth-secret in turnserver.conf, take no-auth out, and restart coturn.",
    ),
    "no_realm": Fault(
        "The server asks for a password and does not say for what realm; no browser can answer that.",
        "Set realm in turnserver.conf to any text.",
    ),
    "wrong_secret": Fault(
        "The server does not take our credentials: its secret is another one than ice.turn_secret, or it has none.",
        "Set use-auth-secret in turnserver.conf, make static-auth-secret the same as ice.turn_secret, restart both.",
    ),
    "clock_ahead": Fault(
        "The secret is right, but for the server our credentials have run out: its clock is ahead of ours.",
        "Set the clocks of both machines by NTP (timedatectl set-ntp true).",
    ),
    "quota": Fault(
        "The server has no allocation left for this user, or for anybody.",
        "Wait for ten minutes; if it stays so, raise user-quota or total-quota in turnserver.conf.",
    ),
    "no_ports": Fault(
        "The server has no port of its relay left.",
        "Widen min-port to max-port in turnserver.conf, and see who uses so many.",
    ),
    "moved": Fault(
        "The server sends its clients to another one.",
        "Put the address of that one into ice.turn_urls, or take alternate-server out of turnserver.conf.",
    ),
    "no_relay": Fault(
        "The server does not relay for us.",
        "Look into the log of coturn; stun-only and no-udp-relay must not stand in turnserver.conf.",
    ),
    # ── what goes through ──
    "private_relay": Fault(
        "The relay gives out the private address {address}, which nobody outside of its network can send to.",
        "Set external-ip=public address/{address} in turnserver.conf (coturn stands behind an address translation).",
    ),
    "peer_denied": Fault(
        "The relay refuses to send to itself ({address}), so two people who both need it do not reach each other.",
        "Add allowed-peer-ip={address} to turnserver.conf; behind an address translation, with the relay's own private "
        "address. The ranges of denied-peer-ip stay.",
    ),
    "relay_silent": Fault(
        "The relay takes packets, and they do not arrive: nothing goes through.",
        "Open UDP ports min-port to max-port, for the machine itself too; behind address translation set external-ip.",
    ),
    "relay_blocked": Fault(
        "Packets from here to the relay's address {address} do not arrive: its ports are closed from outside.",
        "Open UDP ports min-port to max-port (49152 to 65535) in the firewalls of the TURN server and of its provider, "
        "and forward them where it stands behind an address translation. May this machine send UDP to them?",
    ),
    "not_renewed": Fault(
        "The server does not renew an allocation: calls through it end after minutes.",
        "Look into the log of coturn; max-allocate-lifetime must be longer than a minute.",
    ),
    # ── STUN ──
    "no_binding": Fault(
        "The server does not tell us our address.",
        "Take no-stun and secure-stun out of turnserver.conf, or take the address out of ice.stun_urls.",
    ),
    "protocol_error": Fault(
        "The server answers with an error that TURN servers do not give here.",
        "Look into the log of coturn; what it answered stands above.",
    ),
}
