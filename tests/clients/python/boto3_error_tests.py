"""Errors as the client sees them: the exception's class, its code, its status."""

import json
from collections.abc import Callable
from typing import Any

from boto3_connection import arn, connect
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from walk import Site, expect

# Errors of the model that this server never gives: of its own key service, which is not emulated; given by nobody
# any more; of a rate that it has not; and the answer to a signature that these clients have forgotten how to make.
NEVER = {"InvalidIdFormat", "MessageNotInflight", "RequestThrottled", "InvalidSecurity"}
KEY_SERVICE = "Kms"


class Case:
    """Calls that fail, each with the class, code and status of its error."""

    def __init__(self, sqs: Any) -> None:
        self.sqs = sqs
        self.seen: set[str] = set()

    def fails(self, name: str, code: str, status: int, call: Callable[..., Any], **given: Any) -> None:
        # A client of the older model knows fewer classes; the others come as their common base.
        wanted = getattr(self.sqs.exceptions, name) if name in _modelled(self.sqs) else ClientError
        error = expect(wanted, call, **given)
        assert type(error) is wanted, name
        assert error.response["Error"]["Code"] == code, error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error
        assert error.response["ResponseMetadata"]["RequestId"]
        assert error.response["Error"]["Message"]
        self.seen.add(name)


def _modelled(sqs: Any) -> set[str]:
    return {shape.name for shape in sqs.meta.service_model.error_shapes}


def test_every_error_of_the_model_is_raised_by_its_class(site: Site) -> None:
    sqs = connect(site)
    case = Case(sqs)
    url = sqs.create_queue(QueueName="errors")["QueueUrl"]
    for check in (_queue_errors, _attribute_errors, _message_errors, _batch_errors):
        check(site, case, url)
    possible = {name for name in _modelled(sqs) - NEVER if not name.startswith(KEY_SERVICE)}
    assert possible - case.seen == set()


def _queue_errors(site: Site, case: Case, url: str) -> None:
    sqs, fails, service = case.sqs, case.fails, "AWS.SimpleQueueService"
    missing = url + "-missing"
    fails("QueueDoesNotExist", f"{service}.NonExistentQueue", 400, sqs.delete_queue, QueueUrl=missing)
    given = {"QueueName": "errors", "Attributes": {"VisibilityTimeout": "31"}}
    fails("QueueNameExists", "QueueAlreadyExists", 400, sqs.create_queue, **given)
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName="short-lived")["QueueUrl"])
    fails("QueueDeletedRecently", f"{service}.QueueDeletedRecently", 400, sqs.create_queue, QueueName="short-lived")
    sqs.purge_queue(QueueUrl=url)
    fails("PurgeQueueInProgress", f"{service}.PurgeQueueInProgress", 403, sqs.purge_queue, QueueUrl=url)
    fails("InvalidAddress", "InvalidAddress", 404, sqs.purge_queue, QueueUrl=f"{site.url}/")
    nowhere = arn(site, "missing")
    resource = "ResourceNotFoundException"
    fails(resource, resource, 404, sqs.start_message_move_task, SourceArn=nowhere)
    fails(resource, resource, 404, sqs.list_message_move_tasks, SourceArn=nowhere)
    actions = ["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"]
    actions += ["GetQueueUrl", "PurgeQueue", "ListDeadLetterSourceQueues"]
    given = {"QueueUrl": url, "Label": "eight", "AWSAccountIds": [site.guest.account], "Actions": actions}
    fails("OverLimit", "OverLimit", 403, sqs.add_permission, **given)


def _attribute_errors(site: Site, case: Case, url: str) -> None:
    change, fails = case.sqs.set_queue_attributes, case.fails
    name, value = "InvalidAttributeName", "InvalidAttributeValue"
    fails(name, name, 400, change, QueueUrl=url, Attributes={"Colour": "red"})
    fails(name, name, 400, change, QueueUrl=url, Attributes={"FifoQueue": "true"})
    fails(value, value, 400, change, QueueUrl=url, Attributes={"VisibilityTimeout": "43201"})
    fails(value, value, 400, change, QueueUrl=url, Attributes={"Policy": "no JSON"})
    policy = json.dumps({"deadLetterTargetArn": arn(site, "missing"), "maxReceiveCount": 1})
    parameter = "InvalidParameterValue"
    fails(parameter, parameter, 400, change, QueueUrl=url, Attributes={"RedrivePolicy": policy})


def _message_errors(site: Site, case: Case, url: str) -> None:
    sqs, fails = case.sqs, case.fails
    contents = "InvalidMessageContents"
    fails(contents, contents, 400, sqs.send_message, QueueUrl=url, MessageBody="\ufffe")
    handle = "ReceiptHandleIsInvalid"
    fails(handle, handle, 404, sqs.delete_message, QueueUrl=url, ReceiptHandle="not-a-handle")
    attributes = {"list": {"DataType": "String", "StringListValues": ["a"]}}
    given = {"QueueUrl": url, "MessageBody": "text", "MessageAttributes": attributes}
    fails("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", 400, sqs.send_message, **given)
    parameter = "InvalidParameterValue"
    fails(parameter, parameter, 400, sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11)
    fails("MissingParameter", "MissingParameter", 400, sqs.send_message, QueueUrl=url, MessageBody="")


def _batch_errors(site: Site, case: Case, url: str) -> None:
    def fails(name: str, ids: list[str], body: str = "text") -> None:
        entries = [{"Id": each, "MessageBody": body} for each in ids]
        given = {"QueueUrl": url, "Entries": entries}
        case.fails(name, f"AWS.SimpleQueueService.{name}", 400, case.sqs.send_message_batch, **given)

    fails("EmptyBatchRequest", [])
    fails("TooManyEntriesInBatchRequest", [str(number) for number in range(11)])
    fails("BatchEntryIdsNotDistinct", ["a", "b", "a"])
    fails("InvalidBatchEntryId", ["not allowed"])
    fails("BatchRequestTooLong", ["a", "b"], "x" * 524_289)


def test_a_text_says_what_is_wrong_in_the_words_of_the_service(site: Site) -> None:
    sqs = connect(site)
    error = expect(ClientError, sqs.get_queue_url, QueueName="missing")
    tail = " for this wsdl version." if _protocol(site) == "query" else "."
    assert error.response["Error"]["Message"] == f"The specified queue does not exist{tail}"
    assert error.response["Error"]["Type"] == "Sender"


def test_who_cannot_prove_who_he_is_stays_outside(site: Site) -> None:
    if site.signed:
        strangers = {
            "SignatureDoesNotMatch": site.owner._replace(secret="wrong"),
            "InvalidClientTokenId": site.owner._replace(id="AKIANOBODY"),
        }
        for code, key in strangers.items():
            error = expect(ClientError, connect(site, key).list_queues)
            assert error.response["Error"]["Code"] == code
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        error = expect(ClientError, _without_signature(site).list_queues)
        assert error.response["Error"]["Code"] == "AccessDenied"
        if _protocol(site) == "query":  # the last clients that could make the older signature
            error = expect(ClientError, connect(site, signature_version="v2").list_queues)
            assert error.response["Error"]["Code"] == "InvalidSecurity"
    else:
        assert "ResponseMetadata" in _without_signature(site).list_queues()


def _protocol(site: Site) -> str:
    return connect(site).meta.service_model.protocol


def _without_signature(site: Site) -> Any:
    return connect(site, signature_version=UNSIGNED)
