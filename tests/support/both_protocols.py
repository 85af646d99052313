"""One test body for both protocols: JSON member names in, plain dicts and lists out.

The tables below are the tests' own reading of how AWS Query flattens and answers; nothing here looks at the
server's codecs, so that a mistake there cannot hide itself.
"""

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from support.wire_client import Answer, WireClient

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"

# Lists: JSON name → Query name. {action} stands for the action's name.
LISTS = {
    "AWSAccountIds": "AWSAccountId",
    "Actions": "ActionName",
    "AttributeNames": "AttributeName",
    "BinaryListValues": "BinaryListValue",
    "Entries": "{action}RequestEntry",
    "MessageAttributeNames": "MessageAttributeName",
    "MessageSystemAttributeNames": "MessageSystemAttributeName",
    "StringListValues": "StringListValue",
    "TagKeys": "TagKey",
}

# Maps: JSON name → Query name, and what the key is called.
MAPS = {
    "Attributes": ("Attribute", "Name"),
    "MessageAttributes": ("MessageAttribute", "Name"),
    "MessageSystemAttributes": ("MessageSystemAttribute", "Name"),
    "Tags": ("Tag", "Key"),
    "tags": ("Tag", "Key"),
}

INTEGERS = {
    "ApproximateNumberOfMessagesMoved",
    "ApproximateNumberOfMessagesToMove",
    "MaxNumberOfMessagesPerSecond",
    "StartedTimestamp",
}

VOID = {
    "AddPermission",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "DeleteQueue",
    "PurgeQueue",
    "RemovePermission",
    "SetQueueAttributes",
    "TagQueue",
    "UntagQueue",
}

# Query code → what JSON clients find in __type.
_SQS, _CORAL = "com.amazonaws.sqs#", "com.amazon.coral.service#"
TYPES = {
    "AWS.SimpleQueueService.NonExistentQueue": _SQS + "QueueDoesNotExist",
    "AWS.SimpleQueueService.QueueDeletedRecently": _SQS + "QueueDeletedRecently",
    "AWS.SimpleQueueService.PurgeQueueInProgress": _SQS + "PurgeQueueInProgress",
    "AWS.SimpleQueueService.EmptyBatchRequest": _SQS + "EmptyBatchRequest",
    "AWS.SimpleQueueService.TooManyEntriesInBatchRequest": _SQS + "TooManyEntriesInBatchRequest",
    "AWS.SimpleQueueService.BatchEntryIdsNotDistinct": _SQS + "BatchEntryIdsNotDistinct",
    "AWS.SimpleQueueService.InvalidBatchEntryId": _SQS + "InvalidBatchEntryId",
    "AWS.SimpleQueueService.BatchRequestTooLong": _SQS + "BatchRequestTooLong",
    "AWS.SimpleQueueService.UnsupportedOperation": _SQS + "UnsupportedOperation",
    "QueueAlreadyExists": _SQS + "QueueNameExists",
    "InvalidAttributeName": _SQS + "InvalidAttributeName",
    "InvalidAttributeValue": _SQS + "InvalidAttributeValue",
    "InvalidMessageContents": _SQS + "InvalidMessageContents",
    "ReceiptHandleIsInvalid": _SQS + "ReceiptHandleIsInvalid",
    "OverLimit": _SQS + "OverLimit",
    "ResourceNotFoundException": _SQS + "ResourceNotFoundException",
    "InvalidAddress": _SQS + "InvalidAddress",
    "InvalidSecurity": _SQS + "InvalidSecurity",
    "InvalidParameterValue": _CORAL + "InvalidParameterValueException",
    "MissingParameter": _CORAL + "MissingRequiredParameterException",
    "MalformedInput": _CORAL + "SerializationException",
    "InvalidAction": _CORAL + "UnknownOperationException",
    "AccessDenied": _CORAL + "AccessDeniedException",
    "InvalidClientTokenId": _CORAL + "UnrecognizedClientException",
    "SignatureDoesNotMatch": _CORAL + "InvalidSignatureException",
    "IncompleteSignature": _CORAL + "IncompleteSignatureException",
    "ExpiredToken": _CORAL + "ExpiredTokenException",
}

Sign = Callable[[str, str, bytes, dict[str, str]], dict[str, str]]
"""Method, path, body and headers of a request → its headers with a signature among them."""


class Refused(Exception):
    """An error answer, read in full."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class Caller:
    """Calls actions of one server in one protocol, as one identity."""

    def __init__(self, url: str, protocol: str, sign: Sign | None = None) -> None:
        self.protocol = protocol
        self.wire = WireClient(url)
        self.sign = sign
        self._begun = ThreadPoolExecutor(max_workers=8, thread_name_prefix="caller")

    def close(self) -> None:
        self._begun.shutdown()

    def __call__(
        self, action: str, /, *, path: str = "/", headers: dict[str, str] | None = None, **members: Any
    ) -> Any:
        """The output of an action, {} for none; raises Refused."""
        answer = self.raw(action, path=path, headers=headers, **members)
        if self.protocol == "json":
            return read_json(action, answer)
        return read_xml(action, answer)

    def begin(self, action: str, /, **members: Any) -> "Future[Any]":
        """The same on a thread, for calls that wait."""
        return self._begun.submit(self, action, **members)

    def raw(
        self, action: str, /, *, path: str = "/", headers: dict[str, str] | None = None, **members: Any
    ) -> Answer:
        if self.protocol == "json":
            sent = {"X-Amz-Target": f"AmazonSQS.{action}", "Content-Type": "application/x-amz-json-1.0"}
            body = json.dumps(members).encode()
        else:
            sent = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
            form = {"Action": action, "Version": "2012-11-05"} | flatten(action, members)
            # A lone surrogate goes as the three bytes that UTF-8 would have for it.
            body = urlencode(form, errors="surrogatepass").encode()
        return self.request("POST", path, body, sent | (headers or {}))

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Any request, signed as this caller."""
        sent = dict(headers or {})
        if self.sign:
            sent = self.sign(method, path, body, sent)
        return self.wire.request(method, path, body, sent)

    def refused(self, action: str, /, **members: Any) -> Refused:
        """The error that a call must end with."""
        try:
            output = self(action, **members)
        except Refused as error:
            return error
        raise AssertionError(f"{action} was accepted and answered {output}")

    def refuses(
        self, action: str, code: str, message: str | None = None, /, *, status: int = 400, **members: Any
    ) -> None:
        """Assert that a call ends with an error of this code and status and, if given, with this text."""
        error = self.refused(action, **members)
        expected = (status, code, error.message if message is None else message)
        assert (error.status, error.code, error.message) == expected

    @property
    def no_such_queue(self) -> str:
        """The one text that differs between the protocols."""
        tail = " for this wsdl version." if self.protocol == "query" else "."
        return "The specified queue does not exist" + tail


# ── AWS Query, outward ───────────────────────────────────────────────────────────────────────────────────


def flatten(action: str, members: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """The form parameters of an action's members."""
    form: dict[str, str] = {}
    for name, value in members.items():
        if value is None:
            continue
        if name in MAPS and isinstance(value, dict):
            form |= _flatten_map(action, prefix, *MAPS[name], value)
        elif name in LISTS and isinstance(value, list):
            form |= _flatten_list(action, prefix, name, value)
        else:
            form[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return form


def _flatten_map(action: str, prefix: str, query_name: str, key_name: str, value: dict[str, Any]) -> dict[str, str]:
    form: dict[str, str] = {}
    for place, (key, item) in enumerate(value.items(), 1):
        entry = f"{prefix}{query_name}.{place}."
        form[entry + key_name] = key
        if isinstance(item, dict):
            form |= flatten(action, item, entry + "Value.")
        else:
            form[entry + "Value"] = item
    return form


def _flatten_list(action: str, prefix: str, name: str, value: list[Any]) -> dict[str, str]:
    if not value:
        return {prefix + name: ""}  # as the SDKs of that protocol spell an empty list
    form: dict[str, str] = {}
    for place, item in enumerate(value, 1):
        element = f"{prefix}{LISTS[name].format(action=action)}.{place}"
        if isinstance(item, dict):
            form |= flatten(action, item, element + ".")
        else:
            form[element] = item
    return form


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────


def read_json(action: str, answer: Answer) -> Any:
    assert answer.headers["content-type"] == "application/x-amz-json-1.0"
    assert len(answer.headers["x-amzn-requestid"]) == 36
    if answer.status != 200:
        raise _json_error(answer)
    if action in VOID:
        assert answer.body == b""
        return {}
    return json.loads(answer.body)


def _json_error(answer: Answer) -> Refused:
    document = json.loads(answer.body)
    code, fault = answer.headers["x-amzn-query-error"].split(";")
    assert fault == ("Receiver" if answer.status >= 500 else "Sender")
    assert document["__type"] == TYPES[code]
    text_key = "Message" if code == "AccessDenied" else "message"
    return Refused(answer.status, code, document[text_key])


def read_xml(action: str, answer: Answer) -> Any:
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.body.startswith(b'<?xml version="1.0"?>')
    root = ElementTree.fromstring(answer.body)
    for element in root.iter():
        assert element.tag.startswith(NAMESPACE)
        element.tag = element.tag.removeprefix(NAMESPACE)
    if answer.status != 200:
        raise _xml_error(answer, root)
    assert root.tag == f"{action}Response"
    assert root.findtext("ResponseMetadata/RequestId") == answer.headers["x-amzn-requestid"]
    result = root.find(f"{action}Result")
    assert (result is None) == (action in VOID)
    return {} if result is None else _read_members(action, result)


def _xml_error(answer: Answer, root: ElementTree.Element) -> Refused:
    assert root.tag == "ErrorResponse"
    assert [child.tag for child in root] == ["Error", "RequestId"]
    assert root.findtext("RequestId") == answer.headers["x-amzn-requestid"]
    kind, code, message, detail = root[0]
    assert [child.tag for child in root[0]] == ["Type", "Code", "Message", "Detail"]
    assert kind.text == ("Receiver" if answer.status >= 500 else "Sender")
    assert (detail.text, len(detail)) == (None, 0)
    assert answer.headers["x-amzn-query-error"] == f"{code.text};{kind.text}"
    return Refused(answer.status, code.text or "", message.text or "")


def _read_members(action: str, parent: ElementTree.Element) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for child in parent:
        name, value = child.tag, child.text or ""
        if name in ("Attribute", "MessageAttribute", "Tag"):
            key, item = _read_entry(action, child)
            members.setdefault(f"{name}s", {})[key] = item
        elif name == "Message" and action == "ReceiveMessage":
            members.setdefault("Messages", []).append(_read_members(action, child))
        elif name == "QueueUrl" and action.startswith("List"):
            listed = "QueueUrls" if action == "ListQueues" else "queueUrls"
            members.setdefault(listed, []).append(value)
        elif name == "BatchResultErrorEntry":
            members.setdefault("Failed", []).append(_read_members(action, child))
        elif name == "ListMessageMoveTasksResultEntry":
            members.setdefault("Results", []).append(_read_members(action, child))
        elif name == f"{action}ResultEntry":
            members.setdefault("Successful", []).append(_read_members(action, child))
        elif name == "SenderFault":
            members[name] = {"true": True, "false": False}[value]
        else:
            members[name] = int(value) if name in INTEGERS else value
    return members


def _read_entry(action: str, entry: ElementTree.Element) -> tuple[str, Any]:
    # Old parsers raise over a third child.
    key, value = entry
    assert (key.tag, value.tag) in (("Name", "Value"), ("Key", "Value"))
    return key.text or "", _read_members(action, value) if len(value) else value.text or ""
