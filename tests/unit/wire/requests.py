"""Requests as clients write them, and what the codecs make of them."""

import json
from urllib.parse import urlencode

from stanchion.actions import ACTIONS
from stanchion.wire import HttpRequest, codec_for

REQUEST_ID = "8ac3d9b2-1111-4222-8333-444455556666"
QUEUE_URL = "http://localhost:9324/000000000000/q"
QUEUE_PATH = "/000000000000/q"


def json_request(action, body, **changes):
    """``body`` is bytes, or a value to be written as JSON."""
    headers = {
        "host": "localhost:9324",
        "x-amz-target": f"AmazonSQS.{action}",
        "content-type": "application/x-amz-json-1.0",
    }
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpRequest(**({"method": "POST", "path": "/", "query": "", "headers": headers, "body": raw} | changes))


def form_request(parameters, path="/", **headers):
    """``parameters`` is a dict, a list of pairs, or the encoded text."""
    text = parameters if isinstance(parameters, str) else urlencode(parameters)
    headers = {"host": "localhost:9324", "content-type": "application/x-www-form-urlencoded"} | headers
    return HttpRequest(method="POST", path=path, query="", headers=headers, body=text.encode())


def get_request(parameters, path="/", secure=False, **headers):
    text = parameters if isinstance(parameters, str) else urlencode(parameters)
    headers = {"host": "localhost:9324"} | headers
    return HttpRequest(method="GET", path=path, query=text, headers=headers, body=b"", secure=secure)


def decode(request):
    return codec_for(request).decode(request)


def json_input(action, body):
    return decode(json_request(action, body)).input


def query_input(action, parameters):
    """The input of a form with a queue URL. ``parameters`` is a dict, a list of pairs, or the encoded text."""
    text = parameters if isinstance(parameters, str) else urlencode(parameters)
    given = {"Action": action, "QueueUrl": QUEUE_URL}
    return decode(form_request(urlencode(given) + "&" + text)).input


def query_result(action, output, parameters=(), **headers):
    """The response to a Query request after it was decoded."""
    request = form_request({"Action": action} | dict(parameters), **headers)
    codec = codec_for(request)
    codec.decode(request)
    return codec.encode_result(ACTIONS[action], output, REQUEST_ID)


def json_result(action, output):
    request = json_request(action, {})
    return codec_for(request).encode_result(ACTIONS[action], output, REQUEST_ID)
