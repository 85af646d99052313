"""MD5 digests, against values that SQS has answered."""

import pytest

from stanchion.model import MessageAttribute
from stanchion.wire.checksums import md5_of_attributes, md5_of_body


def text(value):
    return MessageAttribute("String", value)


TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
COLOR = {"color": text("blue")}
THREE = COLOR | {"count": MessageAttribute("Number", "3"), "blob": MessageAttribute("Binary", b"\x01\x02\x03")}
TRACE_PARENT = b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"

VECTORS = [
    ({"k": text("x")}, "a45daa70926828a2f0a1db3418e6feb4"),
    ({"timestamp": MessageAttribute("Number", "1493147359900")}, "235c5c510d26fb653d073faed50ae77c"),
    ({"Foo": text("Bar")}, "ae7155c6026991b6d54b11589678bf9c"),
    (THREE, "d838729972a4b70e2d2acd9d59ac847c"),
    (COLOR, "da1b33cc3cbfe8b1630921e78e6b9880"),
    (
        {"General": text("Kenobi"), "Hello": text("There"), "Help.Me": text("Me")},
        "4c360f3fdafd970e05fae2f149d997f5",
    ),
    ({"attr1": MessageAttribute("Binary", TRACE_PARENT)}, "8cbe4db156db8a94db8b801b7addb984"),
    ({"AWSTraceHeader": text(TRACE)}, "5ae4d5d7636402d80f4eb6d213245a88"),
]


@pytest.mark.parametrize(("attributes", "digest"), VECTORS)
def test_the_digest_of_attributes_is_the_one_that_sqs_gives(attributes, digest):
    assert md5_of_attributes(attributes) == digest


def test_the_digest_does_not_depend_on_the_order_of_the_attributes():
    assert md5_of_attributes(dict(reversed(THREE.items()))) == md5_of_attributes(THREE)


def test_a_custom_label_of_the_type_is_part_of_the_digest():
    labelled = {"k": MessageAttribute("String.label", "x")}
    assert md5_of_attributes(labelled) != md5_of_attributes({"k": text("x")})


def test_text_and_binary_with_the_same_bytes_have_different_digests():
    assert md5_of_attributes({"k": MessageAttribute("t", "x")}) != md5_of_attributes(
        {"k": MessageAttribute("t", b"x")}
    )


def test_the_digest_of_a_body_is_over_its_utf_8_bytes():
    assert md5_of_body("hello") == "5d41402abc4b2a76b9719d911017c592"
    assert md5_of_body("é") == "66ddcd97cfdeabb2f6fb8a999b4bc76f"
