"""A server process that checks every signature, and the keys that its clients sign with."""

import os
from pathlib import Path

from support.server_process import ServerProcess

ACCOUNT = "123456789012"
REGION = "us-east-1"
PROFILE = "tests"

# One file serves both sides: the server reads all keys from it, a client the profile that it is told.
_CREDENTIALS = f"""\
[{PROFILE}]
aws_access_key_id = AKIASTANCHIONTESTS
aws_secret_access_key = only+for/the-tests
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
        """For a client program: the endpoint, the profile, and nothing of the machine's own AWS settings."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return own | {
            "SQS_ENDPOINT": self.url,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials),
            "AWS_CONFIG_FILE": str(self.folder / "no-such-config"),
            "AWS_PROFILE": PROFILE,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
