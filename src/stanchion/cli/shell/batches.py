"""Cutting a stream of messages into batches that one call may carry."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from stanchion import limits

T = TypeVar("T")
Sized = tuple[T, int]


def batches(
    items: Iterable[Sized[T]], *, entries: int = limits.BATCH_ENTRIES, size: int = limits.BATCH_BYTES
) -> Iterator[list[T]]:
    """Lists of at most ``entries`` items and ``size`` bytes, in order. Each item comes with its size in bytes.

    An item that is too large by itself makes a batch of its own, for the service to refuse.
    """
    batch: list[T] = []
    filled = 0
    for item, item_size in items:
        if batch and (len(batch) == entries or filled + item_size > size):
            yield batch
            batch, filled = [], 0
        batch.append(item)
        filled += item_size
    if batch:
        yield batch


def message_size(body: str, attributes: dict[str, dict[str, Any]]) -> int:
    """What SQS counts: the body, and names, types and values of the attributes, in bytes of UTF-8."""
    return len(body.encode()) + sum(_attribute_size(name, each) for name, each in attributes.items())


def _attribute_size(name: str, attribute: dict[str, Any]) -> int:
    value = attribute["BinaryValue"] if "BinaryValue" in attribute else attribute["StringValue"].encode()
    return len(name.encode()) + len(attribute["DataType"].encode()) + len(value)
