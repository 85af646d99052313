"""Clients and resources of boto3, and what they have called."""

from typing import Any

import boto3
from botocore.config import Config
from walk import REGION, Key, Site

# The names of all operations that any client has called, as the service calls them.
CALLED: set[str] = set()

# One attempt: a test must see the first answer.
_ONCE = {"total_max_attempts": 1}


def _given(site: Site, key: Key | None, config: dict[str, Any]) -> dict[str, Any]:
    key = key or site.owner
    return {
        "endpoint_url": site.url,
        "region_name": REGION,
        "aws_access_key_id": key.id,
        "aws_secret_access_key": key.secret,
        "config": Config(retries=_ONCE, **config),
    }


def connect(site: Site, key: Key | None = None, **config: Any) -> Any:
    """A client of the site's owner or of another key."""
    client = boto3.client("sqs", **_given(site, key, config))
    client.meta.events.register("before-call.sqs", lambda model, **_: CALLED.add(model.name))
    return client


def resource(site: Site, key: Key | None = None) -> Any:
    return boto3.resource("sqs", **_given(site, key, {}))


def arn(site: Site, name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{site.owner.account}:{name}"


def bodies(answer: dict[str, Any]) -> list[str]:
    """Those of the messages in an answer to receive_message."""
    return [message["Body"] for message in answer.get("Messages", [])]
