"""What the server refuses before a request reaches the service: each with a status of HTTP, in SQS's own form."""

from stanchion.errors import CoralError, MalformedInput


class BadHttp(MalformedInput):
    """The bytes are not one clear HTTP request. Two readings of one request are how requests are smuggled."""

    shape = MalformedInput.shape
    code = MalformedInput.code


class UrlTooLong(BadHttp):
    shape = BadHttp.shape
    code = BadHttp.code
    status = 414

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request URL is longer than {limit} bytes.")


class HeadersTooLarge(BadHttp):
    shape = BadHttp.shape
    code = BadHttp.code
    status = 431

    def __init__(self, max_headers: int, max_bytes: int) -> None:
        super().__init__(f"The request has more than {max_headers} headers or {max_bytes} bytes of them.")


class BodyTooLarge(BadHttp):
    shape = BadHttp.shape
    code = BadHttp.code
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is longer than {limit} bytes.")


class MethodNotAllowed(CoralError):
    shape = "UnknownOperationException"
    code = "InvalidAction"
    status = 405

    def __init__(self, method: str) -> None:
        super().__init__(f"The method {method} is not valid for this endpoint.")


class RequestTimedOut(CoralError):
    shape = "RequestTimeoutException"
    code = "RequestTimeout"
    status = 408

    def __init__(self) -> None:
        super().__init__("The request did not arrive in time.")
