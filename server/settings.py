"""The registry of settings: every key with its type, default, bounds and one line of explanation.

One frozen struct a section. A name ends in its unit (``_s``, ``_ms``, ``_bytes``, ``_kib``, ``_days``,
``_characters``; counts carry none). ``config.yaml``, the errors of ``server.config`` and the documents are made from
what stands here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

# A value of these is never shown: not in an error, not by ``ringback config check``.
SECRET = {"secret": True}

Origin = Annotated[str, Meta(pattern=r"^https?://[^/?#\s@]+$")]
StunUrl = Annotated[str, Meta(pattern=r"^stuns?:[^\s?/]+$")]  # RFC 7064
TurnUrl = Annotated[str, Meta(pattern=r"^turns?:[^\s?/]+(\?transport=(udp|tcp))?$")]  # RFC 7065


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What the sections share."""

    def __repr__(self) -> str:
        """The name only: a section may hold secrets, and a repr ends up in logs and tracebacks."""
        return f"<{type(self).__name__}>"


class ServerSettings(Section, frozen=True, kw_only=True):
    """Where the server listens, what it is called from outside, and where it keeps its things."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on; 0.0.0.0 for every interface.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port to listen on; 0 takes any free one.")] = 8_000
    data_dir: Annotated[
        str,
        Meta(
            description="Folder for the database, the generated secret and logs; empty means ringback-data in the "
            "folder that Ringback is started from."
        ),
    ] = ""
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/?#\s@]+)?$",
            description="Address under which people reach Ringback; links are made from it, never from a request.",
            extra={"allowed": "empty, or http(s)://host[:port] without a path"},
        ),
    ] = ""
    allowed_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Host names that requests may be addressed to (a guard against DNS rebinding); empty means the "
            "host of public_url, the address listened on, and localhost."
        ),
    ] = ()
    allowed_origins: Annotated[
        tuple[Origin, ...],
        Meta(
            description="Origins (scheme://host[:port]) whose pages may open sockets and change state; empty means "
            "Ringback's own.",
            extra={"allowed": "a list of scheme://host[:port]"},
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
            extra={"allowed": "a list of IP addresses or networks (CIDR)"},
        ),
    ] = ()
    node: Annotated[str, Meta(max_length=100, description="Name of this process; empty means hostname:port.")] = ""


class MongoSettings(Section, frozen=True, kw_only=True):
    """The database. Every deadline stays far below the heartbeat's, so that a stalled database closes no socket."""

    uri: Annotated[
        str,
        Meta(
            pattern=r"^(mongodb(\+srv)?://\S+)?$",
            description="MongoDB to use (a replica set); empty starts one of Ringback's own in the data folder.",
            extra=SECRET | {"allowed": "empty, or mongodb://… or mongodb+srv://…"},  # it may carry a password
        ),
    ] = ""
    database: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_-]{1,63}$",  # what MongoDB takes on every system
            description="Name of the database.",
            extra={"allowed": "1 to 63 letters, digits, _ or -"},
        ),
    ] = "ringback"
    timeout_ms: Annotated[int, Meta(ge=100, le=60_000, description="Longest that one operation may take.")] = 2_000
    server_selection_timeout_ms: Annotated[
        int, Meta(ge=100, le=60_000, description="Longest wait for a server that can take an operation.")
    ] = 2_000
    wait_queue_timeout_ms: Annotated[
        int, Meta(ge=100, le=60_000, description="Longest wait for a free connection of the pool.")
    ] = 1_000
    max_pool_size: Annotated[int, Meta(ge=1, le=1_000, description="Connections to MongoDB at once.")] = 50


class AuthSettings(Section, frozen=True, kw_only=True):
    """Passwords, tokens and sign-ins."""

    secret: Annotated[
        str,
        Meta(
            description="Key that signs tokens; empty means one that is generated and kept in the data folder.",
            extra=SECRET | {"allowed": "at least 32 bytes, or empty"},
        ),
    ] = ""
    previous_secret: Annotated[
        str,
        Meta(
            description="The key before this one: its tokens are good until they run out.",
            extra=SECRET | {"allowed": "at least 32 bytes, or empty"},
        ),
    ] = ""
    issuer: Annotated[str, Meta(min_length=1, max_length=200, description="The iss claim of every token.")] = "ringback"
    access_token_ttl_s: Annotated[int, Meta(ge=1, le=86_400, description="Life of an access token.")] = 900
    ws_token_ttl_s: Annotated[
        int, Meta(ge=1, le=3_600, description="Life of a token that opens one socket, from its issue to its use.")
    ] = 120
    sign_in_ttl_days: Annotated[
        int, Meta(ge=1, le=365, description="Life of a sign-in that is not used; each refresh starts it anew.")
    ] = 14
    leeway_s: Annotated[
        int, Meta(ge=0, le=300, description="Difference between the clocks of two nodes that a token survives.")
    ] = 10
    registration: Annotated[
        Literal["closed", "open"], Meta(description="Whether people may make accounts for themselves.")
    ] = "closed"
    password_min_length: Annotated[int, Meta(ge=1, le=64, description="Characters that a new password must have.")] = 8
    argon2_memory_kib: Annotated[
        int, Meta(ge=8, le=4_194_304, description="Memory of one password hash (OWASP: 19456 with a time cost of 2).")
    ] = 19_456
    argon2_time_cost: Annotated[int, Meta(ge=1, le=100, description="Passes of one password hash.")] = 2
    hashing_threads: Annotated[
        int, Meta(ge=1, le=64, description="Password hashes at once, each on a thread beside the event loop.")
    ] = 2
    hashing_queue: Annotated[
        int, Meta(ge=1, le=10_000, description="Sign-ins that may wait for a hash; further ones are told to come back.")
    ] = 32
    login_attempts_per_account: Annotated[
        int, Meta(ge=1, le=100_000, description="Failed sign-ins of one account within the window.")
    ] = 5
    login_attempts_per_address: Annotated[
        int, Meta(ge=1, le=100_000, description="Failed sign-ins from one address within the window.")
    ] = 20
    login_window_s: Annotated[int, Meta(ge=1, le=86_400, description="The window of the two limits above.")] = 900
    sign_in_cache_s: Annotated[
        int, Meta(ge=0, le=300, description="How long a sign-in that was found good is not looked up again.")
    ] = 30


class SocketSettings(Section, frozen=True, kw_only=True):
    """Heartbeat, resuming and limits of the sockets."""

    heartbeat_interval_s: Annotated[
        float, Meta(ge=0.05, le=300, description="A client is pinged after this much silence (proxies cut at 60).")
    ] = 25
    call_heartbeat_interval_s: Annotated[
        float, Meta(ge=0.05, le=300, description="The same in a call: whoever is lost is gone for the others in 45 s.")
    ] = 3
    heartbeat_timeout_s: Annotated[
        float, Meta(ge=0.05, le=300, description="Silence past the interval plus this ends the connection.")
    ] = 10
    auth_timeout_s: Annotated[
        float, Meta(ge=0.05, le=120, description="Longest that a socket may stay without credentials.")
    ] = 10
    resume_window_s: Annotated[
        float, Meta(ge=0, le=3_600, description="How long a lost connection may be resumed.")
    ] = 120
    call_resume_window_s: Annotated[
        float, Meta(ge=0, le=3_600, description="The same in a call, until the others see the person leave.")
    ] = 30
    resume_frames: Annotated[int, Meta(ge=1, le=100_000, description="Frames kept for a resume.")] = 500
    resume_bytes: Annotated[int, Meta(ge=1_024, le=67_108_864, description="Bytes of frames kept for a resume.")] = (
        262_144
    )
    max_frame_bytes: Annotated[int, Meta(ge=1_024, le=1_048_576, description="Largest frame from a client.")] = 65_536
    max_sdp_bytes: Annotated[
        int, Meta(ge=512, le=1_048_576, description="Largest SDP in an offer or answer; below max_frame_bytes.")
    ] = 32_768
    max_chat_characters: Annotated[int, Meta(ge=1, le=65_536, description="Longest chat message.")] = 4_096
    chats_per_minute: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Chat messages of one participant in a call, in a minute.")
    ] = 100
    frames_per_s: Annotated[
        float, Meta(ge=0.1, le=10_000, description="Frames a second that one client may send for long.")
    ] = 20
    frames_burst: Annotated[
        int, Meta(ge=1, le=100_000, description="Frames that one client may send at once (candidates come in bursts).")
    ] = 100
    bad_frames_per_minute: Annotated[
        int, Meta(ge=1, le=10_000, description="Frames that could not be understood until the connection is closed.")
    ] = 20
    limited_frames_per_10_s: Annotated[
        int, Meta(ge=1, le=100_000, description="Frames above the rate within 10 s until the connection is closed.")
    ] = 200
    max_connections_per_user: Annotated[int, Meta(ge=1, le=10_000, description="Open sockets of one person.")] = 50
    max_buffered_bytes: Annotated[
        int, Meta(ge=4_096, le=67_108_864, description="Bytes waiting for a slow client until it is cut off.")
    ] = 1_048_576
    coalesce_bytes: Annotated[
        int,
        Meta(
            ge=1_024,
            le=67_108_864,
            description="Bytes waiting for a client from which on only the newest of frames that replace each other "
            "is kept; at most max_buffered_bytes.",
        ),
    ] = 262_144
    max_blocked_s: Annotated[
        float, Meta(ge=0.05, le=300, description="Longest that the oldest waiting byte may wait for a slow client.")
    ] = 10
    queue_length: Annotated[
        int, Meta(ge=1, le=10_000, description="Frames of one client that may wait to be worked on.")
    ] = 64
    close_timeout_s: Annotated[
        float, Meta(ge=0.05, le=60, description="Longest wait for the other side's half of a close.")
    ] = 5
    idempotency_window_s: Annotated[
        float, Meta(ge=1, le=3_600, description="How long a frame with the same id is answered again and done once.")
    ] = 120
    drain_s: Annotated[
        float, Meta(ge=0, le=300, description="Time over which clients are told to come back when the server stops.")
    ] = 20
    record_days: Annotated[
        int, Meta(ge=1, le=3_650, description="How long the record of a closed connection is kept.")
    ] = 30


class CallSettings(Section, frozen=True, kw_only=True):
    """How long a call may ring, connect and last, and how many there may be."""

    ring_timeout_s: Annotated[
        float, Meta(ge=0.05, le=600, description="How long a call rings until it ends as no_answer.")
    ] = 45
    connect_timeout_s: Annotated[
        float, Meta(ge=0.05, le=600, description="From the answer until sound and picture flow.")
    ] = 20
    max_duration_s: Annotated[float, Meta(ge=1, le=604_800, description="Longest call.")] = 43_200
    max_participants: Annotated[int, Meta(ge=2, le=50, description="People in one call.")] = 6
    lonely_timeout_s: Annotated[
        float,
        Meta(ge=0.05, le=3_600, description="How long somebody may be alone in a call that more than two had joined."),
    ] = 60
    max_chat_messages: Annotated[
        int,
        Meta(ge=1, le=100_000, description="Written messages kept of one call; then no more can be written."),
    ] = 2_000
    calls_per_minute: Annotated[int, Meta(ge=1, le=10_000, description="Calls that one person may start.")] = 20
    calls_per_pair_per_minute: Annotated[
        int, Meta(ge=1, le=10_000, description="Calls that one person may start to the same other person.")
    ] = 6


class VoicemailSettings(Section, frozen=True, kw_only=True):
    """Messages that a caller may leave when a call was not taken."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether messages can be left; those that are there stay.",
            extra={"allowed": "true or false"},
        ),
    ] = True
    max_s: Annotated[int, Meta(ge=1, le=3_600, description="Longest message.")] = 180
    max_bytes: Annotated[
        int, Meta(ge=16_384, le=33_554_432, description="Largest message (three minutes are some 700 KiB).")
    ] = 4_194_304
    max_messages: Annotated[
        int, Meta(ge=1, le=10_000, description="Messages kept for one person; when it is full, a caller reads so.")
    ] = 100
    keep_days: Annotated[int, Meta(ge=1, le=3_650, description="How long a message is kept, heard or not.")] = 90
    window_s: Annotated[
        int, Meta(ge=10, le=86_400, description="How long after the end of the call a message can be left.")
    ] = 600


class RecordingSettings(Section, frozen=True, kw_only=True):
    """Recordings of calls, made in the browser of whoever asked while everybody in the call agrees."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether calls can be recorded; recordings that are kept stay.",
            extra={"allowed": "true or false"},
        ),
    ] = True
    max_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=4_294_967_296,
            description="Largest recording that can be kept with its call (an hour of sound is some 30 MiB, of video "
            "some 450 MiB); with 0 none can, only downloaded. A proxy has to let that much through.",
        ),
    ] = 536_870_912
    max_kept: Annotated[
        int, Meta(ge=1, le=10_000, description="Recordings kept for one person; when there are more, they read so.")
    ] = 20
    max_total_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=1_125_899_906_842_624,
            description="Room for the recordings of everybody together; when it is full, no more are kept.",
        ),
    ] = 53_687_091_200
    keep_days: Annotated[int, Meta(ge=1, le=3_650, description="How long a recording is kept with its call.")] = 90


class TaskSettings(Section, frozen=True, kw_only=True):
    """Long tasks: what people start and follow while it is done."""

    at_once: Annotated[
        int, Meta(ge=0, le=64, description="Tasks that one process works at; with 0 it leaves them to other processes.")
    ] = 4
    max_open: Annotated[int, Meta(ge=1, le=1_000, description="Tasks of one person that may be under way.")] = 20
    max_events: Annotated[
        int, Meta(ge=10, le=100_000, description="Events kept of one task; then its progress is told no more.")
    ] = 2_000
    lease_s: Annotated[
        float,
        Meta(ge=0.3, le=3_600, description="After how long the tasks of a process that has died are taken up again."),
    ] = 20
    poll_interval_s: Annotated[
        float, Meta(ge=0.05, le=60, description="How often a process looks for tasks that others have left or started.")
    ] = 1
    stalled_after_s: Annotated[
        float, Meta(ge=1, le=86_400, description="After how long without a word a running task is shown as stalled.")
    ] = 120
    processes: Annotated[
        int, Meta(ge=1, le=64, description="Processes for work that burns CPU; calls come before it.")
    ] = 2
    process_memory_mib: Annotated[
        int, Meta(ge=256, le=65_536, description="Address space that each of these may take.")
    ] = 2_048
    keep_days: Annotated[int, Meta(ge=1, le=3_650, description="How long a task is kept after its end.")] = 90


class BookSettings(Section, frozen=True, kw_only=True):
    """Books that people upload to read and ask them."""

    max_bytes: Annotated[
        int,
        Meta(ge=1_024, le=1_073_741_824, description="Largest file of a book. A proxy has to let that much through."),
    ] = 52_428_800
    max_characters: Annotated[
        int,
        Meta(ge=1_000, le=100_000_000, description="Longest text of a book (War and Peace has some three million)."),
    ] = 10_000_000
    max_books: Annotated[int, Meta(ge=0, le=10_000, description="Books kept for one person.")] = 50


class ExportSettings(Section, frozen=True, kw_only=True):
    """Files with all that is held about a person, made for them alone."""

    keep_days: Annotated[int, Meta(ge=1, le=365, description="How long an export can be downloaded.")] = 7
    max_media_bytes: Annotated[
        int,
        Meta(
            ge=0,
            le=1_099_511_627_776,
            description="Sound and pictures in one export; what goes beyond is named in it with its address.",
        ),
    ] = 2_147_483_648


class PeopleSettings(Section, frozen=True, kw_only=True):
    """Contacts, and who is there."""

    contact_requests_per_day: Annotated[
        int, Meta(ge=1, le=10_000, description="Contact requests that one person may make within 24 hours.")
    ] = 50
    presence_round_s: Annotated[
        float,
        Meta(ge=0.05, le=60, description="How often processes tell each other, by the database, of who is there."),
    ] = 2
    presence_renewal_s: Annotated[
        float, Meta(ge=0.05, le=300, description="How often a process says that all it has told of holds.")
    ] = 10
    presence_lease_s: Annotated[
        float,
        Meta(
            ge=0.1,
            le=3_600,
            description="How long that holds without being said again: after this the people of a dead process are "
            "offline. At least twice presence_renewal_s and presence_round_s.",
        ),
    ] = 30


class IceSettings(Section, frozen=True, kw_only=True):
    """STUN and TURN servers that clients are told of."""

    policy: Annotated[
        Literal["all", "relay"], Meta(description="relay lets media pass only through TURN and hides addresses.")
    ] = "all"
    stun_urls: Annotated[
        tuple[StunUrl, ...],
        Meta(
            description="STUN servers; none is asked unless it stands here.",
            extra={"allowed": "a list of stun:host[:port] or stuns:host[:port]"},
        ),
    ] = ()
    turn_urls: Annotated[
        tuple[TurnUrl, ...],
        Meta(
            description="TURN servers; they need turn_secret.",
            extra={"allowed": "a list of turn:host[:port][?transport=udp|tcp] or turns:…"},
        ),
    ] = ()
    turn_secret: Annotated[
        str,
        Meta(
            description="Secret shared with the TURN servers (coturn: static-auth-secret).",
            extra=SECRET | {"allowed": "text; not empty where turn_urls is given"},
        ),
    ] = ""
    credential_ttl_s: Annotated[
        int, Meta(ge=60, le=86_400, description="Life of the TURN credentials that a client is given.")
    ] = 600


class PushSettings(Section, frozen=True, kw_only=True):
    """Web Push: how browsers are rung whose page is closed."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether browsers may subscribe; their makers' push services then carry encrypted messages.",
            extra={"allowed": "true or false"},
        ),
    ] = True
    vapid_private_key: Annotated[
        str,
        Meta(
            description="Key that push services know this server by (P-256, 32 bytes in base64url); empty means one "
            "that is generated and kept in the data folder.",
            extra=SECRET | {"allowed": "43 characters of base64url, or empty"},
        ),
    ] = ""
    contact: Annotated[
        str,
        Meta(
            pattern=r"^((mailto:[^@\s]+@[^@\s]+)|(https://\S+))?$",
            description="Where a push service reaches the operator; empty means public_url. Apple's wants a real one.",
            extra={"allowed": "empty, mailto:name@host or https://…"},
        ),
    ] = ""
    trusted_endpoints: Annotated[
        tuple[Origin, ...],
        Meta(
            description="Origins of push services of your own, which may be http and have private addresses.",
            extra={"allowed": "a list of scheme://host[:port]"},
        ),
    ] = ()


class DialogueSettings(Section, frozen=True, kw_only=True):
    """Written dialogues about books, and who answers in them."""

    responder: Annotated[
        Literal["offline", "openai"],
        Meta(
            description="Who answers: offline quotes the book and needs no network; openai asks a language model, "
            "which is then sent the questions and the passages that were found."
        ),
    ] = "offline"
    openai_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^?#\s@]+)?$",
            description="Base address of an OpenAI-compatible provider, up to the part before /chat/completions.",
            extra={"allowed": "empty, or http(s)://host[:port][/path]; not empty where responder is openai"},
        ),
    ] = ""
    openai_key: Annotated[
        str,
        Meta(
            pattern=r"^[\x21-\x7e]*$",  # it stands in a header
            description="Key that the provider asks for; empty where it asks for none.",
            extra=SECRET | {"allowed": "printable ASCII without spaces, or empty"},
        ),
    ] = ""
    openai_model: Annotated[
        str,
        Meta(
            max_length=200,
            description="Name of the model, as the provider calls it.",
            extra={"allowed": "text; not empty where responder is openai"},
        ),
    ] = ""
    openai_connect_timeout_s: Annotated[
        float, Meta(ge=0.05, le=120, description="Longest wait for a connection to the provider.")
    ] = 5
    openai_first_timeout_s: Annotated[
        float, Meta(ge=0.05, le=600, description="Longest wait for the first word of an answer.")
    ] = 60
    openai_idle_timeout_s: Annotated[
        float, Meta(ge=0.05, le=600, description="Longest wait for the next word; then the answer is interrupted.")
    ] = 30
    openai_attempts: Annotated[
        int, Meta(ge=1, le=10, description="How often the provider is asked before an answer has begun.")
    ] = 3
    max_context_characters: Annotated[
        int,
        Meta(
            ge=1_000,
            le=2_000_000,
            description="Characters of passages and earlier messages that go with a question to the provider.",
        ),
    ] = 24_000
    max_message_characters: Annotated[int, Meta(ge=1, le=16_384, description="Longest message to the assistant.")] = (
        4_000
    )
    max_reply_characters: Annotated[
        int, Meta(ge=100, le=1_000_000, description="Longest reply; what is longer is interrupted.")
    ] = 32_768
    reply_timeout_s: Annotated[float, Meta(ge=0.05, le=3_600, description="Longest that a reply may take.")] = 300
    max_waiting: Annotated[
        int, Meta(ge=1, le=20, description="Messages of one dialogue that may wait for their reply.")
    ] = 10
    messages_per_minute: Annotated[
        int, Meta(ge=1, le=10_000, description="Messages that one person may write to the assistant in a minute.")
    ] = 30
    replies_at_once: Annotated[
        int, Meta(ge=1, le=1_000, description="Replies that one process gives at a time; further ones wait.")
    ] = 16
    lease_s: Annotated[
        float,
        Meta(
            ge=0.1,
            le=3_600,
            description="How long a reply counts as going on without being heard of: after this, that of a dead "
            "process is interrupted. At least twice round_s.",
        ),
    ] = 10
    round_s: Annotated[
        float, Meta(ge=0.05, le=300, description="How often a process says that its replies are going on.")
    ] = 2


class JobSettings(Section, frozen=True, kw_only=True):
    """How often the periodic jobs run."""

    sweep_interval_s: Annotated[
        float,
        Meta(ge=0.05, le=3_600, description="Ends calls and tasks past their deadline and drops sessions past theirs."),
    ] = 1
    revocation_interval_s: Annotated[
        float, Meta(ge=0.05, le=60, description="Looks for sign-ins that ended elsewhere (sockets close within 2 s).")
    ] = 1
    record_flush_interval_s: Annotated[
        float, Meta(ge=0.05, le=60, description="Writes the records of closed connections.")
    ] = 1


class LogSettings(Section, frozen=True, kw_only=True):
    """What is logged and in which form."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least important lines that are written.")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "text"], Meta(description="auto is text on a terminal and JSON elsewhere.")
    ] = "auto"


class MetricsSettings(Section, frozen=True, kw_only=True):
    """Figures for Prometheus."""

    token: Annotated[
        str,
        Meta(
            description="Bearer token that /metrics asks for; empty shows it only to this machine.",
            extra=SECRET | {"allowed": "text, or empty"},
        ),
    ] = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one process, read once at start and passed on; ``server.config.load_settings`` makes them."""

    server: ServerSettings = ServerSettings()
    mongo: MongoSettings = MongoSettings()
    auth: AuthSettings = AuthSettings()
    sockets: SocketSettings = SocketSettings()
    calls: CallSettings = CallSettings()
    voicemail: VoicemailSettings = VoicemailSettings()
    recordings: RecordingSettings = RecordingSettings()
    exports: ExportSettings = ExportSettings()
    tasks: TaskSettings = TaskSettings()
    books: BookSettings = BookSettings()
    people: PeopleSettings = PeopleSettings()
    ice: IceSettings = IceSettings()
    push: PushSettings = PushSettings()
    dialogues: DialogueSettings = DialogueSettings()
    jobs: JobSettings = JobSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
