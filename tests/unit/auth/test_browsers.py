"""While authentication is off, a browser must not lend its place on this machine to pages of the web."""

import pytest

from stanchion.auth.browsers import KnownPages
from stanchion.errors import AccessDenied
from stanchion.wire.http import HttpRequest

HERE = "127.0.0.1:9324"
PAGES = KnownPages(["https://app.example"], "https://queues.example:8443/sqs")


def request(**headers: str) -> HttpRequest:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest(method="POST", path="/", query="", headers={"host": HERE} | names, body=b"")


def refused(pages: KnownPages, **headers: str) -> bool:
    try:
        pages.admit(request(**headers))
    except AccessDenied:
        return True
    return False


def test_programs_are_admitted() -> None:
    assert not refused(PAGES)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:3000", "", "https://app.example,x"]
)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert refused(PAGES, origin=origin)
    assert refused(PAGES, origin=origin, sec_fetch_site="same-site")


def test_a_listed_origin_is_admitted_wherever_it_is() -> None:
    assert not refused(PAGES, origin="https://app.example")
    assert not refused(PAGES, origin="https://app.example", sec_fetch_site="cross-site")


def test_the_origin_of_the_public_url_is_admitted() -> None:
    assert not refused(PAGES, origin="https://queues.example:8443")
    assert refused(PAGES, origin="https://queues.example")


def test_any_origin_is_admitted_when_all_are_listed() -> None:
    anybody = KnownPages(["*"], None)
    assert not refused(anybody, origin="https://evil.example")
    assert not refused(anybody, sec_fetch_site="cross-site")


@pytest.mark.parametrize("host", [HERE, "localhost:9324", "[::1]:9324", "192.168.0.7", "localhost"])
def test_a_page_of_the_server_itself_is_admitted(host: str) -> None:
    assert not refused(PAGES, host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "host", ["rebound.example", "rebound.example:9324", "", "[", "[::1", "a:b:c", "localhost.evil"]
)
def test_a_name_that_was_pointed_here_is_not_the_server_itself(host: str) -> None:
    assert refused(PAGES, host=host, origin=f"http://{host}")


def test_an_image_on_a_page_of_another_site_is_refused() -> None:
    assert refused(PAGES, sec_fetch_site="cross-site")


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site"])
def test_what_the_user_typed_or_a_page_of_this_machine_fetches_is_admitted(site: str) -> None:
    assert not refused(PAGES, sec_fetch_site=site)
