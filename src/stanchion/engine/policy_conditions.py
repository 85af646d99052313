"""The conditions of access policies: operators, the facts they look at, and wildcards.

Keys are case-insensitive, operators are not. A missing fact fails a plain operator and satisfies a negated one
(``…Not…``) or one that ends in ``IfExists``. Several values of one key are alternatives; for a negated operator
none of them may hold.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any, Final, NamedTuple

from stanchion.model import Caller, RequestContext
from stanchion.timestamps import read_extended, write_extended

# ── Wildcards ────────────────────────────────────────────────────────────────────────────────────────────


def wildcard(pattern: str) -> re.Pattern[str]:
    """A regular expression for ``*`` (any text) and ``?`` (any character), for ``fullmatch``.

    Each piece between two stars is taken where it first occurs and never tried elsewhere (atomic groups): that
    loses no match and keeps the time linear in the text, whatever the pattern.
    """
    first, *others = [_piece(piece) for piece in pattern.split("*")]
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    jumps = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    return re.compile(f"{first}{jumps}.*{last}", re.DOTALL)


def _piece(text: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in text)


# ── Readers: what an operand or a fact is, ValueError when it is not ─────────────────────────────────────

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _date(text: str) -> int:
    """Milliseconds since the epoch; the text may also be whole seconds since then."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text) * 1000
    moment_ms = read_extended(text)
    if moment_ms is None:
        raise ValueError(text)
    return moment_ms


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text, strict=False)


def _address(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address  # a dual-stack socket shows IPv4 clients as ::ffff:a.b.c.d


_ARN_COLONS: Final = 5  # the sixth part, the resource, may hold more


def _arn_pattern(text: str) -> tuple[re.Pattern[str], ...]:
    return tuple(wildcard(part) for part in text.split(":", _ARN_COLONS))


def _within(address: IPv4Address | IPv6Address, network: IPv4Network | IPv6Network) -> bool:
    return address in network


def _is_like(text: str, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(text) is not None


def _is_arn_like(arn: str, parts: tuple[re.Pattern[str], ...]) -> bool:
    """Part by part: a wildcard does not reach over a colon into the next part."""
    given = arn.split(":", len(parts) - 1)
    return len(given) == len(parts) and all(map(_is_like, given, parts))


# ── Facts ────────────────────────────────────────────────────────────────────────────────────────────────

_USER_ARN: Final = re.compile(r"arn:[^:]*:iam::[0-9]*:user/(?:.*/)?([^/]+)")
_SESSION_ARN: Final = re.compile(r"arn:([^:]*):sts::([0-9]*):assumed-role/([^/]+)/.+")


class Asking(NamedTuple):
    """What the facts are about: one caller's request at one moment."""

    caller: Caller
    context: RequestContext
    now_ms: int


def principal_arn(arn: str) -> str:
    """The identity that policies name: for the session of a role, the role."""
    match = _SESSION_ARN.fullmatch(arn)
    return f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}" if match else arn


def _user_name(asking: Asking) -> str:
    match = _USER_ARN.fullmatch(asking.caller.arn)
    return match[1] if match else ""


# By lower-case key; what answers "" is not there. aws:SourceArn and aws:SourceAccount never are: only the services
# of a cloud send them.
_FACTS: Final[dict[str, Callable[[Asking], str]]] = {
    "aws:sourceip": lambda asking: asking.context.source_ip,
    "aws:securetransport": lambda asking: "true" if asking.context.secure else "false",
    "aws:currenttime": lambda asking: write_extended(asking.now_ms),
    "aws:epochtime": lambda asking: str(asking.now_ms // 1000),
    "aws:useragent": lambda asking: asking.context.user_agent,
    "aws:referer": lambda asking: asking.context.referer,
    "aws:principalarn": lambda asking: principal_arn(asking.caller.arn),
    "aws:principalaccount": lambda asking: asking.caller.account,
    "aws:userid": lambda asking: asking.caller.sender_id,
    "aws:username": _user_name,
}
_TAG_PREFIX: Final = "aws:principaltag/"


def find_fact(key: str, asking: Asking) -> str | None:
    """The value of a lower-case key, None when it is not known."""
    read = _FACTS.get(key)
    if read is not None:
        return read(asking) or None
    if not key.startswith(_TAG_PREFIX):
        return None
    name = key.removeprefix(_TAG_PREFIX)
    return next((value for tag, value in asking.caller.tags if tag.lower() == name), None)


# ── Operators ────────────────────────────────────────────────────────────────────────────────────────────


class Operator(NamedTuple):
    """How one operator compares: ``holds(fact, operand)``, each read from text first."""

    read_operand: Callable[[str], Any]
    read_fact: Callable[[str], Any]
    holds: Callable[[Any, Any], bool]
    negated: bool = False


def _comparisons(kind: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    return {
        f"{kind}Equals": Operator(read, read, eq),
        f"{kind}NotEquals": Operator(read, read, eq, negated=True),
        f"{kind}LessThan": Operator(read, read, lt),
        f"{kind}LessThanEquals": Operator(read, read, le),
        f"{kind}GreaterThan": Operator(read, read, gt),
        f"{kind}GreaterThanEquals": Operator(read, read, ge),
    }


OPERATORS: Final[dict[str, Operator]] = {
    "StringEquals": Operator(str, str, eq),
    "StringNotEquals": Operator(str, str, eq, negated=True),
    "StringEqualsIgnoreCase": Operator(str.casefold, str.casefold, eq),
    "StringNotEqualsIgnoreCase": Operator(str.casefold, str.casefold, eq, negated=True),
    "StringLike": Operator(wildcard, str, _is_like),
    "StringNotLike": Operator(wildcard, str, _is_like, negated=True),
    **_comparisons("Numeric", _number),
    **_comparisons("Date", _date),
    "Bool": Operator(_flag, _flag, eq),
    "BinaryEquals": Operator(str, str, eq),
    "IpAddress": Operator(_network, _address, _within),
    "NotIpAddress": Operator(_network, _address, _within, negated=True),
    "ArnEquals": Operator(_arn_pattern, str, _is_arn_like),
    "ArnLike": Operator(_arn_pattern, str, _is_arn_like),
    "ArnNotEquals": Operator(_arn_pattern, str, _is_arn_like, negated=True),
    "ArnNotLike": Operator(_arn_pattern, str, _is_arn_like, negated=True),
}

_ANY: Final = "ForAnyValue"
_ALL: Final = "ForAllValues"
_IF_EXISTS: Final = "IfExists"


class Condition(NamedTuple):
    """One key under one operator. ``operator`` is None for Null, which asks whether the fact is there;
    ``when_missing`` is the answer without the fact."""

    key: str
    operator: Operator | None
    operands: tuple[Any, ...]
    when_missing: bool

    def holds(self, asking: Asking) -> bool:
        fact = find_fact(self.key, asking)
        if self.operator is None:
            return (fact is None) in self.operands
        if fact is None:
            return self.when_missing
        return self._matches(fact, self.operator) != self.operator.negated

    def _matches(self, text: str, operator: Operator) -> bool:
        try:
            fact = operator.read_fact(text)
        except ValueError:  # a user agent is no number: it equals none
            return False
        return any(operator.holds(fact, operand) for operand in self.operands)


def read_condition(operator_text: str, key: str, values: list[str]) -> Condition:
    """A condition from its parts in the document. Raises ValueError for an unknown operator or a bad operand.

    All facts here have one value, so the set operators differ only in what a missing fact means.
    """
    key = key.lower()
    quantifier, _, name = operator_text.rpartition(":")
    if quantifier not in ("", _ANY, _ALL):
        raise ValueError(operator_text)
    if name == "Null" and not quantifier:
        return Condition(key, None, tuple(map(_flag, values)), when_missing=False)
    operator = OPERATORS.get(name.removesuffix(_IF_EXISTS))
    if operator is None:
        raise ValueError(operator_text)
    when_missing = name.endswith(_IF_EXISTS) or quantifier == _ALL or (operator.negated and quantifier != _ANY)
    return Condition(key, operator, tuple(map(operator.read_operand, values)), when_missing)
