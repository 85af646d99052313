"""The friendly way to work a queue: the object API of the classic boto tutorial, on today's Python.

    >>> from stanchion.client import Message, connect_sqs
    >>> conn = connect_sqs(endpoint_url="http://127.0.0.1:9324")
    >>> q = conn.create_queue("myqueue")

Needs botocore: ``pip install 'stanchion[client]'``. `stanchion.client.aio` has the same names to await.
"""

from stanchion.client.connection import SQSConnection, connect_sqs, connect_to_region, regions
from stanchion.client.consuming import Consumer
from stanchion.client.endpoints import RegionInfo
from stanchion.client.exceptions import BotoClientError, BotoServerError, QueueNotEmpty, SQSDecodeError, SQSError
from stanchion.client.messages import EncodedMHMessage, JSONMessage, Message, MHMessage, RawMessage
from stanchion.client.queue import Queue
from stanchion.client.resultset import Attributes, BatchResults, ResultSet

__all__ = [
    "Attributes",
    "BatchResults",
    "BotoClientError",
    "BotoServerError",
    "Consumer",
    "EncodedMHMessage",
    "JSONMessage",
    "MHMessage",
    "Message",
    "Queue",
    "QueueNotEmpty",
    "RawMessage",
    "RegionInfo",
    "ResultSet",
    "SQSConnection",
    "SQSDecodeError",
    "SQSError",
    "connect_sqs",
    "connect_to_region",
    "regions",
]
