"""Which address and scheme a request is taken to come from."""

import ipaddress

import pytest

from stanchion.wire.proxies import TrustedProxies

OURS = TrustedProxies([ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")])


def test_by_default_nobody_is_believed() -> None:
    assert not TrustedProxies()
    assert TrustedProxies().client("10.0.0.1", "203.0.113.9", "https", False) == ("10.0.0.1", False)


def test_who_is_no_proxy_of_ours_is_not_believed() -> None:
    assert OURS
    assert OURS.client("203.0.113.1", "198.51.100.7", "https", False) == ("203.0.113.1", False)
    assert OURS.client("not-an-address", "198.51.100.7", "https", False) == ("not-an-address", False)


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),  # the first the client may have written itself
        ("203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("203.0.113.9 ,fd00::5, 10.1.1.1", "203.0.113.9"),
        ("10.1.1.1, 10.2.2.2", "10.0.0.1"),  # proxies all the way
        (" , ,", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_proxy(forwarded_for: str, client: str) -> None:
    assert OURS.client("10.0.0.1", forwarded_for, "", False) == (client, False)


@pytest.mark.parametrize(
    ("proto", "arrived", "secure"),
    [("https", False, True), (" HTTPS ", False, True), ("http", False, False), ("", False, False), ("", True, True)],
)
def test_a_proxy_says_whether_the_client_came_by_https(proto: str, arrived: bool, secure: bool) -> None:
    assert OURS.client("fd00::1", "203.0.113.9", proto, arrived) == ("203.0.113.9", secure)
