"""The credentials file: what it gives, and what each mistake is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanchion.auth.credentials import AccessKey, Credentials, CredentialsError

ACCOUNT = "123456789012"
ALICE = f"""\
[alice]
aws_access_key_id = AKIDALICE
aws_secret_access_key = abc/def+ghi=
aws_account_id = {ACCOUNT}
"""


def read(text: str, default_account: str | None = None) -> AccessKey:
    [key] = Credentials.parse(text, default_account).values()
    return key


def mistake(text: str, default_account: str | None = None) -> str:
    with pytest.raises(CredentialsError) as caught:
        Credentials.parse(text, default_account)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_section_is_an_access_key_of_the_account_s_root() -> None:
    assert read(ALICE) == AccessKey(
        access_key_id="AKIDALICE",
        secret="abc/def+ghi=",
        account=ACCOUNT,
        arn=f"arn:aws:iam::{ACCOUNT}:root",
        sender_id=ACCOUNT,
    )


def test_several_sections_are_several_keys_by_id() -> None:
    keys = Credentials.parse(ALICE + ALICE.replace("alice", "bob").replace("ALICE", "BOB"))
    assert list(keys) == ["AKIDALICE", "AKIDBOB"]
    assert keys["AKIDBOB"].access_key_id == "AKIDBOB"
    assert keys.get("AKIDNOBODY") is None


def test_an_account_can_come_from_the_default() -> None:
    assert read(ALICE.replace("aws_account_id", "# aws_account_id"), "000000000001").account == "000000000001"


def test_a_file_of_the_aws_tools_with_comments_and_other_keys_is_read() -> None:
    text = "\ufeff; a comment\n# another\n" + ALICE + "region = eu-west-1\noutput=json\ns3 =\n  max_queue = 10\n"
    assert read(text).access_key_id == "AKIDALICE"


def test_the_default_section_is_a_section_like_others() -> None:
    assert read(ALICE.replace("[alice]", "[default]")).access_key_id == "AKIDALICE"
    assert read(ALICE.replace("[alice]", "[DEFAULT]")).access_key_id == "AKIDALICE"


def test_a_percent_sign_in_a_secret_is_one() -> None:
    assert read(ALICE.replace("abc/", "%(abc)s")).secret == "%(abc)sdef+ghi="


def test_a_temporary_key_has_its_token_and_end() -> None:
    key = read(ALICE + "aws_session_token = tok/en==\nstanchion_expires = 2026-11-21T01:21:00Z\n")
    assert (key.session_token, key.expires_at_ms) == ("tok/en==", 1_795_224_060_000)


@pytest.mark.parametrize("user", ["alice", "division/team/alice", "a.b@c+d=e,f-g_h"])
def test_a_user_name_makes_the_arn(user: str) -> None:
    assert read(f"{ALICE}stanchion_user = {user}\n").arn == f"arn:aws:iam::{ACCOUNT}:user/{user}"


def test_an_arn_can_be_given_whole() -> None:
    arn = f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/worker/session"
    assert read(f"{ALICE}stanchion_arn = {arn}\n").arn == arn


def test_a_sender_id_can_be_given() -> None:
    assert read(ALICE + "stanchion_sender_id = AIDAALICE\n").sender_id == "AIDAALICE"


def test_a_key_can_be_disabled() -> None:
    assert read(ALICE + "stanchion_enabled = False\n").enabled is False


def test_tags_are_a_list_of_pairs() -> None:
    assert read(ALICE + "stanchion_tags = team=blue, stage = a=b,\n").tags == {"team": "blue", "stage": "a=b"}


def test_no_secret_shows_in_the_text_of_a_key() -> None:
    assert repr(read(ALICE)) == "AccessKey('AKIDALICE')"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "no access key: add a section with aws_access_key_id, aws_secret_access_key and aws_account_id"),
        (
            "[a]\nregion = x",
            "[a]: aws_account_id is missing; add the 12 digits of the account",
        ),
        (
            ALICE.replace("aws_access_key_id", "x"),
            "[alice]: aws_access_key_id is missing; add it or remove the section",
        ),
        (ALICE.replace("aws_secret_access_key", "x"), "[alice]: aws_secret_access_key is missing; add it"),
        (
            ALICE.replace(ACCOUNT, "12"),
            "[alice]: aws_account_id '12' is no account; write 12 digits",
        ),
        (
            ALICE.replace(ACCOUNT, "١٢٣٤٥٦٧٨٩٠١٢"),
            "[alice]: aws_account_id '١٢٣٤٥٦٧٨٩٠١٢' is no account; write 12 digits",
        ),
        (
            ALICE + ALICE.replace("alice", "bob"),
            "[bob]: the access key id is already in [alice]; remove one of the two",
        ),
        (ALICE + ALICE, "[alice]: the section is there twice (line 5); rename one"),
        (ALICE + "aws_account_id = 1\n", "[alice]: aws_account_id is there twice (line 5); remove one"),
        ("x = 1\n" + ALICE, "line 1: a [section] must come first; add one above"),
        (ALICE + "secret\n", "line 5: not a 'name = value'; correct or remove it"),
        (
            ALICE.replace("AKIDALICE", "AK/ID"),
            "[alice]: aws_access_key_id must be 1 to 128 ASCII characters without blank, '/', ',' and '='",
        ),
        (
            ALICE.replace("def+", "de f+"),
            "[alice]: aws_secret_access_key holds blanks or control characters; write it on one line",
        ),
        (
            ALICE + "aws_session_token = é\n",
            "[alice]: aws_session_token holds more than printable ASCII; write it on one line",
        ),
        (
            ALICE + "stanchion_usr = alice\n",
            "[alice]: stanchion_usr is unknown; use one of stanchion_arn, stanchion_enabled, stanchion_expires, "
            "stanchion_sender_id, stanchion_tags, stanchion_user",
        ),
        (
            ALICE + "stanchion_user = a b\n",
            "[alice]: stanchion_user 'a b' is no user name; use letters, digits and .@_+=,-",
        ),
        (
            ALICE + "stanchion_user = a\nstanchion_arn = b\n",
            "[alice]: stanchion_user and stanchion_arn exclude each other; remove one",
        ),
        (
            ALICE + "stanchion_arn = arn:aws:iam::999999999999:user/a\n",
            "[alice]: stanchion_arn 'arn:aws:iam::999999999999:user/a' is no identity of the account; "
            f"write arn:aws:iam::{ACCOUNT}:…",
        ),
        (
            ALICE + "stanchion_expires = tomorrow\n",
            "[alice]: stanchion_expires 'tomorrow' is no time; write it like 2026-12-31T00:00:00Z",
        ),
        (
            ALICE + "stanchion_enabled = perhaps\n",
            "[alice]: stanchion_enabled 'perhaps' is neither true nor false; write one of them",
        ),
        (ALICE + "stanchion_tags = blue\n", "[alice]: stanchion_tags has 'blue'; write name=value, name=value"),
    ],
)
def test_each_mistake_is_told_with_its_cure(text: str, message: str) -> None:
    assert mistake(text) == message


def test_no_mistake_shows_a_secret() -> None:
    for text in (ALICE + "hunter2\n", ALICE.replace("abc/def+ghi=", "hunter2 hunter2")):
        assert "hunter2" not in mistake(text)


@given(st.text() | st.text(st.sampled_from("[]=#;:a \n\t")))
def test_no_text_raises_anything_but_a_credentials_error(text: str) -> None:
    for file in (text, ALICE + text):
        try:
            assert len(Credentials.parse(file)) >= 1
        except CredentialsError as error:
            assert str(error)
