"""The JSON that a Query request gets when it asks for ``Accept: application/json``.

Not the JSON protocol: the documents are those of the XML, unset members are null, and maps are lists of pairs.
"""

from typing import Any, Final

from stanchion.actions import Action, Shape
from stanchion.errors import SQSError
from stanchion.wire.aws_json import json_bytes
from stanchion.wire.schema import OUTPUTS, Kind, ListOf, MapOf, Structure

# ReceiveMessage's one member is lower case here, and only here.
_RENAMED: Final = {"Messages": "messages"}


def result_document(action: Action, output: Shape | None, request_id: str) -> bytes:
    response: dict[str, Any] = {}
    if output is not None:
        response[f"{action.name}Result"] = _members(output, OUTPUTS[action.name])
    response["ResponseMetadata"] = {"RequestId": request_id}
    return json_bytes({f"{action.name}Response": response})


def error_document(error: SQSError, request_id: str) -> bytes:
    details = {"Code": error.code, "Message": error.query_message, "Type": error.fault}
    return json_bytes({"Error": details, "RequestId": request_id})


def _members(value: Shape, structure: Structure) -> dict[str, Any]:
    return {
        _RENAMED.get(member.json_name, member.json_name): _plain(getattr(value, member.field), member.kind)
        for member in structure.members
    }


def _plain(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if isinstance(kind, Structure):
        return _members(value, kind)
    if isinstance(kind, ListOf):
        return [_plain(element, kind.element) for element in value]
    if isinstance(kind, MapOf):
        return [{kind.key_name: key, "Value": _plain(item, kind.value)} for key, item in value.items()]
    return value
