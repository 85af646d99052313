"""A server process that checks every signature, and the keys that its clients sign with."""

import os
from pathlib import Path
from typing import Any

import boto3

from support.server_process import ServerProcess, clean_environment

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEY_ID = "AKIASTANCHIONTESTS"
SECRET = "only+for/the-tests"
PROFILE = "tests"

# One file serves both sides: the server reads all keys from it, a client may be told the profile.
_CREDENTIALS = f"""\
[{PROFILE}]
aws_access_key_id = {KEY_ID}
aws_secret_access_key = {SECRET}
aws_account_id = {ACCOUNT}
"""


class SignedServer(ServerProcess):
    """``stanchion serve`` on a store of its own in ``folder``, with auth on."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.credentials = folder / "credentials"
        self.credentials.write_text(_CREDENTIALS)
        fixed = ("--no-console", "--store", f"sqlite:{folder / 'queues.db'}", "--credentials", str(self.credentials))
        super().__init__(folder, *fixed, *flags)

    def environment(self) -> dict[str, str]:
        """For a client program: the endpoint, the key, and nothing of the machine's own AWS settings."""
        return clean_environment() | {
            "SQS_ENDPOINT": self.url,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def boto3(self) -> Any:
        """A boto3 client, for what a test wants in place before it begins."""
        return boto3.client(
            "sqs",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        )
