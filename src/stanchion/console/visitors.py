"""Who looks at the console, and how the browser proves it from one request to the next.

With auth off everybody who gets here is trusted, as on the SQS endpoint, and there is no session. With auth on a
visitor signs in with an access key; the browser then holds a cookie with the key's id and the moment, signed. The
server keeps no sessions: the signing key is derived from a secret of the store, so they survive a restart, and each
request looks the access key up again, so they end with it.
"""

import hmac
import os
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any, Final

import msgspec
from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from stanchion.auth.authenticate import caller_of
from stanchion.auth.credentials import AccessKey
from stanchion.console.parts import Parts
from stanchion.model import Caller

SESSION_SECONDS: Final = 12 * 3600
_CLOCK_SLACK_MS: Final = 60_000  # the system's clock may have been put back a little since a cookie was made
_MOST_ENDED: Final = 10_000


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at a page. ``csrf`` is what each form of theirs must hold.

    ``signed_in`` is False while auth is off: nobody has to, and nobody can sign out.
    """

    caller: Caller
    csrf: str
    signed_in: bool
    read_only: bool
    region: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser holds, signed. Without a key it only ties the sign-in form to one browser.

    ``mark`` changes when anything of the key does that it is proven with.
    """

    id: str
    since_ms: int
    key_id: str = ""
    mark: str = ""
    region: str = ""


_OPEN: Final = Session(id="", since_ms=0)  # what everybody has while auth is off


class Sessions:
    """Makes, checks and ends sessions. One for each console."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        secret = hmac.digest(parts.store.receipt_key, b"stanchion console", "sha256")
        self._csrf_key = hmac.digest(secret, b"csrf", "sha256")
        self._mark_key = hmac.digest(secret, b"mark", "sha256")
        self._cookies = URLSafeSerializer(
            secret, salt="stanchion console", signer_kwargs={"key_derivation": "hmac", "digest_method": sha256}
        )
        self._ended: dict[str, int] = {}  # signed out before their time: id → when they would have ended

    def fresh(self) -> Session:
        """For a browser that has not signed in."""
        return Session(id=_random_id(), since_ms=self._parts.clock.now_ms())

    def begin(self, key: AccessKey) -> Session:
        return msgspec.structs.replace(
            self.fresh(), key_id=key.access_key_id, mark=self._mark(key), region=self._parts.region
        )

    def end(self, session: Session) -> None:
        """Sign out: the cookie is worth nothing any more, wherever there is a copy."""
        now_ms = self._parts.clock.now_ms()
        self._ended = {each: ends_ms for each, ends_ms in self._ended.items() if ends_ms > now_ms}
        while len(self._ended) >= _MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        self._ended[session.id] = session.since_ms + SESSION_SECONDS * 1000

    def read(self, cookie: str | None) -> Session | None:
        """The session in a cookie, if it holds at this moment."""
        if self._parts.credentials() is None:
            return _OPEN
        content = self.unseal("session", cookie) if cookie else None
        if content is None:
            return None
        session = msgspec.convert(content, Session)
        return session if self.holds(session) else None

    def holds(self, session: Session) -> bool:
        """Whether a session has not ended: by its age, by a sign-out, or with its key."""
        age_ms = self._parts.clock.now_ms() - session.since_ms
        in_time = -_CLOCK_SLACK_MS <= age_ms < SESSION_SECONDS * 1000
        return in_time and session.id not in self._ended and (not session.key_id or self._key(session) is not None)

    def write(self, session: Session) -> str:
        return self.seal("session", msgspec.to_builtins(session))

    def visitor(self, session: Session | None) -> Visitor:
        parts = self._parts
        session = session or _OPEN
        region = session.region if session.region in parts.regions else parts.region
        key = self._key(session)
        if key is not None:
            caller = caller_of(key, region)
        elif parts.credentials() is None:
            caller = _anybody(parts.account, region)
        else:
            caller = Caller(account=parts.account, region=region, arn="", sender_id="anonymous", access_key_id=None)
        return Visitor(
            caller=caller,
            csrf=self._csrf(session),
            signed_in=key is not None,
            read_only=parts.read_only,
            region=region,
        )

    def seal(self, purpose: str, content: Any) -> str:
        """Content as text that nobody else can write, and that is read for the same purpose only."""
        return str(self._cookies.dumps([purpose, content]))

    def unseal(self, purpose: str, sealed: str) -> Any:
        """What ``seal`` was given; None when it was not sealed here, or for another purpose."""
        try:
            found, content = self._cookies.loads(sealed)
        except (BadSignature, ValueError):
            return None
        return content if found == purpose else None

    def _key(self, session: Session) -> AccessKey | None:
        """The access key of a session, unless it was taken away, changed or has expired."""
        credentials = self._parts.credentials()
        key = credentials.get(session.key_id) if credentials is not None and session.key_id else None
        if key is None or not is_usable(key, self._parts.clock.now_ms()):
            return None
        return key if hmac.compare_digest(self._mark(key), session.mark) else None

    def _mark(self, key: AccessKey) -> str:
        proof = f"{key.access_key_id}\0{key.account}\0{key.arn}\0{key.secret}\0{key.session_token or ''}"
        return _text(hmac.digest(self._mark_key, proof.encode("utf-8", "surrogatepass"), "sha256"))

    def _csrf(self, session: Session) -> str:
        return _text(hmac.digest(self._csrf_key, session.id.encode(), "sha256"))


def is_usable(key: AccessKey, now_ms: int) -> bool:
    return key.enabled and (key.expires_at_ms is None or now_ms < key.expires_at_ms)


def _anybody(account: str, region: str) -> Caller:
    """Whoever it is, while auth is off: the same as on the SQS endpoint."""
    return Caller(
        account=account,
        region=region,
        arn=f"arn:aws:iam::{account}:root",
        sender_id=account,
        access_key_id=None,
        trusted=True,
    )


def _random_id() -> str:
    return _text(os.urandom(18))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


# ── Of a request ─────────────────────────────────────────────────────────────────────────────────────────


def parts_of(request: HTTPConnection) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def sessions_of(request: HTTPConnection) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


def session_of(request: HTTPConnection) -> Session | None:
    """The session of a request; None for a browser that has not got one."""
    state = request.scope.setdefault("state", {})
    if "session" not in state:
        cookie = request.cookies.get(session_cookie(parts_of(request)))
        state["session"] = sessions_of(request).read(cookie)
    session: Session | None = state["session"]
    return session


def visitor_of(request: HTTPConnection) -> Visitor:
    state = request.scope.setdefault("state", {})
    if "visitor" not in state:
        state["visitor"] = sessions_of(request).visitor(session_of(request))
    visitor: Visitor = state["visitor"]
    return visitor


def is_still_welcome(request: HTTPConnection) -> bool:
    """Whether what let the visitor in still holds, for answers that go on for long."""
    session = session_of(request)
    if session is None or not session.key_id:
        return parts_of(request).credentials() is None
    return sessions_of(request).holds(session)


def remember(request: Request, response: Response, session: Session) -> None:
    """Give the browser a session, now and for the rest of this request."""
    state = request.scope.setdefault("state", {})
    state["session"] = session
    state["visitor"] = sessions_of(request).visitor(session)
    set_cookie(
        request, response, session_cookie(parts_of(request)), sessions_of(request).write(session), SESSION_SECONDS
    )


def set_cookie(request: HTTPConnection, response: Response, name: str, value: str, seconds: int) -> None:
    """A cookie that scripts cannot read and that other sites' pages cannot have sent; 0 seconds: no more."""
    response.set_cookie(name, value, max_age=seconds, secure=came_securely(request), httponly=True, samesite="strict")


def session_cookie(parts: Parts) -> str:
    return f"stanchion-session-{parts.port}"


def came_from(request: HTTPConnection) -> str:
    """The visitor's own address, as far as trusted proxies tell."""
    return _client(request)[0]


def came_securely(request: HTTPConnection) -> bool:
    return _client(request)[1]


def _client(request: HTTPConnection) -> tuple[str, bool]:
    peer_ip = request.client.host if request.client else ""
    headers = request.headers
    return parts_of(request).proxies.client(
        peer_ip,
        ",".join(headers.getlist("x-forwarded-for")),
        headers.get("x-forwarded-proto", ""),
        request.scope["scheme"] == "https",
    )
