"""The same API to await, over aiobotocore: ``pip install 'stanchion[client-async]'``.

    async with connect_sqs(endpoint_url="http://127.0.0.1:9324") as conn:
        q = await conn.create_queue("myqueue")
        await q.write("This is my first message.")

Names, arguments, results and errors are those of `stanchion.client`; what asks the service is awaited, also
``message.delete()`` and ``message.change_visibility(60)``, and ``async for message in q`` reads what is there. Files
of ``dump``, ``save`` and ``load`` are read and written on the event loop, a page of messages at a time.
"""

from stanchion.client.aio.connection import SQSConnection, connect_sqs, connect_to_region
from stanchion.client.aio.consuming import Consumer
from stanchion.client.aio.queue import Queue
from stanchion.client.connection import regions
from stanchion.client.endpoints import RegionInfo
from stanchion.client.exceptions import BotoClientError, BotoServerError, QueueNotEmpty, SQSDecodeError, SQSError
from stanchion.client.messages import EncodedMHMessage, JSONMessage, Message, MHMessage, RawMessage
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
