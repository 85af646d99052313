"""Which protocol a request speaks, and what its address means."""

import pytest

from stanchion.errors import InvalidAction, MissingAction, NoSuchVersion
from stanchion.wire import HttpRequest, UnknownOperation, codec_for
from stanchion.wire.aws_json import AWS_JSON
from unit.wire.requests import QUEUE_PATH, QUEUE_URL, REQUEST_ID, decode, form_request, get_request, json_request


def headers_only(**headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(method="POST", path="/", query="", headers=named, body=b"Action=ListQueues")


@pytest.mark.parametrize(
    "headers",
    [
        {"x_amz_target": "AmazonSQS.SendMessage"},
        {"x_amz_target": "AmazonSQS.SendMessage", "content_type": "text/plain"},
        {"content_type": "application/x-amz-json-1.0"},
        {"content_type": "application/X-AMZ-JSON-1.1; charset=utf-8"},
    ],
)
def test_a_target_or_a_json_content_type_makes_it_the_json_protocol(headers):
    assert codec_for(headers_only(**headers)) is AWS_JSON


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "application/x-www-form-urlencoded; charset=UTF-8"},
        {"content_type": "text/plain"},
        {"content_type": "application/json"},
        {"x_amz_target": "DynamoDB_20120810.PutItem"},
    ],
)
def test_everything_else_is_the_query_protocol(headers):
    assert decode(headers_only(**headers)).action.name == "ListQueues"


@pytest.mark.parametrize("path", ["/", QUEUE_PATH, "/nonsense"])
@pytest.mark.parametrize("accept", ["*/*", "application/json"])
def test_a_get_without_an_action_is_an_unknown_operation_in_xml(path, accept):
    request = get_request("", path=path, accept=accept)
    codec = codec_for(request)
    with pytest.raises(UnknownOperation) as caught:
        codec.decode(request)
    response = codec.encode_error(caught.value, REQUEST_ID)
    assert (response.status, response.body) == (404, b"<UnknownOperationException/>")
    assert ("Content-Type", "text/xml") in response.headers


@pytest.mark.parametrize("body", ["", "Version=2012-11-05", "Action=", '{"QueueUrl":"q"}'])
def test_a_post_without_an_action_says_so(body):
    with pytest.raises(MissingAction):
        decode(form_request(body))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
def test_other_methods_are_unknown_operations_in_both_protocols(method):
    query = HttpRequest(method=method, path="/", query="Action=ListQueues", headers={}, body=b"")
    for request in (query, json_request("ListQueues", {}, method=method)):
        with pytest.raises(UnknownOperation):
            decode(request)


def test_the_json_protocol_is_post_only():
    with pytest.raises(UnknownOperation):
        decode(json_request("ListQueues", {}, method="GET"))


def test_an_unknown_query_action_is_named_in_the_error():
    with pytest.raises(InvalidAction, match=r"^The action FooBar is not valid for this endpoint\.$"):
        decode(get_request({"Action": "FooBar"}, path=QUEUE_PATH))


def test_an_unknown_json_target_is_an_unknown_operation():
    request = json_request("Foo", {})
    with pytest.raises(InvalidAction, match=r"^The action Foo is not valid for this endpoint\.$") as caught:
        decode(request)
    response = codec_for(request).encode_error(caught.value, REQUEST_ID)
    assert response.body.startswith(b'{"__type":"com.amazon.coral.service#UnknownOperationException",')
    assert ("x-amzn-query-error", "InvalidAction;Sender") in response.headers


def test_json_without_a_target_is_an_invalid_action():
    request = HttpRequest(
        method="POST", path="/", query="", headers={"content-type": "application/x-amz-json-1.0"}, body=b"{}"
    )
    with pytest.raises(InvalidAction):
        decode(request)


@pytest.mark.parametrize("action", ["CreateQueue", "ListQueues"])
@pytest.mark.parametrize("path", [QUEUE_PATH, QUEUE_PATH + "/"])
def test_the_actions_of_an_account_are_not_valid_on_a_queue(action, path):
    with pytest.raises(InvalidAction, match=rf"^The action {action} is not valid for this endpoint\.$"):
        decode(get_request({"Action": action, "QueueName": "x"}, path=path))


@pytest.mark.parametrize("action", ["GetQueueUrl", "ListMessageMoveTasks", "StartMessageMoveTask"])
def test_actions_without_a_queue_url_are_valid_on_a_queue(action):
    assert decode(get_request({"Action": action}, path=QUEUE_PATH)).action.name == action


@pytest.mark.parametrize("path", [QUEUE_PATH, QUEUE_PATH + "/", "/000000000000/q.fifo"])
def test_the_path_names_the_queue_in_the_query_protocol(path):
    for request in (
        get_request({"Action": "PurgeQueue"}, path=path),
        form_request({"Action": "PurgeQueue"}, path=path),
    ):
        assert decode(request).input.queue_url == path


def test_a_queue_url_parameter_overrides_the_path():
    request = get_request({"Action": "PurgeQueue", "QueueUrl": QUEUE_URL + "2"}, path=QUEUE_PATH)
    assert decode(request).input.queue_url == QUEUE_URL + "2"


@pytest.mark.parametrize(
    ("path", "secure", "address"),
    [
        ("/", False, "http://localhost:9324/"),
        ("/", True, "https://localhost:9324/"),
        ("/123/q", False, "http://localhost:9324/123/q"),
    ],
)
def test_elsewhere_the_address_stands_for_the_missing_queue(path, secure, address):
    assert decode(get_request({"Action": "PurgeQueue"}, path=path, secure=secure)).input.queue_url == address


def test_the_json_protocol_ignores_the_path():
    call = decode(json_request("PurgeQueue", {}, path=QUEUE_PATH))
    assert call.input.queue_url is None
    assert call.parameters == ()


@pytest.mark.parametrize(
    "version", ["2012-11-05", "2006-04-01", "2007-05-01", "2008-01-01", "2009-02-01", "2011-10-01"]
)
def test_known_versions_are_accepted_and_echoed(version):
    request = form_request({"Action": "ListQueues", "Version": version})
    codec = codec_for(request)
    call = codec.decode(request)
    namespace = f'xmlns="http://queue.amazonaws.com/doc/{version}/"'.encode()
    assert namespace in codec.encode_result(call.action, call.action.output(), REQUEST_ID).body
    assert namespace in codec.encode_error(MissingAction(), REQUEST_ID).body


def test_other_versions_are_refused():
    with pytest.raises(NoSuchVersion, match=r"^The requested version \( 2013-01-01 \) is not valid\.$"):
        decode(form_request({"Action": "ListQueues", "Version": "2013-01-01"}))


def test_the_form_wins_over_the_query_string_and_both_are_kept_for_the_signature():
    request = HttpRequest(
        method="POST",
        path="/",
        query="Action=ListQueues&QueueNamePrefix=a&MaxResults=1",
        headers={},
        body=b"QueueNamePrefix=b%20c&NextToken=t",
    )
    call = decode(request)
    assert (call.input.queue_name_prefix, call.input.max_results, call.input.next_token) == ("b c", 1, "t")
    assert call.parameters == (
        ("Action", "ListQueues"),
        ("QueueNamePrefix", "a"),
        ("MaxResults", "1"),
        ("QueueNamePrefix", "b c"),
        ("NextToken", "t"),
    )
