"""Paths, verbs, documents and errors of both protocols."""

import json
from hashlib import md5
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import pytest

from support.both_protocols import Caller, Refused, read_json, read_xml
from support.in_process import InProcessServer
from support.queue_calls import QueueCalls, fresh_name

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"Content-Type": "application/x-amz-json-1.0"}


def path_of(queue: QueueCalls) -> str:
    return urlsplit(queue.url).path


def get(queue: QueueCalls, action: str, path: str | None = None, **parameters: str):
    """A call by GET on the queue's own path, without a Version."""
    query = urlencode({"Action": action} | {name.replace("_", "."): value for name, value in parameters.items()})
    return queue.caller.request("GET", f"{path_of(queue) if path is None else path}?{query}")


def xml_error(answer) -> Refused:
    with pytest.raises(Refused) as raised:
        read_xml("Nothing", answer)
    return raised.value


def json_error(answer) -> Refused:
    with pytest.raises(Refused) as raised:
        read_json("Nothing", answer)
    return raised.value


# ── Queues that do not exist ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(1)
def test_an_unknown_queue_in_json_has_its_type_its_text_and_its_header(json_call):
    answer = json_call.raw("SendMessage", QueueUrl=json_call.wire.url + "/000000000000/nowhere", MessageBody="b")
    assert answer.status == 400
    assert answer.headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert answer.json == {
        "__type": "com.amazonaws.sqs#QueueDoesNotExist",
        "message": "The specified queue does not exist.",
    }


@pytest.mark.k(2)
def test_an_unknown_queue_in_query_has_the_text_about_the_wsdl(query_call):
    answer = query_call.raw("SendMessage", QueueUrl=query_call.wire.url + "/000000000000/nowhere", MessageBody="b")
    assert answer.status == 400
    request_id = answer.headers["x-amzn-requestid"]
    assert answer.body.decode() == (
        '<?xml version="1.0"?>'
        '<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type>'
        "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"
        "<Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )


@pytest.mark.k(3)
@pytest.mark.parametrize("given", [{}, {"QueueUrl": None}, {"QueueUrl": ""}], ids=["missing", "null", "empty"])
def test_json_without_a_queue_url_is_an_unknown_queue(json_call, given):
    code = "AWS.SimpleQueueService.NonExistentQueue"
    json_call.refuses("GetQueueAttributes", code, "The specified queue does not exist.", **given)


def test_query_without_a_queue_url_on_the_root_names_the_endpoint(query_call):
    text = f"The address {query_call.wire.url}/ is not valid for this endpoint."
    query_call.refuses("GetQueueAttributes", "InvalidAddress", text, status=404)


# ── Queue URLs ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(4)
def test_a_bare_name_is_the_callers_queue_of_that_name(call, q):
    call("SendMessage", QueueUrl=q.name, MessageBody="found")
    assert q.bodies() == ["found"]


@pytest.mark.k(5)
@pytest.mark.parametrize(
    "origin", ["https://sqs.eu-west-1.amazonaws.com", "http://queue.amazonaws.com:99", "ftp://x"]
)
def test_host_and_scheme_of_a_queue_url_do_not_matter(call, q, origin):
    call("SendMessage", QueueUrl=origin + path_of(q), MessageBody="found")
    assert q.bodies() == ["found"]


def test_only_the_last_two_segments_of_a_queue_url_matter(call, q):
    url = f"https://proxy.example/queue/eu-west-1{path_of(q)}"
    call("SendMessage", QueueUrl=url, MessageBody="found")
    assert q.bodies() == ["found"]


def test_a_queue_url_may_end_in_a_slash(call, q):
    call("SendMessage", QueueUrl=q.url + "/", MessageBody="found")
    assert q.bodies() == ["found"]


@pytest.mark.parametrize(
    "url",
    ["https://sqs.us-east-1.amazonaws.com/", "https://host/only-one", "http://host/12345/q", "http://host/a/b"],
)
def test_an_url_without_account_and_name_is_no_address(call, url):
    text = f"The address {url} is not valid for this endpoint."
    call.refuses("SendMessage", "InvalidAddress", text, status=404, QueueUrl=url, MessageBody="b")


def test_names_in_urls_are_case_sensitive(call, q):
    code = "AWS.SimpleQueueService.NonExistentQueue"
    call.refuses("PurgeQueue", code, call.no_such_queue, QueueUrl=q.url.replace("queue-", "QUEUE-"))


def test_every_action_that_names_a_queue_says_when_it_does_not_exist(call):
    for action in QUEUE_ACTIONS:
        code = "AWS.SimpleQueueService.NonExistentQueue"
        call.refuses(action, code, call.no_such_queue, QueueUrl="nowhere")


QUEUE_ACTIONS = (
    "AddPermission",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "DeleteMessage",
    "DeleteMessageBatch",
    "DeleteQueue",
    "GetQueueAttributes",
    "ListDeadLetterSourceQueues",
    "ListQueueTags",
    "PurgeQueue",
    "ReceiveMessage",
    "RemovePermission",
    "SendMessage",
    "SendMessageBatch",
    "SetQueueAttributes",
    "TagQueue",
    "UntagQueue",
)


def test_urls_start_with_the_host_that_the_client_used(call, q):
    name = q.name
    assert call("GetQueueUrl", QueueName=name, headers={"Host": "queues.example:81"})["QueueUrl"] == (
        f"http://queues.example:81/000000000000/{name}"
    )
    listed = call("ListQueues", QueueNamePrefix=name, headers={"Host": "other.example"})["QueueUrls"]
    assert listed == [f"http://other.example/000000000000/{name}"]


def test_the_same_queue_always_has_the_same_url(call, q):
    assert call("CreateQueue", QueueName=q.name)["QueueUrl"] == q.url
    assert call("GetQueueUrl", QueueName=q.name)["QueueUrl"] == q.url
    assert call("ListQueues", QueueNamePrefix=q.name)["QueueUrls"] == [q.url]


def test_a_configured_public_url_wins_over_the_host(tmp_path, protocol):
    with_public_url = InProcessServer(tmp_path, public_url="https://queues.example")
    try:
        call = Caller(with_public_url.url, protocol)
        assert call("CreateQueue", QueueName="q")["QueueUrl"] == "https://queues.example/000000000000/q"
    finally:
        with_public_url.stop()


# ── Paths and verbs ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(6)
@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}], ids=["plain", "asking for JSON"])
def test_a_get_on_a_queue_path_without_an_action_is_an_unknown_operation(json_q, headers):
    answer = json_q.caller.request("GET", path_of(json_q), headers=headers)
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>")


def test_a_get_on_the_root_without_an_action_is_an_unknown_operation(json_call):
    answer = json_call.request("GET", "/")
    assert (answer.status, answer.body) == (404, b"<UnknownOperationException/>")


def test_a_form_without_an_action_is_missing_its_action(json_call):
    error = xml_error(json_call.request("POST", "/", b"QueueName=x", FORM | {"X": "1"}))
    assert (error.status, error.message) == (400, "The request is missing an action parameter.")


@pytest.mark.k(7)
@pytest.mark.parametrize("on_queue", [True, False])
def test_an_unknown_action_is_not_valid_for_any_endpoint(json_q, on_queue):
    error = xml_error(get(json_q, "FooBar", None if on_queue else "/"))
    assert (error.status, error.code) == (400, "InvalidAction")
    assert error.message == "The action FooBar is not valid for this endpoint."


@pytest.mark.k(8)
@pytest.mark.parametrize("action", ["CreateQueue", "ListQueues"])
def test_actions_on_the_account_are_not_valid_on_a_queue_path(json_q, action):
    error = xml_error(get(json_q, action, QueueName="x"))
    assert (error.status, error.code) == (400, "InvalidAction")
    assert error.message == f"The action {action} is not valid for this endpoint."


@pytest.mark.k(9)
def test_a_queue_url_parameter_overrides_the_path(json_q, json_call):
    other = QueueCalls.create(json_call)
    answer = get(json_q, "GetQueueAttributes", QueueUrl=other.url, AttributeName_1="QueueArn")
    assert read_xml("GetQueueAttributes", answer) == {"Attributes": {"QueueArn": other.arn}}


@pytest.mark.k(11)
def test_a_send_by_get_without_a_body_is_missing_its_body(json_q):
    error = xml_error(get(json_q, "SendMessage"))
    assert (error.status, error.code) == (400, "MissingParameter")
    assert error.message == "The request must contain the parameter MessageBody."


@pytest.mark.k(12)
def test_get_queue_url_on_a_queue_path_may_ask_for_another_queue(json_q, json_call):
    other = QueueCalls.create(json_call)
    answer = get(json_q, "GetQueueUrl", QueueName=other.name)
    assert read_xml("GetQueueUrl", answer) == {"QueueUrl": other.url}


def test_move_task_actions_are_valid_on_a_queue_path(json_q):
    answer = get(json_q, "ListMessageMoveTasks", SourceArn=json_q.arn)
    assert read_xml("ListMessageMoveTasks", answer) == {}


@pytest.mark.parametrize("tail", ["", "/"])
def test_a_queue_path_with_or_without_a_slash_is_the_queue(json_q, tail):
    read_xml("SendMessage", get(json_q, "SendMessage", path_of(json_q) + tail, MessageBody="by path"))
    assert json_q.bodies() == ["by path"]


def test_a_path_whose_account_has_not_twelve_digits_is_no_address(json_q):
    answer = get(json_q, "ReceiveMessage", "/12345/q")
    assert xml_error(answer).code == "InvalidAddress"


def test_a_plus_in_the_query_string_is_a_blank(json_q):
    json_q.caller.request("GET", f"{path_of(json_q)}?Action=SendMessage&MessageBody=a+b%2Bc")
    assert json_q.bodies() == ["a b+c"]


def test_parameters_in_the_query_string_and_body_of_a_post_merge_and_the_body_wins(json_q):
    form = urlencode({"MessageBody": "of the form"}).encode()
    path = f"{path_of(json_q)}?Action=SendMessage&MessageBody=of+the+address&DelaySeconds=0"
    assert json_q.caller.request("POST", path, form, FORM).status == 200
    assert json_q.bodies() == ["of the form"]


def test_a_form_of_another_content_type_is_query_all_the_same(json_q):
    form = urlencode({"Action": "SendMessage", "MessageBody": "plain"}).encode()
    assert json_q.caller.request("POST", path_of(json_q), form, {"Content-Type": "text/plain"}).status == 200
    assert json_q.bodies() == ["plain"]


@pytest.mark.k(13)
def test_json_posted_to_a_queue_path_is_served_as_on_the_root(json_q, json_call):
    other = QueueCalls.create(json_call)
    json_call("SendMessage", path=path_of(json_q), QueueUrl=other.url, MessageBody="for the other")
    assert (json_q.bodies(), other.bodies()) == ([], ["for the other"])


# ── Choosing the protocol ────────────────────────────────────────────────────────────────────────────────


def test_the_target_header_alone_makes_a_request_json(json_q):
    body = json.dumps({"QueueUrl": json_q.url, "MessageBody": "b"}).encode()
    answer = json_q.caller.request("POST", "/", body, {"X-Amz-Target": "AmazonSQS.SendMessage"})
    assert read_json("SendMessage", answer)["MessageId"]


@pytest.mark.parametrize("media_type", ["application/x-amz-json-1.1", "Application/X-AMZ-JSON-1.0; charset=utf-8"])
def test_media_types_of_json_are_matched_without_case_and_parameters(json_call, media_type):
    answer = json_call.request("POST", "/", b"{}", {"Content-Type": media_type})
    assert json_error(answer).code == "InvalidAction"


def test_the_query_mode_header_changes_nothing(json_q):
    headers = {"x-amzn-query-mode": "true", "amz-sdk-invocation-id": "x", "amz-sdk-request": "attempt=1; max=3"}
    assert json_q("SendMessage", headers=headers, MessageBody="b")["MessageId"]


@pytest.mark.k(18)
@pytest.mark.parametrize("body", [b"[1]", b'"x"', b'{"a":', b"1", b"not json"])
def test_a_body_that_is_no_json_object_cannot_be_read(json_call, body):
    answer = json_call.request("POST", "/", body, JSON | {"X-Amz-Target": "AmazonSQS.ListQueues"})
    assert json_error(answer).code == "MalformedInput"
    assert answer.json["__type"] == "com.amazon.coral.service#SerializationException"
    assert answer.status == 400


def test_an_empty_json_body_is_an_empty_object(json_call):
    answer = json_call.request("POST", "/", b"", JSON | {"X-Amz-Target": "AmazonSQS.SendMessage"})
    assert json_error(answer).code == "AWS.SimpleQueueService.NonExistentQueue"


@pytest.mark.k(19)
@pytest.mark.parametrize("target", ["AmazonSQS.Foo", "AmazonSQS.", "AmazonSQS.sendmessage"])
def test_an_unknown_target_is_an_unknown_operation(json_call, target):
    answer = json_call.request("POST", "/", b"{}", JSON | {"X-Amz-Target": target})
    assert (answer.status, json_error(answer).code) == (400, "InvalidAction")
    assert answer.json["__type"].endswith("#UnknownOperationException")


# ── JSON documents ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(14)
def test_actions_without_output_answer_with_an_empty_body(json_q):
    json_q.send()
    handle = json_q.receive_one()["ReceiptHandle"]
    for action, given in (
        ("DeleteMessage", {"ReceiptHandle": handle}),
        ("PurgeQueue", {}),
        ("TagQueue", {"Tags": {"a": "b"}}),
        ("UntagQueue", {"TagKeys": ["a"]}),
        ("SetQueueAttributes", {"Attributes": {"DelaySeconds": "1"}}),
        ("AddPermission", {"Label": "l", "AWSAccountIds": ["123456789012"], "Actions": ["*"]}),
        ("RemovePermission", {"Label": "l"}),
        ("DeleteQueue", {}),
    ):
        answer = json_q.caller.raw(action, QueueUrl=json_q.url, **given)
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["content-length"] == "0"
        assert answer.headers["content-type"] == "application/x-amz-json-1.0"
        assert len(answer.headers["x-amzn-requestid"]) == 36


@pytest.mark.k(15)
def test_query_actions_without_output_have_no_result_element(query_call):
    q = QueueCalls.create(query_call)
    q.send()
    handle = q.receive_one()["ReceiptHandle"]
    answer = query_call.raw("DeleteMessage", QueueUrl=q.url, ReceiptHandle=handle)
    assert answer.status == 200
    assert answer.body.decode() == (
        '<?xml version="1.0"?><DeleteMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
        f"<ResponseMetadata><RequestId>{answer.headers['x-amzn-requestid']}</RequestId></ResponseMetadata>"
        "</DeleteMessageResponse>"
    )


@pytest.mark.k(16, 17)
@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("ReceiveMessage", {}),
        ("GetQueueAttributes", {}),
        ("GetQueueAttributes", {"AttributeNames": ["Policy"]}),
        ("ListQueueTags", {}),
        ("ListDeadLetterSourceQueues", {}),
    ],
    ids=["receive", "no attribute names", "nothing selected", "no tags", "no sources"],
)
def test_an_output_with_nothing_to_say_is_empty_but_there(q, action, given):
    answer = q.caller.raw(action, QueueUrl=q.url, **given)
    if q.caller.protocol == "json":
        assert answer.body == b"{}"
    else:
        result = answer.xml.find(f"{action}Result")
        assert result is not None
        assert (len(result), result.text) == (0, None)
        assert answer.body.count(f"<{action}Result/>".encode()) == 1


def test_batch_results_leave_out_the_empty_half(q):
    q.send()
    handle = q.receive_one()["ReceiptHandle"]
    failed = q("DeleteMessageBatch", Entries=[{"Id": "a", "ReceiptHandle": "garbage"}])
    assert set(failed) == {"Failed"}
    assert q("DeleteMessageBatch", Entries=[{"Id": "a", "ReceiptHandle": handle}]) == {"Successful": [{"Id": "a"}]}


def test_unknown_members_are_ignored(q):
    assert q("SendMessage", MessageBody="b", Colour="blue")["MessageId"]


def test_json_null_is_absent(json_q):
    sent = json_q("SendMessage", MessageBody="b", DelaySeconds=None, MessageAttributes=None)
    assert set(sent) == {"MessageId", "MD5OfMessageBody"}


def test_json_member_names_are_case_sensitive(json_q):
    json_q.refuses("SendMessage", "MissingParameter", messageBody="b")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"MessageBody": {}}, "Start of structure or map found where not expected."),
        ({"MessageBody": ["a"]}, "Start of list found where not expected"),
        ({"MessageBody": 5}, "NUMBER_VALUE can not be converted to a String"),
        ({"MessageBody": "b", "DelaySeconds": "abc"}, "STRING_VALUE can not be converted to an Integer"),
        ({"MessageBody": "b", "DelaySeconds": "5"}, "STRING_VALUE can not be converted to an Integer"),
        ({"MessageBody": "b", "DelaySeconds": True}, "TRUE_VALUE can not be converted to an Integer"),
        ({"MessageBody": "b", "DelaySeconds": False}, "FALSE_VALUE can not be converted to an Integer"),
    ],
)
def test_json_of_the_wrong_type_is_malformed(json_q, given, text):
    json_q.refuses("SendMessage", "MalformedInput", text, **given)


def test_a_list_as_an_attribute_value_is_malformed(json_q):
    text = "Unrecognized collection type class java.lang.String"
    json_q.refuses("SetQueueAttributes", "MalformedInput", text, Attributes={"DelaySeconds": ["1"]})


def test_numbers_and_booleans_as_json_queue_attributes_become_text(json_q):
    json_q("SetQueueAttributes", Attributes={"DelaySeconds": 7, "SqsManagedSseEnabled": False})
    assert json_q.get("DelaySeconds", "SqsManagedSseEnabled") == {
        "DelaySeconds": "7",
        "SqsManagedSseEnabled": "false",
    }


def test_a_number_that_is_none_is_malformed_in_query(query_call):
    q = QueueCalls.create(query_call)
    q.refuses("SendMessage", "MalformedInput", MessageBody="b", DelaySeconds="abc")


def test_the_error_type_and_header_speak_for_the_framework_too(q):
    q.refuses("SendMessage", "MissingParameter", "The request must contain the parameter MessageBody.")


# ── Query forms ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["2006-04-01", "2007-05-01", "2008-01-01", "2009-02-01", "2011-10-01"])
def test_older_versions_are_accepted_and_echoed(json_call, version):
    answer = json_call.request("GET", f"/?Action=ListQueues&QueueNamePrefix=none&Version={version}")
    assert answer.status == 200
    assert ElementTree.fromstring(answer.body).tag == (
        f"{{http://queue.amazonaws.com/doc/{version}/}}ListQueuesResponse"
    )


def test_an_unknown_version_is_refused(json_call):
    error = xml_error(json_call.request("GET", "/?Action=ListQueues&Version=2030-01-01"))
    assert (error.status, error.code) == (400, "NoSuchVersion")
    assert error.message == "The requested version ( 2030-01-01 ) is not valid."


@pytest.mark.k(20)
def test_query_with_accept_json_answers_json_with_nulls(json_q):
    path = f"{path_of(json_q)}?Action=SendMessage&MessageBody=hello"
    answer = json_q.caller.request("GET", path, headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    result = answer.json["SendMessageResponse"]["SendMessageResult"]
    assert answer.json == {
        "SendMessageResponse": {
            "ResponseMetadata": {"RequestId": answer.headers["x-amzn-requestid"]},
            "SendMessageResult": {
                "MD5OfMessageAttributes": None,
                "MD5OfMessageBody": "5d41402abc4b2a76b9719d911017c592",
                "MD5OfMessageSystemAttributes": None,
                "MessageId": result["MessageId"],
                "SequenceNumber": None,
            },
        }
    }


def as_json(queue: QueueCalls, **parameters: str):
    path = f"{path_of(queue)}?{urlencode(parameters)}"
    return queue.caller.request("GET", path, headers={"Accept": "application/json"})


def test_a_receive_rendered_as_json_has_lower_case_messages(json_q):
    assert as_json(json_q, Action="ReceiveMessage").json["ReceiveMessageResponse"]["ReceiveMessageResult"] == {
        "messages": None
    }
    json_q.send("hello")
    (message,) = as_json(json_q, Action="ReceiveMessage").json["ReceiveMessageResponse"]["ReceiveMessageResult"][
        "messages"
    ]
    assert message == {
        "Attributes": None,
        "Body": "hello",
        "MD5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "MD5OfMessageAttributes": None,
        "MessageAttributes": None,
        "MessageId": message["MessageId"],
        "ReceiptHandle": message["ReceiptHandle"],
    }


def test_attributes_rendered_as_json_are_pairs(json_q):
    answer = as_json(json_q, **{"Action": "GetQueueAttributes", "AttributeName.1": "DelaySeconds"})
    result = answer.json["GetQueueAttributesResponse"]["GetQueueAttributesResult"]
    assert result == {"Attributes": [{"Name": "DelaySeconds", "Value": "0"}]}


def test_an_error_rendered_as_json_keeps_its_status(json_q):
    answer = as_json(json_q, Action="DeleteMessage", ReceiptHandle="garbage")
    assert answer.status == 404
    assert answer.json == {
        "Error": {
            "Code": "ReceiptHandleIsInvalid",
            "Message": 'The input receipt handle "garbage" is not a valid receipt handle.',
            "Type": "Sender",
        },
        "RequestId": answer.headers["x-amzn-requestid"],
    }


@pytest.mark.k(21)
def test_parameters_without_an_index_mean_the_first(json_q):
    found = read_xml("GetQueueAttributes", get(json_q, "GetQueueAttributes", AttributeName="All"))["Attributes"]
    assert len(found) == 12
    get(json_q, "SetQueueAttributes", Attribute_Name="DelaySeconds", Attribute_Value="9")
    assert json_q.get("DelaySeconds") == {"DelaySeconds": "9"}
    granted = get(json_q, "AddPermission", Label="l", AWSAccountId="123456789012", ActionName="SendMessage")
    assert granted.status == 200
    (statement,) = json.loads(json_q.get("Policy")["Policy"])["Statement"]
    assert statement["Action"] == "SQS:SendMessage"


@pytest.mark.k(22)
@pytest.mark.parametrize("action", ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"])
def test_entries_without_a_value_are_an_empty_batch(json_q, action):
    error = xml_error(get(json_q, action, Entries=""))
    assert (error.status, error.code) == (400, "AWS.SimpleQueueService.EmptyBatchRequest")
    assert error.message == f"There should be at least one {action}RequestEntry in the request."


def test_indices_are_ordered_as_numbers_with_gaps_and_a_start_at_zero(json_q):
    indices = [0, 2, 9, 10, 11]
    form = {f"SendMessageBatchRequestEntry.{n}.Id": str(n) for n in reversed(indices)}
    form |= {f"SendMessageBatchRequestEntry.{n}.MessageBody": f"body {n}" for n in indices}
    answer = get(json_q, "SendMessageBatch", **{name.replace(".", "_"): value for name, value in form.items()})
    sent = read_xml("SendMessageBatch", answer)["Successful"]
    assert [entry["Id"] for entry in sent] == ["0", "2", "9", "10", "11"]


@pytest.mark.parametrize(("given", "missing"), [("Name", "Value"), ("Value", "Name")])
def test_half_an_attribute_is_missing_the_other_half(json_q, given, missing):
    error = xml_error(get(json_q, "SetQueueAttributes", **{f"Attribute_1_{given}": "DelaySeconds"}))
    assert (error.status, error.code) == (400, "MissingParameter")
    assert error.message == f"The request must contain the parameter Attribute.{missing}."


def test_the_old_name_of_the_visibility_timeout_is_understood(json_call):
    name = fresh_name()
    json_call.request("GET", f"/?Action=CreateQueue&QueueName={name}&DefaultVisibilityTimeout=77")
    attributes = json_call("GetQueueAttributes", QueueUrl=name, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes == {"VisibilityTimeout": "77"}


def test_parameter_names_are_case_sensitive_in_query(json_q):
    assert xml_error(get(json_q, "SendMessage", messagebody="b")).code == "MissingParameter"


@pytest.mark.k(23)
def test_quotes_and_carriage_returns_survive_xml(query_call):
    q = QueueCalls.create(query_call)
    body = '"&quot;&quot;\r'
    q.send(body)
    answer = query_call.raw("ReceiveMessage", QueueUrl=q.url)
    assert b"<Body>&quot;&amp;quot;&amp;quot;&#xD;</Body>" in answer.body
    (message,) = read_xml("ReceiveMessage", answer)["Messages"]
    assert message["Body"] == body
    assert message["MD5OfBody"] == md5(body.encode()).hexdigest()


@pytest.mark.parametrize("body", [" ", "\t\r\n", "a\r\nb\rc\n", "<a>&amp;]]>", "\x7f\x85é\u2028", "\U0001f980"])
def test_bodies_come_back_as_they_were_sent(q, body):
    q.send(body)
    message = q.receive_one()
    assert message["Body"] == body
    assert message["MD5OfBody"] == md5(body.encode()).hexdigest()


def test_a_body_in_a_get_is_read_as_utf_8(json_q):
    json_q.caller.request("GET", f"{path_of(json_q)}?Action=SendMessage&MessageBody={quote('Grüße 🦀')}")
    assert json_q.bodies() == ["Grüße 🦀"]


# ── Fresh queues, regions ────────────────────────────────────────────────────────────────────────────────

STANDARD = {
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "DelaySeconds",
    "LastModifiedTimestamp",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "QueueArn",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
}
FIFO = {"ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit"}


@pytest.mark.k(24)
def test_a_fresh_standard_queue_has_12_attributes_and_a_fresh_fifo_queue_16(q, fifo):
    assert set(q.get("All")) == STANDARD
    assert set(fifo.get("All")) == STANDARD | FIFO
