"""From the arguments of a connection to those of botocore's client. Both twins connect by these rules."""

from typing import Any, Final, NamedTuple, TypedDict

from stanchion.client.exceptions import BotoClientError, SQSError

DEFAULT_REGION: Final = "us-east-1"


class RegionInfo:
    """A region. ``endpoint`` is the host of its service, when that is not AWS's own."""

    def __init__(self, connection: object = None, name: str | None = None, endpoint: str | None = None) -> None:
        del connection  # boto's first argument, which nobody needs any more
        self.name = name or DEFAULT_REGION
        self.endpoint = endpoint

    def connect(self, **arguments: Any) -> Any:
        """An SQSConnection to this region; the arguments are those of SQSConnection."""
        from stanchion.client.connection import SQSConnection

        return SQSConnection(region=self, **arguments)

    def __repr__(self) -> str:
        return f"RegionInfo:{self.name}"


class Options(TypedDict, total=False):
    """The further arguments of a connection; those of the proxy are its host, its port, and who asks it."""

    proxy: str | None
    proxy_port: int | None
    proxy_user: str | None
    proxy_pass: str | None
    region: RegionInfo | str | None
    path: str
    security_token: str | None
    validate_certs: bool
    profile_name: str | None
    endpoint_url: str | None


class Where(NamedTuple):
    """The arguments of a connection, as its user gave them."""

    aws_access_key_id: str | None
    aws_secret_access_key: str | None
    is_secure: bool
    port: int | None
    options: Options

    def region_info(self, found: str | None) -> RegionInfo:
        """``found`` is the region that botocore's rules (environment, profile) know."""
        region = self.options.get("region")
        if isinstance(region, RegionInfo):
            return region
        if region is not None and not isinstance(region, str):
            raise TypeError(f"region must be the name of a region or a RegionInfo, not {region!r}.")
        return RegionInfo(name=region or found)

    def endpoint(self) -> str | None:
        """The URL of the service; None leaves it to botocore's rules."""
        url, region = self.options.get("endpoint_url"), self.options.get("region")
        if url is not None:
            if "://" not in url:
                raise ValueError(f"endpoint_url must begin with http:// or https://, not {url!r}.")
            return url
        if isinstance(region, RegionInfo) and region.endpoint is not None:
            port = f":{self.port}" if self.port else ""
            path = self.options.get("path", "/").rstrip("/")
            return f"{'https' if self.is_secure else 'http'}://{region.endpoint}{port}{path}"
        if self.port is not None or not self.is_secure:
            raise ValueError(
                "port and is_secure say nothing without a host: give endpoint_url='http://host:port' instead."
            )
        return None

    def client_arguments(self, region: str) -> dict[str, Any]:
        """For ``create_client`` of botocore and aiobotocore, but for its ``config``."""
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            missing = "aws_secret_access_key" if self.aws_secret_access_key is None else "aws_access_key_id"
            raise ValueError(f"{missing} is missing: the access key id and its secret belong together.")
        return {
            "service_name": "sqs",
            "region_name": region,
            "endpoint_url": self.endpoint(),
            "aws_access_key_id": self.aws_access_key_id,
            "aws_secret_access_key": self.aws_secret_access_key,
            "aws_session_token": self.options.get("security_token"),
            "verify": None if self.options.get("validate_certs", True) else False,
        }

    def config(self) -> dict[str, Any]:
        """For botocore's Config."""
        return {"proxies": self._proxies(), "max_pool_connections": 50}

    def _proxies(self) -> dict[str, str] | None:
        host, port, user = (self.options.get(name) for name in ("proxy", "proxy_port", "proxy_user"))
        if host is None:
            return None
        login = f"{user}:{self.options.get('proxy_pass') or ''}@" if user else ""
        url = f"http://{login}{host}{f':{port}' if port else ''}"
        return {"http": url, "https": url}


_NO_MORE: Final = ("debug", "https_connection_factory")  # boto's, for which botocore has logging and nothing


def where_of(key: str | None, secret: str | None, is_secure: bool, port: int | None, options: Options) -> Where:
    """Raises TypeError for options that there are not, naming those that there are."""
    known = Options.__annotations__
    for name in options:
        if name not in known:
            cure = "leave it out" if name in _NO_MORE else f"there are {', '.join(known)}"
            raise TypeError(f"{name} is no argument of a connection: {cure}.")
    return Where(key, secret, is_secure, port, options)


def library_errors() -> tuple[type[Exception], ...]:
    """What botocore, and aiobotocore with it, may raise."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def translated(error: Exception) -> Exception:
    """The error of this package for one of botocore's."""
    from botocore.exceptions import ClientError, ParamValidationError

    if isinstance(error, ClientError):
        return SQSError.of(error.response)
    text = " ".join(str(error).split())
    return ValueError(text) if isinstance(error, ParamValidationError) else BotoClientError(text)


def needs(library: str, extra: str) -> BotoClientError:
    return BotoClientError(f"This needs {library}, which is not installed: pip install 'stanchion[{extra}]'.")
