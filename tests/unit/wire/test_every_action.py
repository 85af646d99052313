"""Every action in both protocols and both directions, against written-out bytes."""

import pytest

from stanchion.actions import ACTIONS
from stanchion.wire.schema import INPUTS, ListOf, Scalar, Structure
from unit.wire.golden import EXCHANGES
from unit.wire.requests import REQUEST_ID, decode, form_request, get_request, json_input, json_result, query_result

every_exchange = pytest.mark.parametrize("golden", EXCHANGES, ids=lambda golden: golden.action)


def test_every_action_has_a_golden_exchange():
    assert [golden.action for golden in EXCHANGES] == list(ACTIONS)


def test_no_input_has_a_flag():
    """The readers of inputs know text, integers and blobs; they need a fourth when this fails."""
    assert Scalar.FLAG not in set().union(*(scalars_of(structure) for structure in INPUTS.values()))


def scalars_of(kind):
    if isinstance(kind, Structure):
        return set().union(*(scalars_of(member.kind) for member in kind.members))
    if isinstance(kind, Scalar):
        return {kind}
    return scalars_of(kind.element if isinstance(kind, ListOf) else kind.value)


@every_exchange
def test_json_input_is_decoded(golden):
    assert json_input(golden.action, golden.json_input) == golden.input


@every_exchange
def test_a_form_is_decoded(golden):
    call = decode(form_request([("Action", golden.action), *golden.query]))
    assert (call.action, call.input) == (ACTIONS[golden.action], golden.input)


@every_exchange
def test_a_query_string_is_decoded(golden):
    assert decode(get_request([("Action", golden.action), *golden.query])).input == golden.input


@every_exchange
def test_output_is_encoded_as_json(golden):
    response = json_result(golden.action, golden.output)
    assert response.status == 200
    assert response.body == golden.json_output.encode()
    assert response.headers == (
        ("x-amzn-RequestId", REQUEST_ID),
        ("Content-Type", "application/x-amz-json-1.0"),
    )


@every_exchange
def test_output_is_encoded_as_xml(golden):
    name = golden.action
    result = "" if golden.output is None else f"<{name}Result>{golden.xml_result}</{name}Result>"
    response = query_result(name, golden.output)
    assert response.status == 200
    assert response.headers == (("x-amzn-RequestId", REQUEST_ID), ("Content-Type", "text/xml"))
    assert response.body.decode() == (
        f'<?xml version="1.0"?><{name}Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">{result}'
        f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{name}Response>"
    )
