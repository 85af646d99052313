"""Files of message bodies with a separator behind each, as ``dump`` and ``save`` write them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stanchion.client.exceptions import BotoClientError
from stanchion.client.messages import RawMessage

_CHUNK = 65_536


@contextmanager
def writing(file_name: str | Path) -> Iterator[IO[str]]:
    with _opened(file_name, "w") as file:
        yield file


@contextmanager
def reading(file_name: str | Path) -> Iterator[IO[str]]:
    with _opened(file_name, "r") as file:
        yield file


def _opened(file_name: str | Path, mode: str) -> IO[str]:
    try:
        return Path(file_name).open(mode, encoding="utf-8", newline="")
    except OSError as problem:
        raise BotoClientError(f"Cannot open {file_name}: {problem.strerror}.") from None


def write_bodies(file: IO[str], messages: Iterable[RawMessage], separator: str) -> None:
    for message in messages:
        file.write(f"{message.get_body()}{separator}")


def read_bodies(file: IO[str], separator: str) -> Iterator[str]:
    """The bodies between the separators, read piece by piece; what follows the last one is a body too."""
    if not separator:
        raise ValueError("sep is empty: bodies need something between them.")
    left = ""
    while chunk := file.read(_CHUNK):
        *bodies, left = (left + chunk).split(separator)
        yield from bodies
    if left:
        yield left
