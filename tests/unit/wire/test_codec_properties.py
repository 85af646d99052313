"""What holds for all inputs and for all bytes."""

import base64
import json
from xml.etree import ElementTree

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stanchion.actions import ACTIONS, MessageAttributeValue, ReceivedMessage, ReceiveMessageOutput
from stanchion.errors import SQSError
from stanchion.wire import HttpRequest, codec_for
from stanchion.wire.json_input import read_input as read_json_input
from stanchion.wire.schema import INPUTS, ListOf, MapOf, Scalar, Structure
from unit.wire.requests import REQUEST_ID, decode, form_request, json_request

# ── Any input, spelled in both protocols ─────────────────────────────────────────────────────────────────

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = {Scalar.TEXT: texts, Scalar.INTEGER: st.integers(), Scalar.BLOB: st.binary(max_size=8)}


def values(kind):
    if isinstance(kind, Structure):
        return structures(kind)
    if isinstance(kind, ListOf):
        return st.lists(elements(kind.element), max_size=12)
    if isinstance(kind, MapOf):
        return st.dictionaries(texts, values(kind.value), max_size=4)
    return SCALARS[kind]


def elements(kind):
    """Elements of a list; one without a single member leaves no trace in a form."""
    return values(kind).filter(lambda value: value != kind.type()) if isinstance(kind, Structure) else values(kind)


def structures(structure, **fixed):
    optional = {member.field: st.none() | values(member.kind) for member in structure.members}
    return st.builds(structure.type, **(optional | fixed))


def spell(prefix, member_name, value, kind):
    """A member as form parameters, the way botocore writes them."""
    name = prefix + member_name
    if isinstance(kind, Structure):
        yield from spell_members(name + ".", value, kind)
    elif isinstance(kind, ListOf):
        for index, element in enumerate(value, 1):
            yield from spell(prefix, f"{member_name}.{index}", element, kind.element)
    elif isinstance(kind, MapOf):
        for index, (key, item) in enumerate(value.items(), 1):
            yield f"{name}.{index}.{kind.key_name}", key
            yield from spell(f"{name}.{index}.", "Value", item, kind.value)
    else:
        yield name, base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def spell_members(prefix, shape, structure):
    for member in structure.members:
        value = getattr(shape, member.field)
        if value is None:
            continue
        if value in ([], {}):
            yield prefix + member.json_name, ""
        else:
            yield from spell(prefix, member.query_name, value, member.kind)


calls = st.sampled_from(sorted(ACTIONS)).flatmap(
    lambda name: st.tuples(
        st.just(name),
        structures(INPUTS[name], **({"queue_url": st.just("q")} if ACTIONS[name].scope == "queue" else {})),
    )
)


@settings(max_examples=300, deadline=None)
@given(calls)
def test_an_input_is_the_same_in_both_protocols(call):
    name, shape = call
    as_json = decode(json_request(name, msgspec.json.encode(shape)))
    as_form = decode(form_request([("Action", name), *spell_members("", shape, INPUTS[name])]))
    assert as_json.input == as_form.input == shape


@settings(max_examples=200, deadline=None)
@given(calls)
def test_the_slow_way_reads_what_the_fast_way_reads(call):
    name, shape = call
    assert read_json_input(name, msgspec.json.encode(shape)) == shape


# ── Any bytes at all ─────────────────────────────────────────────────────────────────────────────────────

any_text = st.text(max_size=30)
header_names = st.sampled_from(["host", "content-type", "x-amz-target", "accept", "authorization"])
likely_values = st.sampled_from(
    [
        *(f"AmazonSQS.{name}" for name in ACTIONS),
        *("AmazonSQS.", "AmazonSQS.Nonsense", "application/x-amz-json-1.0", "application/json", "text/plain"),
    ]
)
segments = st.sampled_from(
    [
        *(
            "Action",
            "Attribute",
            "AttributeName",
            "Name",
            "Value",
            "Entries",
            "Version",
            "MessageBody",
            "DelaySeconds",
        ),
        *("SendMessageBatchRequestEntry", "MessageAttribute", "BinaryValue", "StringListValue", "Tag", "Key"),
        *("0", "1", "2", "99999999999", "", "%", "%FF", "é"),
    ]
)
form_names = st.lists(segments, min_size=1, max_size=9).map(".".join)
forms = st.lists(st.tuples(form_names, any_text | st.sampled_from(sorted(ACTIONS)))).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
member_names = st.sampled_from(
    sorted({member.json_name for structure in INPUTS.values() for member in structure.members})
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(member_names | any_text, inner, max_size=3),
    max_leaves=10,
)
bodies = (
    st.binary(max_size=200)
    | forms.map(lambda text: text.encode("utf-8", "replace"))
    | st.dictionaries(member_names, json_values).map(lambda value: json.dumps(value).encode())
)
requests = st.builds(
    HttpRequest,
    method=st.sampled_from(["POST", "GET"]) | any_text,
    path=st.sampled_from(["/", "/000000000000/q", "/000000000000/q/"]) | any_text,
    query=forms | any_text | st.sampled_from(sorted(ACTIONS)).map(lambda name: f"Action={name}"),
    headers=st.dictionaries(header_names, likely_values | any_text),
    body=bodies,
    secure=st.booleans(),
)


def check_answer(response):
    headers = dict(response.headers)
    assert headers["x-amzn-RequestId"] == REQUEST_ID
    if headers["Content-Type"] == "text/xml":
        ElementTree.fromstring(response.body)
    else:
        assert isinstance(json.loads(response.body), dict)


@settings(max_examples=500, deadline=None)
@given(requests)
@example(HttpRequest(method="GET", path="/", query="Action=PurgeQueue", headers={"host": "\ud800\0"}, body=b""))
def test_any_request_is_decoded_or_refused_and_every_refusal_can_be_written(request):
    codec = codec_for(request)
    try:
        call = codec.decode(request)
    except SQSError as error:
        check_answer(codec.encode_error(error, REQUEST_ID))
    else:
        assert isinstance(call.input, call.action.input)
        assert all(isinstance(part, str) for pair in call.parameters for part in pair)


class SQSErrorWith(SQSError):
    """Any error; it carries any text."""


@given(any_text, st.booleans())
def test_any_text_of_an_error_can_be_written(text, wants_json):
    accept = "application/json" if wants_json else "*/*"
    for request in (json_request("SendMessage", {}), form_request("", accept=accept)):
        check_answer(codec_for(request).encode_error(SQSErrorWith(text), REQUEST_ID))


# Texts that passed the rules hold only what XML can carry.
legal_texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\r\n")
)


@given(
    st.dictionaries(legal_texts, st.builds(MessageAttributeValue, string_value=legal_texts, binary_value=st.binary()))
)
def test_message_attributes_survive_the_xml(attributes):
    action = ACTIONS["ReceiveMessage"]
    message = ReceivedMessage(
        message_id="m", receipt_handle="r", md5_of_body="d", body="b", message_attributes=attributes
    )
    codec = codec_for(form_request(""))
    body = codec.encode_result(action, ReceiveMessageOutput(messages=[message]), REQUEST_ID).body
    returned = {
        entry.findtext("{*}Name"): (
            entry.findtext("{*}Value/{*}StringValue"),
            base64.b64decode(entry.findtext("{*}Value/{*}BinaryValue")),
        )
        for entry in ElementTree.fromstring(body).iter(f"{NAMESPACE}MessageAttribute")
    }
    assert returned == {name: (value.string_value, value.binary_value) for name, value in attributes.items()}
