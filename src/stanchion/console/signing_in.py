"""Sign-in with an access key, sign-out, and the choice of a region."""

import hmac
import ipaddress
import re
from hashlib import sha256
from typing import Final

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stanchion.auth.credentials import AccessKey
from stanchion.console.attempts import Attempts
from stanchion.console.desk import form_of
from stanchion.console.rendering import Banner, redirect, render
from stanchion.console.visitors import (
    came_from,
    is_usable,
    parts_of,
    remember,
    session_of,
    sessions_of,
    visitor_of,
)

HOME: Final = "/queues"
# A path of ours. Browsers take // and /\ for the beginning of another host, and overlook tabs and line ends.
_OWN_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_WRONG: Final = Banner("error", "The access key ID or the secret access key is wrong, or the key is not in use.")


def own_page(wanted: str) -> str:
    """Where to go after the sign-in: the page that was asked for, if it is one of ours."""
    is_ours = _OWN_PATH.fullmatch(wanted) and not wanted.startswith("/sign-")
    return wanted if is_ours else HOME


async def show_sign_in(request: Request) -> Response:
    wanted = own_page(request.query_params.get("next", ""))
    if parts_of(request).credentials() is None or visitor_of(request).signed_in:
        return redirect(wanted)
    return _form(request, wanted)


async def sign_in(request: Request) -> Response:
    form = await form_of(request)
    wanted = own_page(_text(form, "next"))
    if parts_of(request).credentials() is None:
        return redirect(wanted)
    key_id = _text(form, "access_key_id").strip()
    attempts: Attempts = request.app.state.attempts
    now_ms = parts_of(request).clock.now_ms()
    names = (f"key {key_id[:128]}", f"address {_network(came_from(request))}")
    wait_ms = max(attempts.wait_ms(name, now_ms) for name in names)
    if wait_ms:
        return _too_often(request, wanted, key_id, wait_ms)
    key = _proven(request, key_id, _text(form, "secret").strip(), _text(form, "session_token").strip(), now_ms)
    if key is None:
        for name in names:
            attempts.wrong(name, now_ms)
        return _form(request, wanted, 403, key_id, _WRONG)
    response = redirect(wanted)
    remember(request, response, sessions_of(request).begin(key))
    return response


async def sign_out(request: Request) -> Response:
    session = session_of(request)
    if session is None or not session.key_id:
        return redirect(HOME)
    sessions_of(request).end(session)
    response = redirect("/sign-in", Banner("success", "You have signed out."))
    remember(request, response, sessions_of(request).fresh())
    return response


async def choose_region(request: Request) -> Response:
    session = session_of(request)
    region = _text(await form_of(request), "region")
    response = redirect(HOME)
    if session is not None and region in parts_of(request).regions:
        remember(request, response, msgspec.structs.replace(session, region=region))
    return response


def _form(
    request: Request, wanted: str, status: int = 200, key_id: str = "", banner: Banner | None = None
) -> Response:
    said = {} if banner is None else {"banner": banner}
    session = session_of(request)
    fresh = sessions_of(request).fresh() if session is None else None
    if fresh is None:
        return render(request, "sign_in.html", status, next=wanted, access_key_id=key_id, **said)
    carrier = Response()
    remember(request, carrier, fresh)  # before the page is made: its form holds the token of this session
    response = render(request, "sign_in.html", status, next=wanted, access_key_id=key_id, **said)
    response.raw_headers.extend(each for each in carrier.raw_headers if each[0] == b"set-cookie")
    return response


def _too_often(request: Request, wanted: str, key_id: str, wait_ms: int) -> Response:
    seconds = -(-wait_ms // 1000)
    unit = "second" if seconds == 1 else "seconds"
    banner = Banner("error", f"Too many wrong attempts. Try again in {seconds} {unit}.")
    response = _form(request, wanted, 429, key_id, banner)
    response.headers["Retry-After"] = str(seconds)
    return response


def _proven(request: Request, key_id: str, secret: str, token: str, now_ms: int) -> AccessKey | None:
    """The key whose secret was given. Takes as long for a key that there is not."""
    credentials = parts_of(request).credentials()
    key = credentials.get(key_id) if credentials is not None else None
    same_secret = _same(secret, key.secret if key else "")
    same_token = _same(token, (key.session_token if key else None) or "")
    return key if key and same_secret and same_token and is_usable(key, now_ms) else None


def _same(given: str, expected: str) -> bool:
    # Digests have one length: how long it takes says nothing about the length of the secret either.
    digests = (sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (given, expected))
    return hmac.compare_digest(*digests)


def _network(address: str) -> str:
    """What counts as one address: with IPv6 everybody has 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


ROUTES: Final = [
    Route("/sign-in", show_sign_in),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
    Route("/region", choose_region, methods=["POST"]),
]
