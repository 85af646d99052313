"""Answers beyond the plain ones: empty results, errors, escapes, and JSON for Query clients."""

import json
from xml.etree import ElementTree

import pytest

from stanchion import errors
from stanchion.actions import ACTIONS, ReceivedMessage, ReceiveMessageOutput, SendMessageOutput
from stanchion.wire import codec_for
from unit.wire.requests import REQUEST_ID, form_request, json_request, json_result, query_result

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"

# Outputs all of whose members may be absent.
EMPTY_RESULTS = [
    *("ReceiveMessage", "ListQueues", "ListQueueTags", "ListDeadLetterSourceQueues", "GetQueueAttributes"),
    *("ListMessageMoveTasks", "SendMessageBatch"),
]


def query_error(error, **headers):
    return codec_for(form_request("", **headers)).encode_error(error, REQUEST_ID)


def json_error(error):
    return codec_for(json_request("SendMessage", {})).encode_error(error, REQUEST_ID)


@pytest.mark.parametrize("action", EMPTY_RESULTS)
def test_an_empty_result_is_an_empty_object_or_an_empty_element(action):
    output = ACTIONS[action].output()
    assert json_result(action, output).body == b"{}"
    assert f"<{action}Result/><ResponseMetadata>".encode() in query_result(action, output).body


def test_an_unknown_queue_in_json():
    response = json_error(errors.QueueDoesNotExist())
    assert response.status == 400
    assert response.body == (
        b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}'
    )
    assert response.headers == (
        ("x-amzn-RequestId", REQUEST_ID),
        ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"),
        ("Content-Type", "application/x-amz-json-1.0"),
    )


def test_an_unknown_queue_in_xml():
    response = query_error(errors.QueueDoesNotExist())
    assert response.status == 400
    assert response.body.decode() == (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
        "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>"
        "<Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error>"
        f"<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )
    assert response.headers == (
        ("x-amzn-RequestId", REQUEST_ID),
        ("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"),
        ("Content-Type", "text/xml"),
    )


def test_access_denied_has_its_text_under_a_capital():
    response = json_error(errors.AccessDenied("no"))
    assert (response.status, json.loads(response.body)) == (
        403,
        {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"},
    )


def test_our_own_failures_are_the_receivers():
    for response in (json_error(errors.InternalFailure()), query_error(errors.InternalFailure())):
        assert response.status == 500
        assert ("x-amzn-query-error", "InternalFailure;Receiver") in response.headers
    assert b"<Type>Receiver</Type>" in query_error(errors.ServiceUnavailable()).body


def test_an_error_may_quote_anything_in_xml():
    quoted = "a\0b\x1b\ud800<&>\"'\ufffe\uffff]]>\r\n\té😀"
    body = query_error(errors.InvalidAction(quoted)).body
    message = ElementTree.fromstring(body).findtext(f".//{{{NAMESPACE}}}Message")
    shown = "a\ufffdb\ufffd\ufffd<&>\"'\ufffd\ufffd]]>\r\n\té😀"
    assert message == f"The action {shown} is not valid for this endpoint."


def test_an_error_may_quote_anything_in_json():
    body = json_error(errors.InvalidAction('a\0\ud800"\\\uffff😀')).body
    assert json.loads(body)["message"] == 'The action a\0\ufffd"\\\uffff😀 is not valid for this endpoint.'


def test_a_result_with_half_a_surrogate_pair_is_still_json():
    body = json_result("SendMessage", SendMessageOutput(message_id="\udfff", md5_of_message_body="d")).body
    assert json.loads(body) == {"MessageId": "\ufffd", "MD5OfMessageBody": "d"}


def test_a_carriage_return_and_a_quote_are_escaped_in_xml():
    message = ReceivedMessage(message_id="m", receipt_handle="r", md5_of_body="d", body='"&quot;&quot;\r')
    body = query_result("ReceiveMessage", ReceiveMessageOutput(messages=[message])).body
    assert b"<Body>&quot;&amp;quot;&amp;quot;&#xD;</Body>" in body
    assert ElementTree.fromstring(body).findtext(f".//{{{NAMESPACE}}}Body") == message.body


def as_json(action, output):
    response = query_result(action, output, accept="application/json")
    assert response.headers == (("x-amzn-RequestId", REQUEST_ID), ("Content-Type", "application/json"))
    return json.loads(response.body)


METADATA = {"ResponseMetadata": {"RequestId": REQUEST_ID}}


def test_a_query_client_may_ask_for_json():
    assert as_json("SendMessage", SendMessageOutput(message_id="m", md5_of_message_body="d")) == {
        "SendMessageResponse": METADATA
        | {
            "SendMessageResult": {
                "MessageId": "m",
                "MD5OfMessageBody": "d",
                "MD5OfMessageAttributes": None,
                "MD5OfMessageSystemAttributes": None,
                "SequenceNumber": None,
            }
        }
    }


def test_void_actions_have_no_result_in_that_json():
    assert as_json("DeleteMessage", None) == {"DeleteMessageResponse": METADATA}


def test_received_messages_are_lower_case_in_that_json_and_null_when_there_are_none():
    assert as_json("ReceiveMessage", ReceiveMessageOutput()) == {
        "ReceiveMessageResponse": METADATA | {"ReceiveMessageResult": {"messages": None}}
    }
    message = ReceivedMessage(
        message_id="m", receipt_handle="r", md5_of_body="d", body="b", attributes={"SenderId": "s"}
    )
    received = as_json("ReceiveMessage", ReceiveMessageOutput(messages=[message]))
    assert received["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"] == [
        {
            "MessageId": "m",
            "ReceiptHandle": "r",
            "MD5OfBody": "d",
            "Body": "b",
            "Attributes": [{"Name": "SenderId", "Value": "s"}],
            "MD5OfMessageAttributes": None,
            "MessageAttributes": None,
        }
    ]


def test_queue_attributes_are_a_list_of_pairs_in_that_json():
    output = ACTIONS["GetQueueAttributes"].output(attributes={"DelaySeconds": "0"})
    document = as_json("GetQueueAttributes", output)
    assert document["GetQueueAttributesResponse"]["GetQueueAttributesResult"] == {
        "Attributes": [{"Name": "DelaySeconds", "Value": "0"}]
    }


def test_an_error_in_that_json():
    response = query_error(errors.AccessDenied("no"), accept="text/html, application/JSON;q=0.9")
    assert response.status == 403
    assert json.loads(response.body) == {
        "Error": {"Code": "AccessDenied", "Message": "no", "Type": "Sender"},
        "RequestId": REQUEST_ID,
    }
    assert ("x-amzn-query-error", "AccessDenied;Sender") in response.headers
    assert ("Content-Type", "application/json") in response.headers
