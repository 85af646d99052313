"""Access keys and where they come from: text in the AWS shared-credentials format.

    [alice]
    aws_access_key_id = AKIAEXAMPLE
    aws_secret_access_key = …
    aws_account_id = 123456789012
    aws_session_token = …                     # only for temporary keys
    stanchion_user = alice                    # arn:aws:iam::123456789012:user/alice
    stanchion_arn = arn:aws:iam::…            # or the whole ARN
    stanchion_sender_id = AIDAEXAMPLE         # SenderId of messages; the account id by default
    stanchion_expires = 2026-12-31T00:00:00Z  # from then on: ExpiredToken
    stanchion_enabled = false                 # as if the key did not exist
    stanchion_tags = team=blue, stage=test    # aws:PrincipalTag/team in policies

Other keys (region, output …) belong to other tools and are left alone.
"""

import configparser
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from stanchion.ids import ACCOUNT
from stanchion.timestamps import read_extended

# Blanks, slashes, commas and equals signs would break up the Authorization header.
_KEY_ID: Final = re.compile(r"[!-~]{1,128}")
_KEY_ID_BREAKERS: Final = frozenset("/,=")
_USER: Final = re.compile(r"(?:[\w.@+=,-]+/)*[\w.@+=,-]{1,64}", re.ASCII)
_ARN: Final = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):[!-~]+")
_OWN_PREFIX: Final = "stanchion_"
_OWN_KEYS: Final = frozenset(
    _OWN_PREFIX + name for name in ("user", "arn", "sender_id", "expires", "enabled", "tags")
)


class CredentialsError(ValueError):
    """A mistake in the credentials: one line with the section and the cure, never with a secret."""


class AccessKey(msgspec.Struct, frozen=True, kw_only=True):
    """One access key. ``account`` has 12 digits; ``session_token`` is what a temporary key must come with."""

    access_key_id: str
    secret: str
    account: str
    arn: str
    sender_id: str
    session_token: str | None = None
    expires_at_ms: int | None = None
    enabled: bool = True
    tags: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"AccessKey({self.access_key_id!r})"  # secrets stay out of tracebacks and logs


class Credentials(Mapping[str, AccessKey]):
    """Access keys by id; read-only."""

    def __init__(self, keys: Iterable[AccessKey]) -> None:
        self._keys = {key.access_key_id: key for key in keys}

    @classmethod
    def parse(cls, text: str, default_account: str | None = None) -> "Credentials":
        """Read a credentials file. Sections without aws_account_id get ``default_account``.

        Raises CredentialsError for the first mistake, also when there is no key at all.
        """
        ini = _read_ini(text)
        sections: dict[str, str] = {}
        keys = []
        for section in ini.sections():
            key = _read_key(section, ini[section], default_account)
            if key.access_key_id in sections:
                other = sections[key.access_key_id]
                raise _mistake(section, f"the access key id is already in [{other}]; remove one of the two")
            sections[key.access_key_id] = section
            keys.append(key)
        if not keys:
            raise CredentialsError(
                "no access key: add a section with aws_access_key_id, aws_secret_access_key and aws_account_id"
            )
        return cls(keys)

    def __getitem__(self, access_key_id: str) -> AccessKey:
        return self._keys[access_key_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def _mistake(section: str, what: str) -> CredentialsError:
    return CredentialsError(f"[{section}]: {what}")


def _read_ini(text: str) -> configparser.RawConfigParser:
    # No section may lend its values to all others: "" can be no section's name.
    ini = configparser.RawConfigParser(default_section="")
    try:
        ini.read_string(text.removeprefix("\ufeff"))
    except configparser.DuplicateSectionError as error:
        raise _mistake(error.section, f"the section is there twice (line {error.lineno}); rename one") from None
    except configparser.DuplicateOptionError as error:
        raise _mistake(error.section, f"{error.option} is there twice (line {error.lineno}); remove one") from None
    except configparser.MissingSectionHeaderError as error:
        raise CredentialsError(f"line {error.lineno}: a [section] must come first; add one above") from None
    except configparser.ParsingError as error:
        raise CredentialsError(f"line {error.errors[0][0]}: not a 'name = value'; correct or remove it") from None
    return ini


def _read_key(section: str, given: Mapping[str, str], default_account: str | None) -> AccessKey:
    for name in given:
        if name.startswith(_OWN_PREFIX) and name not in _OWN_KEYS:
            raise _mistake(section, f"{name} is unknown; use one of {', '.join(sorted(_OWN_KEYS))}")
    account = _read_account(section, given, default_account)
    return AccessKey(
        access_key_id=_read_key_id(section, given),
        secret=_read_secret(section, given),
        account=account,
        arn=_read_arn(section, given, account),
        sender_id=given.get("stanchion_sender_id") or account,
        session_token=_read_token(section, given),
        expires_at_ms=_read_expiry(section, given),
        enabled=_read_enabled(section, given),
        tags=_read_tags(section, given),
    )


def _read_key_id(section: str, given: Mapping[str, str]) -> str:
    key_id = given.get("aws_access_key_id")
    if not key_id:
        raise _mistake(section, "aws_access_key_id is missing; add it or remove the section")
    if not _KEY_ID.fullmatch(key_id) or _KEY_ID_BREAKERS & set(key_id):
        raise _mistake(section, "aws_access_key_id must be 1 to 128 ASCII characters without blank, '/', ',' and '='")
    return key_id


def _read_secret(section: str, given: Mapping[str, str]) -> str:
    secret = given.get("aws_secret_access_key")
    if not secret:
        raise _mistake(section, "aws_secret_access_key is missing; add it")
    if not secret.isprintable() or " " in secret:
        raise _mistake(section, "aws_secret_access_key holds blanks or control characters; write it on one line")
    return secret


def _read_token(section: str, given: Mapping[str, str]) -> str | None:
    token = given.get("aws_session_token") or None
    if token and (not token.isascii() or not token.isprintable()):
        raise _mistake(section, "aws_session_token holds more than printable ASCII; write it on one line")
    return token


def _read_account(section: str, given: Mapping[str, str], default_account: str | None) -> str:
    account = given.get("aws_account_id") or default_account
    if not account:
        raise _mistake(section, "aws_account_id is missing; add the 12 digits of the account")
    if not ACCOUNT.match(account):
        raise _mistake(section, f"aws_account_id {account!r} is no account; write 12 digits")
    return account


def _read_arn(section: str, given: Mapping[str, str], account: str) -> str:
    user, arn = given.get("stanchion_user"), given.get("stanchion_arn")
    if user and arn:
        raise _mistake(section, "stanchion_user and stanchion_arn exclude each other; remove one")
    if user:
        if not _USER.fullmatch(user):
            raise _mistake(section, f"stanchion_user {user!r} is no user name; use letters, digits and .@_+=,-")
        return f"arn:aws:iam::{account}:user/{user}"
    if not arn:
        return f"arn:aws:iam::{account}:root"
    match = _ARN.fullmatch(arn)
    if match is None or match[1] != account:
        raise _mistake(
            section, f"stanchion_arn {arn!r} is no identity of the account; write arn:aws:iam::{account}:…"
        )
    return arn


def _read_expiry(section: str, given: Mapping[str, str]) -> int | None:
    text = given.get("stanchion_expires")
    if not text:
        return None
    moment_ms = read_extended(text)
    if moment_ms is None:
        raise _mistake(section, f"stanchion_expires {text!r} is no time; write it like 2026-12-31T00:00:00Z")
    return moment_ms


def _read_enabled(section: str, given: Mapping[str, str]) -> bool:
    text = given.get("stanchion_enabled", "true").lower()
    if text not in ("true", "false"):
        raise _mistake(section, f"stanchion_enabled {text!r} is neither true nor false; write one of them")
    return text == "true"


def _read_tags(section: str, given: Mapping[str, str]) -> dict[str, str]:
    tags = {}
    for item in filter(None, (item.strip() for item in given.get("stanchion_tags", "").split(","))):
        name, equals, value = item.partition("=")
        if not name or not equals:
            raise _mistake(section, f"stanchion_tags has {item!r}; write name=value, name=value")
        tags[name.strip()] = value.strip()
    return tags
