"""A program that consumes, to be stopped and killed: consumer_program.py ENDPOINT."""

import sys
import time

from stanchion.client import connect_sqs


def handle(message) -> None:
    print("begun", message.get_body(), flush=True)
    time.sleep(0.05)  # work that takes its time
    print("done", message.get_body(), flush=True)


queue = connect_sqs(endpoint_url=sys.argv[1]).get_queue("q")
queue.consume(handle, concurrency=2, visibility_timeout=4, wait_time_seconds=1)
print("ended", flush=True)
