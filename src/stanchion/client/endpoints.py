"""From the arguments of a connection to a client of botocore."""

from typing import Any, Final

from stanchion.client.exceptions import BotoClientError

DEFAULT_REGION: Final = "us-east-1"


class RegionInfo:
    """A region, as ``regions`` lists them; ``connect_to_region`` takes its name."""

    def __init__(self, name: str, endpoint: str | None = None) -> None:
        self.name = name
        self.endpoint = endpoint

    def __repr__(self) -> str:
        return f"RegionInfo:{self.name}"


def endpoint_of(
    endpoint_url: str | None, host: str | None, port: int | None, is_secure: bool, path: str
) -> str | None:
    """The URL that boto's ``host``, ``port``, ``is_secure`` and ``path`` mean; None leaves it to botocore."""
    if endpoint_url is not None:
        if host is not None:
            raise BotoClientError("Give endpoint_url or host, not both: they say the same.")
        return endpoint_url
    if host is None:
        return None
    scheme = "https" if is_secure else "http"
    return f"{scheme}://{host}{f':{port}' if port else ''}{path.rstrip('/')}"


def region_name(region: "RegionInfo | str | None", found: str | None) -> str:
    """``found`` is what botocore's rules (environment, profile) say."""
    if isinstance(region, RegionInfo):
        return region.name
    return region or found or DEFAULT_REGION


def client_arguments(
    *,
    key: str | None,
    secret: str | None,
    token: str | None,
    region: str,
    endpoint: str | None,
) -> dict[str, Any]:
    """For ``create_client`` of botocore or aiobotocore. Raises BotoClientError for half a pair of keys."""
    if (key is None) != (secret is None):
        missing = "aws_secret_access_key" if secret is None else "aws_access_key_id"
        raise BotoClientError(f"{missing} is missing: the access key id and its secret belong together.")
    return {
        "service_name": "sqs",
        "region_name": region,
        "endpoint_url": endpoint,
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
        "aws_session_token": token,
    }


def needs_botocore(library: str, extra: str) -> BotoClientError:
    return BotoClientError(f"This needs {library}, which is not installed: pip install 'stanchion[{extra}]'.")
