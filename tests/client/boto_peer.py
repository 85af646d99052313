"""Real boto 2.49 at the other end: boto_peer.py SITE write|read, on a queue for each class of messages."""

import json
import sys

from boto.sqs.jsonmessage import JSONMessage
from boto.sqs.message import EncodedMHMessage, Message, MHMessage, RawMessage
from boto_connection import connect
from walk import read_site

CLASSES = {each.__name__: each for each in (RawMessage, Message, MHMessage, EncodedMHMessage, JSONMessage)}


def main() -> None:
    conn = connect(read_site(sys.argv[1]))
    bodies = json.loads(sys.stdin.read())
    found = {}
    for name, body in bodies.items():
        q = conn.create_queue(f"peer-{name}")
        q.set_message_class(CLASSES[name])
        if sys.argv[2] == "write":
            message = q.new_message(body)
            message.message_attributes = {
                "colour": {"data_type": "String", "string_value": "grün"},
                "picture": {"data_type": "Binary", "binary_value": "AP8="},
            }
            q.write(message)
        else:
            (message,) = q.get_messages(message_attributes=["All"])
            found[name] = [message.get_body(), message.message_attributes]
            message.delete()
    print(json.dumps(found))


main()
