"""Everything that can be set, declared once, read from flags, environment and file, and validated once.

An annotated field of ``Settings`` is a setting: flags, environment variables, keys of the file and the reference
page all follow from it. A flag wins over the environment, the environment over the file, the file over the default.
"""

import difflib
import ipaddress
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast, get_type_hints
from urllib.parse import urlsplit

from stanchion import ids, limits

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_FILE: Final = "stanchion.toml"


class SettingsError(Exception):
    """The settings cannot be used. Each mistake is one line: the setting, where it came from, the cure."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class Given(NamedTuple):
    """A value as somebody wrote it: text from a flag or the environment, anything TOML knows from the file."""

    value: object
    origin: str


# ── Readers: from what was written to what is meant ──────────────────────────────────────────────────────
# A reader raises ValueError with what is wrong and the cure, in words that follow "port, from --port: ".

Reader = Callable[[object], Any]


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{_shown(value)} is not a text; give one that is not empty")
    return value


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else json.dumps(value, default=str)


def _whole_number(least: int, most: int) -> Reader:
    def read(value: object) -> int:
        number = value
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
            number = int(value)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise ValueError(f"{_shown(value)} is not possible; give a whole number from {least} to {most}")
        return number

    return read


def _one_of(*choices: str) -> Reader:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{_shown(value)} is not possible; give {' or '.join(choices)}")
        return value

    return read


_YES: Final = ("true", "on", "yes", "1")
_NO: Final = ("false", "off", "no", "0")


def _switch(value: object) -> bool:
    word = str(value).lower()
    if word not in _YES + _NO:
        raise ValueError(f"{_shown(value)} is neither yes nor no; give true or false")
    return word in _YES


def _matching(pattern: str, wanted: str) -> Reader:
    def read(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"{_shown(value)} is not possible; give {wanted}")
        return value

    return read


def _list_of(read_item: Reader) -> Reader:
    """A TOML array, or in text the items with commas between them."""

    def read(value: object) -> tuple[Any, ...]:
        if isinstance(value, str):
            return tuple(read_item(item.strip()) for item in value.split(",") if item.strip())
        if isinstance(value, list):
            return tuple(map(read_item, value))
        raise ValueError(f"{_shown(value)} is not a list; give its items with commas between them")

    return read


def _path(value: object) -> Path:
    try:
        return Path(_text(value)).expanduser()
    except RuntimeError:
        raise ValueError(f"{_shown(value)} is in no known home folder; give the whole path") from None


def _host(value: object) -> str:
    return _text(value).removeprefix("[").removesuffix("]")


def _store(value: object) -> str:
    text = _text(value)
    if text.startswith(("postgresql:", "postgres:")):
        raise ValueError("PostgreSQL comes in a later version; give sqlite:PATH or memory")
    if text != "memory" and not re.fullmatch(r"sqlite:.+", text):
        raise ValueError(f"{text!r} names no store; give sqlite:PATH or memory")
    return text


def _workers(value: object) -> int:
    workers = cast(int, _whole_number(1, 64)(value))
    if workers > 1:
        raise ValueError("more than one process comes in a later version; give 1")
    return workers


def _tls_file(_value: object) -> Path:
    raise ValueError(
        "HTTPS comes in a later version; leave it out and put a TLS proxy in front (see trusted-proxies)"
    )


def _public_url(value: object) -> str:
    url = _text(value).rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        usable = False
    if not usable or "?" in url or "#" in url or re.search(r"\s", url):
        raise ValueError(f"{_shown(value)} cannot start a queue URL; give http://HOST:PORT or https://HOST")
    return url


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(_text(value), strict=False)
    except ValueError:
        raise ValueError(f"{_shown(value)} is no network; give addresses such as 10.0.0.7 or 10.0.0.0/8") from None


_region = _matching(r"[a-z][a-z0-9-]{0,62}", "a name such as us-east-1")
_account = _matching(ids.ACCOUNT.pattern, "12 digits")
_origin = _matching(r"\*|[a-z][a-z0-9+.-]*://[^\s/,]+", "*, or origins such as https://app.example.com")


# ── The declaration ──────────────────────────────────────────────────────────────────────────────────────


class Told(NamedTuple):
    """What the declaration of a setting adds to its name, type and default."""

    read: Reader
    metavar: str
    help: str


class Setting(NamedTuple):
    """One thing that can be set. ``default`` is what holds when nobody says anything."""

    name: str
    default: object
    read: Reader
    metavar: str
    help: str

    @property
    def key(self) -> str:
        """Its name in the file and in messages."""
        return self.name.replace("_", "-")

    @property
    def flag(self) -> str:
        return f"--{self.key}"

    @property
    def variable(self) -> str:
        return f"STANCHION_{self.name.upper()}"

    @property
    def is_switch(self) -> bool:
        return self.read is _switch


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredQueue:
    """A queue that the file wants to exist. ``attributes`` are as in SetQueueAttributes, Policy among them."""

    name: str
    account: str
    region: str
    attributes: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What this server was told. Made by ``load``; everything in it has been checked."""

    host: Annotated[str, Told(_host, "ADDRESS", "Where the SQS endpoint listens.")] = "127.0.0.1"
    port: Annotated[int, Told(_whole_number(0, 65535), "PORT", "Its port; 0 takes a free one and prints it.")] = 9324
    console_port: Annotated[
        int, Told(_whole_number(0, 65535), "PORT", "Port of the console; 0 takes a free one and prints it.")
    ] = 9325
    console: Annotated[bool, Told(_switch, "", "Whether there is a console.")] = True
    console_read_only: Annotated[bool, Told(_switch, "", "Whether the console only shows and changes nothing.")] = (
        False
    )
    store: Annotated[str, Told(_store, "URL", "Where the queues live: sqlite:PATH or memory.")] = (
        "sqlite:stanchion.db"
    )
    durability: Annotated[
        str,
        Told(
            _one_of("fsync", "os"),
            "fsync|os",
            "What a reply promises. fsync: it is on disk. os: the operating system has it, so it "
            "survives the end of this process but not a power cut.",
        ),
    ] = "fsync"
    workers: Annotated[int, Told(_workers, "NUMBER", "Processes that share the port and the store.")] = 1
    region: Annotated[str, Told(_region, "NAME", "The region that ARNs name.")] = "us-east-1"
    account: Annotated[
        str, Told(_account, "DIGITS", "The account that owns the queues of callers who name none.")
    ] = "000000000000"
    regions: Annotated[
        tuple[str, ...],
        Told(
            _list_of(_region),
            "NAMES",
            "Regions that requests may be signed for, each with queues of its own, with commas "
            "between them. Without it any is accepted and all mean the same.",
        ),
    ] = ()
    public_url: Annotated[
        str | None,
        Told(_public_url, "URL", "What queue URLs start with. Without it: the host that the request names."),
    ] = None
    credentials: Annotated[
        Path | None,
        Told(_path, "FILE", "Access keys, in the AWS shared-credentials format. Giving it turns auth on."),
    ] = None
    metrics_token: Annotated[
        Path | None,
        Told(
            _path,
            "FILE",
            "File with the token that a scraper of /metrics sends as Authorization: Bearer; needed while "
            "signatures are checked.",
        ),
    ] = None
    auth: Annotated[
        str,
        Told(
            _one_of("off", "sigv4"),
            "off|sigv4",
            "Whether signatures are checked. Without it: off on a loopback address without credentials, else sigv4.",
        ),
    ] = ""
    sigv2: Annotated[bool, Told(_switch, "", "Whether the old signature version 2 is accepted too.")] = False
    tls_cert: Annotated[Path | None, Told(_tls_file, "FILE", "Certificate for HTTPS.")] = None
    tls_key: Annotated[Path | None, Told(_tls_file, "FILE", "Its private key.")] = None
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Told(
            _list_of(_network),
            "NETWORKS",
            "Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, with "
            "commas between them.",
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[str, ...],
        Told(
            _list_of(_origin),
            "ORIGINS",
            "Origins whose pages may call the endpoint, with commas between them; * is any.",
        ),
    ] = ()
    test_clock: Annotated[
        bool,
        Told(
            _switch,
            "",
            "Whether tests on this machine may turn the clock, ask for faults and empty the server. Its store is in "
            "memory.",
        ),
    ] = False
    in_flight_limit: Annotated[
        int, Told(_whole_number(1, 100_000_000), "NUMBER", "Messages of one queue that may be in flight.")
    ] = limits.IN_FLIGHT
    recreate_wait_seconds: Annotated[
        int, Told(_whole_number(0, 86_400), "SECONDS", "How long the name of a deleted queue stays taken.")
    ] = limits.RECREATE_AFTER_DELETE_SECONDS
    purge_interval_seconds: Annotated[
        int, Told(_whole_number(0, 86_400), "SECONDS", "Least time between two purges of a queue.")
    ] = limits.PURGE_INTERVAL_SECONDS
    max_connections: Annotated[
        int, Told(_whole_number(1, 1_000_000), "NUMBER", "Connections that may be open at once.")
    ] = 10_000
    max_waiting_requests: Annotated[
        int,
        Told(
            _whole_number(1, 10_000_000),
            "NUMBER",
            "Requests that may wait for a commit; more are refused with RequestThrottled, which SDKs try again.",
        ),
    ] = 10_000
    idle_timeout_seconds: Annotated[
        int, Told(_whole_number(1, 86_400), "SECONDS", "A connection without a request is closed after this long.")
    ] = 120
    max_body_bytes: Annotated[
        int,
        Told(
            _whole_number(limits.MESSAGE_BYTES, 1_073_741_824), "BYTES", "Size that the body of a request may have."
        ),
    ] = 8_388_608
    log_format: Annotated[
        str,
        Told(
            _one_of("text", "json"), "text|json", "How the log is written. Without it: text on a terminal, else json."
        ),
    ] = ""
    config: Annotated[
        Path | None, Told(_path, "FILE", f"Settings and queues, in TOML. Without it: {DEFAULT_FILE}, if it is there.")
    ] = None
    queues: tuple[DeclaredQueue, ...] = ()

    @property
    def loopback_only(self) -> bool:
        """Whether only programs on this machine can reach the endpoint."""
        return _is_loopback(self.host)


def _declared_settings() -> tuple[Setting, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    told = ((each, hints[each.name]) for each in fields(Settings) if hasattr(hints[each.name], "__metadata__"))
    return tuple(Setting(each.name, each.default, *hint.__metadata__[0]) for each, hint in told)


SETTINGS: Final = _declared_settings()
_CONFIG: Final = next(each for each in SETTINGS if each.name == "config")
_IN_FILE: Final = {each.key: each for each in SETTINGS if each is not _CONFIG}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# ── Loading ──────────────────────────────────────────────────────────────────────────────────────────────


def load(
    flags: Mapping[str, object], environment: Mapping[str, str], *, folder: Path, terminal: bool = False
) -> Settings:
    """The settings that hold, or SettingsError with every mistake in them.

    ``flags`` has a value, or None, for names of SETTINGS. ``folder`` is where the file is looked for. ``terminal``
    says whether the log goes to one.
    """
    spoken = _from_environment(environment) | _from_flags(flags)
    config = _config_file(spoken.pop("config", None), folder)
    document = {} if config is None else _read_file(config)
    queues = document.pop("queues", [])
    given = _from_file(document, config) | spoken
    settings = Settings(**_values(given), config=config)
    origins = {name: each.origin for name, each in given.items()}
    settings = replace(
        settings,
        auth=_auth(settings, origins),
        log_format=settings.log_format or ("text" if terminal else "json"),
    )
    _check_region(settings, origins)
    if settings.test_clock:
        settings = _with_store_for_tests(settings, origins)
    return replace(settings, queues=_declared_queues(queues, settings))


def reread_queues(settings: Settings) -> tuple[DeclaredQueue, ...]:
    """The queues that the file declares now; SettingsError when it cannot be used any more."""
    if settings.config is None:
        return ()
    return _declared_queues(_read_file(settings.config).get("queues", []), settings)


def _from_flags(flags: Mapping[str, object]) -> dict[str, Given]:
    given = ((each, flags.get(each.name)) for each in SETTINGS)
    return {each.name: Given(value, each.flag) for each, value in given if value is not None}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    # An empty variable counts as absent: compose files and unit files leave those behind for what is not set.
    given = ((each, environment.get(each.variable)) for each in SETTINGS)
    return {each.name: Given(value, f"the environment ({each.variable})") for each, value in given if value}


def _from_file(document: Mapping[str, object], config: Path | None) -> dict[str, Given]:
    mistakes = [f"{key}, from {config}: {_no_such_key(key)}" for key in document if key not in _IN_FILE]
    if mistakes:
        raise SettingsError(mistakes)
    return {_IN_FILE[key].name: Given(value, str(config)) for key, value in document.items()}


def _no_such_key(key: str) -> str:
    close = difflib.get_close_matches(key, [*_IN_FILE, "queues"], n=1)
    cure = f"did you mean {close[0]}?" if close else "stanchion serve --help lists them all"
    return f"there is no such setting; {cure}"


def _config_file(given: Given | None, folder: Path) -> Path | None:
    if given is None:
        default = folder / DEFAULT_FILE
        return default if default.is_file() else None
    path: Path = folder / _value(_CONFIG, given)
    if not path.is_file():
        raise SettingsError([f"config, from {given.origin}: there is no file {path}; name one that exists"])
    return path


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise SettingsError([f"config: {path} cannot be read ({problem.strerror}); mend its permissions"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"config: {path} is not UTF-8; save it as that"]) from None
    except tomllib.TOMLDecodeError as problem:
        raise SettingsError([f"config: {path} is not TOML ({problem}); mend that line"]) from None


def _values(given: Mapping[str, Given]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for each in SETTINGS:
        try:
            if each.name in given:
                values[each.name] = _value(each, given[each.name])
        except SettingsError as mistake:
            mistakes.extend(mistake.mistakes)
    if mistakes:
        raise SettingsError(mistakes)
    return values


def _value(setting: Setting, given: Given) -> Any:
    try:
        return setting.read(given.value)
    except ValueError as mistake:
        raise SettingsError([f"{setting.key}, from {given.origin}: {mistake}"]) from None


def _auth(settings: Settings, origins: Mapping[str, str]) -> str:
    """Off has to be written out where other machines can reach the server; a port on the network that obeys
    anybody must never be an oversight."""
    if settings.auth == "sigv4" and settings.credentials is None:
        raise SettingsError(
            [f"auth, from {origins['auth']}: sigv4 has no keys to check against; give --credentials FILE too"]
        )
    if settings.auth:
        return settings.auth
    if settings.credentials is not None:
        return "sigv4"
    if not settings.loopback_only:
        raise SettingsError(
            [
                f"host, from {origins['host']}: other machines can reach {settings.host}, and nobody would need a "
                "key; give --credentials FILE, or write out --auth off"
            ]
        )
    return "off"


def _check_region(settings: Settings, origins: Mapping[str, str]) -> None:
    if settings.regions and settings.region not in settings.regions:
        raise SettingsError(
            [f"regions, from {origins['regions']}: {settings.region}, which is the region, is not among them; add it"]
        )


def _with_store_for_tests(settings: Settings, origins: Mapping[str, str]) -> Settings:
    """In memory, unless something else was asked for: in a file, turned time would expire messages that are kept."""
    if "store" in origins and settings.store != "memory":
        raise SettingsError(
            [
                f"test-clock, from {origins['test_clock']}: with time turned, messages of {settings.store} would "
                "expire; give --store memory"
            ]
        )
    return replace(settings, store="memory")


# ── Declared queues ──────────────────────────────────────────────────────────────────────────────────────
#
#     [[queues]]
#     name = "jobs"
#     attributes = { VisibilityTimeout = 60, RedrivePolicy = { deadLetterTargetArn = "…", maxReceiveCount = 5 } }
#     tags = { team = "billing" }
#     policy = { Version = "2012-10-17", Statement = [ … ] }
#
# Whether the names and values are right is the engine's to say, when the queue is made.

_QUEUE_KEYS: Final = ("name", "account", "region", "attributes", "tags", "policy")


def _declared_queues(declared: object, settings: Settings) -> tuple[DeclaredQueue, ...]:
    if not isinstance(declared, list) or not all(isinstance(each, dict) for each in declared):
        raise SettingsError([f"queues, from {settings.config}: not a list of tables; write [[queues]] above each"])
    queues: list[DeclaredQueue] = []
    mistakes: list[str] = []
    for position, each in enumerate(declared, start=1):
        try:
            queues.append(_declared_queue(each, settings, queues))
        except ValueError as mistake:
            name = each.get("name") or f"number {position}"
            mistakes.append(f"queue {name}, from {settings.config}: {mistake}")
    if mistakes:
        raise SettingsError(mistakes)
    return tuple(queues)


def _declared_queue(declared: dict[str, Any], settings: Settings, before: list[DeclaredQueue]) -> DeclaredQueue:
    for key in declared:
        if key not in _QUEUE_KEYS:
            raise ValueError(f"there is no key {key}; a queue has {', '.join(_QUEUE_KEYS)}")
    if "name" not in declared:
        raise ValueError("it has no name; give one")
    queue = DeclaredQueue(
        name=_text(declared["name"]),
        account=_account(declared.get("account", settings.account)),
        region=_region(declared.get("region", settings.region)),
        attributes=_attributes(declared),
        tags={key: _attribute_text(value) for key, value in _table(declared, "tags").items()},
    )
    if queue.region not in (settings.region, *settings.regions):
        raise ValueError(f"no request could reach region {queue.region}; add it to regions")
    if any((it.account, it.region, it.name) == (queue.account, queue.region, queue.name) for it in before):
        raise ValueError("it is declared twice; keep one")
    return queue


def _table(declared: dict[str, Any], key: str) -> dict[str, Any]:
    table = declared.get(key, {})
    if not isinstance(table, dict):
        raise ValueError(f"{key} is not a table; write {key} = {{ NAME = VALUE }}")
    return table


def _attributes(declared: dict[str, Any]) -> dict[str, str]:
    attributes = {name: _attribute_text(value) for name, value in _table(declared, "attributes").items()}
    if "policy" in declared:
        if "Policy" in attributes:
            raise ValueError("it has both policy and an attribute Policy; keep one")
        attributes["Policy"] = _attribute_text(declared["policy"])
    return attributes


def _attribute_text(value: object) -> str:
    """SQS knows only text: 60 is "60", true is "true", and tables and lists are JSON."""
    return (
        value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    )
