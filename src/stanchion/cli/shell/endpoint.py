"""Which endpoint a command talks to, as whom, and how its refusals are told."""

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import click

from stanchion.cli.errors import CannotGoOn

Command = TypeVar("Command", bound=Callable[..., Any])

LOCAL: Final = "http://127.0.0.1:9324"
AWS: Final = "aws"
DEFAULT_REGION: Final = "us-east-1"
INTERRUPTED: Final = 130
# A server without auth takes any keys; botocore signs with nothing less.
_DUMMY_KEYS: Final = {"aws_access_key_id": "stanchion", "aws_secret_access_key": "stanchion"}
_AWS_HOST: Final = re.compile(
    r"(?:sqs(?:-fips)?\.(?P<region>[a-z0-9-]+)|(?P<older>[a-z0-9-]+)\.queue|queue)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
)
_AWS_DOMAINS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_NOWHERE: Final = "us-nowhere-1"
_INSTALL: Final = "this command needs botocore; install it with: pip install 'stanchion[client]'"


@dataclass(frozen=True, slots=True)
class Place:
    """What was said about where the queues are; None is what nobody said."""

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that was asked for by name or URL."""

    url: str

    @property
    def name(self) -> str:
        return self.url.rstrip("/").rpartition("/")[2]

    @property
    def fifo(self) -> bool:
        return self.name.endswith(".fifo")


class Sqs:
    """A client of one endpoint. ``call`` takes an action's name and its members."""

    def __init__(self, create: Callable[[Any], Any], config: Any) -> None:
        self._create = create
        self._config = config
        self._client = create(config)

    @functools.cached_property
    def once(self) -> "Sqs":
        """The same without botocore's second tries, for what must not happen twice without being noticed."""
        from botocore.config import Config

        return Sqs(self._create, self._config.merge(Config(retries={"total_max_attempts": 1})))

    @property
    def endpoint_url(self) -> str:
        return str(self._client.meta.endpoint_url)

    @property
    def region(self) -> str:
        return str(self._client.meta.region_name)

    def call(self, action: str, **members: Any) -> dict[str, Any]:
        """What the service answers; raises botocore's errors."""
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        answer: dict[str, Any] = getattr(self._client, method)(**members)
        return answer

    def queue(self, name_or_url: str) -> Queue:
        """The queue of a name, which is looked up, or of a URL, which is believed."""
        if is_url(name_or_url):
            return Queue(name_or_url)
        return Queue(str(self.call("GetQueueUrl", QueueName=name_or_url)["QueueUrl"]))

    def attributes(self, queue: Queue, *names: str) -> dict[str, str]:
        answer = self.call("GetQueueAttributes", QueueUrl=queue.url, AttributeNames=list(names) or ["All"])
        found: dict[str, str] = answer.get("Attributes", {})
        return found


def is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


# ── The options of every command ─────────────────────────────────────────────────────────────────────────


def place_options(command: Command, *, prefix: str = "", whose: str = "") -> Command:
    """``--endpoint-url``, ``--region`` and ``--profile``; with a prefix, ``--from-endpoint-url`` and so on."""
    url, region = ("--endpoint-url", "--region") if prefix else (f"as configured, else {LOCAL}", DEFAULT_REGION)
    options = {
        "endpoint-url": ("URL", f"SQS endpoint{whose}; aws means AWS itself.  [default: {url}]"),
        "region": ("NAME", f"Region{whose}.  [default: {region if prefix else f'as configured, else {region}'}]"),
        "profile": ("NAME", f"Profile of the AWS configuration{whose}."),
    }
    for name, (metavar, text) in reversed(options.items()):
        command = click.option(f"--{prefix}{name}", metavar=metavar, help=text)(command)
    return command


def with_endpoint(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options, and ``sqs`` as its first argument. A queue URL says where it is by itself."""

    @functools.wraps(command)
    def run(*, endpoint_url: str | None, region: str | None, profile: str | None, **given: Any) -> None:
        with told():
            command(connect(Place(endpoint_url, region, profile), given.get("queue")), **given)

    return place_options(run)


# ── Connecting ───────────────────────────────────────────────────────────────────────────────────────────


def connect(place: Place, queue: str | None = None) -> Sqs:
    """A client for a place."""
    try:
        from botocore.config import Config
        from botocore.session import Session
    except ImportError:
        raise CannotGoOn(_INSTALL) from None
    session = Session(profile=place.profile)
    endpoint = _endpoint(place, session, queue)
    region = place.region or region_of(queue) or session.get_config_variable("region") or DEFAULT_REGION
    keys = {} if _is_aws(endpoint) else _dummy_keys(session)
    config = Config(connect_timeout=5, ignore_configured_endpoint_urls=True, max_pool_connections=16)
    try:
        return Sqs(
            lambda config: session.create_client("sqs", region, endpoint_url=endpoint, config=config, **keys), config
        )
    except ValueError as problem:  # botocore's word for a URL that is none
        raise click.UsageError(str(problem)) from None


def _endpoint(place: Place, session: Any, queue: str | None) -> str | None:
    """A URL, or None for AWS itself."""
    said = place.endpoint_url
    if said is None and queue is not None and is_url(queue):
        said = home_of(queue)
    if said is None:
        said = _configured(session) or LOCAL
    return None if said == AWS else said


def home_of(queue_url: str) -> str:
    """Where the queue of a URL lives, when nothing else says it."""
    parts = urlsplit(queue_url)
    return AWS if _AWS_HOST.fullmatch(parts.hostname or "") else f"{parts.scheme}://{parts.netloc}"


def region_of(queue: str | None) -> str | None:
    found = _AWS_HOST.fullmatch(urlsplit(queue).hostname or "") if queue and is_url(queue) else None
    return found["region"] or found["older"] if found else None


def _configured(session: Any) -> str | None:
    """The endpoint of AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL or the profile."""
    # botocore tells it only through a client; the keys keep that from looking for real ones, and a region that does
    # not exist shows in the URL if nothing is configured.
    url = str(session.create_client("sqs", _NOWHERE, **_DUMMY_KEYS).meta.endpoint_url)
    return None if _NOWHERE in url else url


def _is_aws(endpoint: str | None) -> bool:
    return endpoint is None or (urlsplit(endpoint).hostname or "").endswith(_AWS_DOMAINS)


def _dummy_keys(session: Any) -> dict[str, str]:
    """Keys for a server of one's own, when none are to be found."""
    # Only a machine of AWS's answers the question for a role; elsewhere it costs a second of silence.
    session.get_component("credential_provider").remove("iam-role")
    if session.get_credentials() is not None:
        return {}
    return _DUMMY_KEYS


# ── Telling ──────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def told() -> Iterator[None]:
    """Turn what went wrong into a line and an exit code: 1 refused, 2 wrong usage, 130 interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("stanchion: interrupted", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except (click.exceptions.Exit, click.Abort, click.ClickException):
        raise
    except Exception as problem:
        told_as = _told_as(problem)
        if told_as is None:
            raise
        raise told_as from None


def _told_as(problem: Exception) -> click.ClickException | None:
    try:
        from botocore import exceptions as botocore_errors
        from botocore.parsers import ResponseParserError
    except ImportError:
        return None
    usage = (
        botocore_errors.ParamValidationError,
        botocore_errors.ProfileNotFound,
        botocore_errors.InvalidRegionError,
        botocore_errors.ConfigParseError,
    )
    if isinstance(problem, usage):
        return click.UsageError(one_line_of(problem))
    if isinstance(problem, botocore_errors.ClientError | botocore_errors.BotoCoreError | ResponseParserError):
        return CannotGoOn(one_line_of(problem))
    return None


def one_line_of(problem: Exception) -> str:
    """Code and text of a refusal; for anything else its words."""
    answer = getattr(problem, "response", None)
    error = answer.get("Error", {}) if isinstance(answer, dict) else {}
    text = f"{error.get('Code')}: {error.get('Message')}" if error else str(problem)
    return " ".join(text.split())
