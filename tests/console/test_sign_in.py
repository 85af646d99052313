"""Sign-in by access key, and how long it holds."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stanchion.clock import ManualClock
from support.console_visit import Answer, ConsoleUnderTest, Visit

KEY_ID = "AKIACONSOLE"
SECRET = "the/secret+of=the-console"
KEYS = f"""\
[alice]
aws_access_key_id = {KEY_ID}
aws_secret_access_key = {SECRET}
aws_account_id = 123456789012
stanchion_user = alice

[off]
aws_access_key_id = AKIAOFF
aws_secret_access_key = {SECRET}
stanchion_enabled = false

[temporary]
aws_access_key_id = ASIATEMPORARY
aws_secret_access_key = {SECRET}
aws_session_token = a-token
stanchion_expires = 2023-11-14T23:00:00Z
"""


class Signed(ConsoleUnderTest):
    """With auth on, and a clock that the test turns. It stands at 2023-11-14T22:13:20Z."""

    def __init__(self, folder: Path, **flags: object) -> None:
        self.file = folder / "credentials"
        self.file.write_text(KEYS)
        self.clock = ManualClock()
        super().__init__(folder, self.clock, credentials=str(self.file), **flags)

    def wait(self, seconds: float) -> None:
        self.server.call(lambda: self.clock.advance(round(seconds * 1000)))

    def change_keys(self, old: str, new: str) -> None:
        """Write the file anew and have the server read it."""
        assert old in KEYS
        self.file.write_text(KEYS.replace(old, new))
        self.server.run(self.server.application._reload())


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Signed]:
    server = Signed(tmp_path)
    yield server
    server.stop()


def sign_in(visit: Visit, key_id: str = KEY_ID, secret: str = SECRET, **more: str) -> Answer:
    return visit.post("/sign-in", access_key_id=key_id, secret=secret, **more)


def is_signed_in(visit: Visit) -> bool:
    return visit.get("/no-such-page").status == 404


def banner(answer: Answer) -> str:
    return " ".join(re.findall(r'<span class="banner-text">([^<]*)</span>', answer.text))


def test_a_page_is_shown_after_the_sign_in_and_not_before(console) -> None:
    asked = console.get("/no-such-page?tab=tags&x=a%20b")
    assert (asked.status, asked.location) == (303, "/sign-in?next=%2Fno-such-page%3Ftab%3Dtags%26x%3Da%2520b")
    wanted = re.search(r'name="next" value="([^"]*)"', console.get(asked.location).text)
    assert wanted is not None
    answer = sign_in(console, next=wanted[1].replace("&amp;", "&"))
    assert (answer.status, answer.location) == (303, "/no-such-page?tab=tags&x=a%20b")
    page = console.get(answer.location)
    assert page.status == 404
    assert KEY_ID in page.text and "123456789012" in page.text


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)",
     "queues", "/sign-out", ""],
)  # fmt: skip
def test_the_sign_in_leads_to_pages_of_the_console_only(console, elsewhere) -> None:
    assert sign_in(console, next=elsewhere).location == "/queues"


@pytest.mark.parametrize(
    ("key_id", "secret"),
    [(KEY_ID, "wrong"), (KEY_ID, ""), (KEY_ID, SECRET[:-1]), ("AKIANOBODY", SECRET), ("", ""), ("AKIAOFF", SECRET)],
)
def test_wrong_keys_are_all_refused_in_the_same_words(console, key_id, secret) -> None:
    answer = sign_in(console, key_id, secret)
    assert answer.status == 403
    assert banner(answer) == "The access key ID or the secret access key is wrong, or the key is not in use."
    assert not is_signed_in(console)


def test_the_form_keeps_the_key_id_and_never_the_secret(console) -> None:
    answer = sign_in(console, '"><script>', "a-wrong-secret")
    assert 'value="&#34;&gt;&lt;script&gt;"' in answer.text
    assert "a-wrong-secret" not in answer.text


def test_a_temporary_key_needs_its_token_and_ends_with_its_time(console) -> None:
    assert sign_in(console, "ASIATEMPORARY").status == 403
    assert sign_in(console, "ASIATEMPORARY", session_token="a-token").status == 303
    assert is_signed_in(console)
    console.wait(47 * 60)  # to 23:00:20
    assert not is_signed_in(console)


def test_a_key_without_a_token_is_refused_with_one(console) -> None:
    assert sign_in(console, session_token="a-token").status == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_holds_no_secret(console) -> None:
    cookie = sign_in(console).headers["Set-Cookie"]
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= set(cookie.lower().split("; "))
    assert "secure" not in cookie.lower()
    assert SECRET not in cookie
    assert KEYS.count(SECRET) == 3


def test_behind_a_trusted_https_proxy_the_cookie_is_for_https_only(tmp_path) -> None:
    server = Signed(tmp_path, trusted_proxies="127.0.0.1")
    try:
        server.headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        assert "; Secure" in sign_in(server).headers["Set-Cookie"]
    finally:
        server.stop()


def test_who_is_no_trusted_proxy_is_not_believed(console) -> None:
    console.headers = {"X-Forwarded-Proto": "https"}
    assert "Secure" not in sign_in(console).headers["Set-Cookie"]


def test_a_session_ends_after_twelve_hours(console) -> None:
    sign_in(console)
    console.wait(12 * 3600 - 1)
    assert is_signed_in(console)
    console.wait(1)
    assert not is_signed_in(console)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"aws_secret_access_key = {SECRET}", "aws_secret_access_key = another"),
        ("stanchion_user = alice", "stanchion_user = bob"),
        ("stanchion_user = alice", "stanchion_enabled = false"),
        ("stanchion_user = alice", "stanchion_expires = 2023-11-14T22:13:20Z"),
        (KEY_ID, "AKIAOTHER"),
        ("123456789012", "210987654321"),
    ],
)
def test_a_key_that_is_changed_ends_its_sessions_at_once(console, old, new) -> None:
    sign_in(console)
    assert is_signed_in(console)
    console.change_keys(old, new)
    assert not is_signed_in(console)


def test_a_file_that_is_read_again_without_a_change_ends_nothing(console) -> None:
    sign_in(console)
    console.change_keys("[off]", "[out-of-use]")
    assert is_signed_in(console)


def test_a_session_survives_a_restart(tmp_path) -> None:
    store = f"sqlite:{tmp_path / 'store.db'}"
    first = Signed(tmp_path, store=store)
    port = first.url.rpartition(":")[2]
    sign_in(first)
    first.stop()
    second = Signed(tmp_path, store=store, console_port=port)
    try:
        assert is_signed_in(first)
        first.cookies = {name: value[:-2] + "xx" for name, value in first.cookies.items()}
        assert not is_signed_in(first)
    finally:
        second.stop()


def test_a_cookie_of_another_server_is_worth_nothing(tmp_path, console) -> None:
    (tmp_path / "other").mkdir()
    other = Signed(tmp_path / "other")
    try:
        sign_in(other)
        stolen = next(iter(other.cookies.values()))
    finally:
        other.stop()
    console.cookies = {f"stanchion-session-{console.url.rpartition(':')[2]}": stolen}
    assert not is_signed_in(console)


def test_the_session_is_a_new_one_after_the_sign_in(console) -> None:
    console.get("/sign-in")
    before, token = dict(console.cookies), console.csrf()
    sign_in(console)
    assert console.cookies != before
    assert console.csrf() != token


def test_who_has_signed_out_is_out_with_every_copy_of_the_cookie(console) -> None:
    sign_in(console)
    copy = dict(console.cookies)
    answer = console.post("/sign-out")
    assert (answer.status, answer.location) == (303, "/sign-in")
    assert banner(console.get("/sign-in")) == "You have signed out."
    assert banner(console.get("/sign-in")) == ""
    assert not is_signed_in(console)
    console.cookies = copy
    assert not is_signed_in(console)


def test_nobody_is_signed_out_by_a_link(console) -> None:
    sign_in(console)
    assert console.get("/sign-out").status == 405
    assert is_signed_in(console)


def test_five_wrong_attempts_in_a_minute_are_the_most_for_a_key(console) -> None:
    for _ in range(5):
        assert sign_in(console, secret="wrong").status == 403
        console.wait(2)
    answer = sign_in(console)
    assert answer.status == 429
    assert banner(answer) == "Too many wrong attempts. Try again in 50 seconds."
    assert answer.headers["Retry-After"] == "50"
    assert not is_signed_in(console)
    console.wait(50)
    assert sign_in(console).status == 303


def test_wrong_attempts_count_for_the_address_too_and_not_for_others(tmp_path) -> None:
    server = Signed(tmp_path, trusted_proxies="127.0.0.1")
    try:
        guesser = server.another(**{"X-Forwarded-For": "2001:db8::1"})
        for number in range(5):
            assert sign_in(guesser, f"AKIA{number}", "wrong").status == 403
        assert sign_in(guesser).status == 429
        neighbour = server.another(**{"X-Forwarded-For": "2001:db8::ffff"})
        assert sign_in(neighbour).status == 429
        assert sign_in(server.another(**{"X-Forwarded-For": "2001:db8:0:1::1"})).status == 303
    finally:
        server.stop()


def test_a_sign_in_with_the_token_of_another_browser_is_not_done(console) -> None:
    token = console.another().csrf()
    console.get("/sign-in")
    form = {"csrf": token, "access_key_id": KEY_ID, "secret": SECRET}
    answer = console.ask_with_form("/sign-in", form)
    assert (answer.status, answer.location) == (303, "/sign-in")
    assert banner(console.get("/sign-in")) == "The form was out of date. Please sign in again."
    assert not is_signed_in(console)


def test_a_script_is_told_that_the_session_has_ended(console) -> None:
    answer = console.get("/queues", Accept="application/json")
    assert answer.status == 401
    assert answer.text == '{"code":"SignInRequired","message":"Your session has ended. Sign in again."}'
    assert console.get("/live/queues", Accept="text/event-stream").status == 401


def test_a_form_sent_after_the_end_of_the_session_changes_nothing_and_leads_to_the_sign_in(console) -> None:
    answer = console.ask_with_form("/queues/x/delete", {"csrf": "old"})
    assert (answer.status, answer.location) == (303, "/sign-in")
    assert "nothing was changed" in banner(console.get("/sign-in"))


def test_with_auth_on_any_name_of_the_server_will_do(console) -> None:
    assert console.get("/health", Host="queues.example.com").status == 200


def test_a_visitor_may_choose_among_the_regions(tmp_path) -> None:
    server = Signed(tmp_path, regions="us-east-1,eu-west-1")
    try:
        sign_in(server)
        assert "<option selected>us-east-1</option>" in server.get("/no-such-page").text
        server.post("/region", region="eu-west-1")
        assert "<option selected>eu-west-1</option>" in server.get("/no-such-page").text
        server.post("/region", region="mars-north-1")
        assert "<option selected>eu-west-1</option>" in server.get("/no-such-page").text
    finally:
        server.stop()
