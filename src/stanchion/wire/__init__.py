"""The two protocols of SQS: AWS JSON 1.0, and AWS Query with its XML answers. Bytes to calls and back."""

from stanchion.wire.aws_json import AWS_JSON
from stanchion.wire.aws_query import AwsQuery
from stanchion.wire.codec import Call, Codec, UnknownOperation
from stanchion.wire.http import HttpRequest, HttpResponse

__all__ = ["Call", "Codec", "HttpRequest", "HttpResponse", "UnknownOperation", "codec_for"]


def codec_for(request: HttpRequest) -> Codec:
    """The codec of a request's protocol. JSON announces itself in a header; all else is Query.

    A Query codec remembers what its request asked for, so it serves one request only.
    """
    headers = request.headers
    if headers.get("x-amz-target", "").startswith("AmazonSQS."):
        return AWS_JSON
    if headers.get("content-type", "").lower().startswith("application/x-amz-json-"):
        return AWS_JSON
    return AwsQuery(wants_json="application/json" in headers.get("accept", "").lower())
