"""A client of both protocols that hides nothing: what was sent, status, headers, body."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def xml(self) -> ElementTree.Element:
        """The document with its namespace taken off the names."""
        root = ElementTree.fromstring(self.body)
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root

    def text(self, path: str) -> str | None:
        return self.xml.findtext(path)

    @property
    def code(self) -> str:
        """The error's query code, in either protocol."""
        return self.headers["x-amzn-query-error"].partition(";")[0]

    @property
    def message(self) -> str:
        """The error's text, in either protocol."""
        if self.headers["content-type"].startswith("text/xml"):
            return self.xml.findtext("Error/Message") or ""
        document = self.json
        return str(document.get("message", document.get("Message")))


class WireClient:
    """One connection a request: simple, and independent of what other tests left behind."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._netloc = urlsplit(url).netloc

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, timeout: float = 30
    ) -> Answer:
        connection = http.client.HTTPConnection(self._netloc, timeout=timeout)
        try:
            connection.request(method, path, body=body or None, headers=headers or {})
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def json(self, action: str, path: str = "/", headers: dict[str, str] | None = None, **members: object) -> Answer:
        """A call in AWS JSON 1.0."""
        fixed = {"X-Amz-Target": f"AmazonSQS.{action}", "Content-Type": "application/x-amz-json-1.0"}
        return self.request("POST", path, json.dumps(members).encode(), fixed | (headers or {}))

    def query(
        self, action: str, parameters: dict[str, object] | None = None, path: str = "/", method: str = "POST"
    ) -> Answer:
        """A call in AWS Query, as a form or, with GET, in the query string."""
        form = urlencode({"Action": action, "Version": "2012-11-05"} | (parameters or {}))
        if method == "GET":
            return self.request("GET", f"{path}?{form}")
        content_type = "application/x-www-form-urlencoded; charset=utf-8"
        return self.request("POST", path, form.encode(), {"Content-Type": content_type})
