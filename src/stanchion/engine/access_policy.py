"""Access policies of queues: reading them, deciding by them, and changing them label by label.

Who may do what is decided in this order: a matching Deny refuses, even the owner; the owner's account may do
everything; a matching Allow lets other accounts do what can be granted; all else is refused.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from stanchion import limits
from stanchion.actions import ACTIONS, Action
from stanchion.engine.policy_conditions import (
    Asking,
    Condition,
    principal_arn,
    read_condition,
    wildcard,
)
from stanchion.errors import AccessDenied, InvalidAttributeValue, InvalidParameterValue, MissingParameter, OverLimit
from stanchion.ids import ACCOUNT
from stanchion.model import Caller, RequestContext

# ── The document ─────────────────────────────────────────────────────────────────────────────────────────

_Effect = Literal["Allow", "Deny"]
_Texts = str | list[str]
_Scalar = str | int | float | bool
_Principals = str | dict[Literal["AWS", "Service", "Federated", "CanonicalUser"], _Texts]


class _Statement(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    effect: _Effect
    sid: str = ""
    principal: _Principals | UnsetType = UNSET
    not_principal: _Principals | UnsetType = UNSET
    action: _Texts | UnsetType = UNSET
    not_action: _Texts | UnsetType = UNSET
    resource: _Texts | UnsetType = UNSET
    not_resource: _Texts | UnsetType = UNSET
    condition: dict[str, dict[str, _Scalar | list[_Scalar]]] = {}


class _Document(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    statement: _Statement | list[_Statement]
    version: Literal["2008-10-17", "2012-10-17"] = "2008-10-17"
    id: str = ""

    @property
    def statements(self) -> list[_Statement]:
        return self.statement if isinstance(self.statement, list) else [self.statement]


_DOCUMENTS: Final = msgspec.json.Decoder(_Document)


def _decode(text: str) -> _Document:
    try:
        return _DOCUMENTS.decode(text)
    except ValueError:
        raise _invalid() from None


def _invalid() -> InvalidAttributeValue:
    return InvalidAttributeValue.of("Policy")


def check(text: str, creating: bool) -> str:
    """The policy as it is to be stored: compact, else as given. ``creating`` says that CreateQueue brought it.

    At most 8,192 bytes when compact, 20 statements, 50 principals and 10 conditions, 7 actions per statement.
    Raises InvalidAttributeValue; for too many statements OverLimit or, creating, InvalidParameterValue.
    """
    count = len(_decode(text).statements)
    if count > limits.POLICY_STATEMENTS:
        reason = f"{count} statements were found in the submitted policy, max allowed is {limits.POLICY_STATEMENTS}"
        raise InvalidParameterValue(reason) if creating else OverLimit(reason)
    compact = msgspec.json.format(text, indent=-1)
    parse(compact)
    return compact


# ── The policy, ready to decide ──────────────────────────────────────────────────────────────────────────


class Principals(NamedTuple):
    """Whom a statement is about. ``anyone`` includes callers who did not sign."""

    anyone: bool
    accounts: frozenset[str]
    arns: frozenset[str]

    def include(self, caller: Caller) -> bool:
        return (
            self.anyone
            or caller.account in self.accounts
            or caller.arn in self.arns
            or principal_arn(caller.arn) in self.arns
        )


class Statement(msgspec.Struct, frozen=True):
    """One statement. ``permissions`` are the actions it speaks of, worked out against all that exist; a
    ``not_…`` flag turns its list into "all but these"."""

    effect: _Effect
    permissions: frozenset[str]
    principals: Principals
    not_principals: bool
    resources: tuple[re.Pattern[str], ...]
    not_resources: bool
    conditions: tuple[Condition, ...]

    def concerns(self, caller: Caller, permission: str, queue_arn: str) -> bool:
        """Whether the statement is about this caller, action and queue, its conditions left aside."""
        if permission not in self.permissions:
            return False
        if self.principals.include(caller) is self.not_principals:
            return False
        # "All but these" is not meant to open a queue to callers without any identity.
        if self.effect == "Allow" and self.not_principals and caller.access_key_id is None:
            return False
        return any(pattern.fullmatch(queue_arn) for pattern in self.resources) is not self.not_resources


class AccessPolicy(msgspec.Struct, frozen=True):
    """A queue's policy, ready for ``authorize``."""

    statements: tuple[Statement, ...]


_PERMISSIONS: Final = frozenset(action.permission for action in ACTIONS.values())
_ROOT_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root")


# Queues are read from the store more often than their policies change.
@lru_cache(maxsize=512)
def parse(text: str) -> AccessPolicy:
    """The policy in a document. Raises InvalidAttributeValue for any document that ``check`` does not let pass."""
    document = _decode(text)
    statements = document.statements
    too_long = len(text.encode()) > limits.POLICY_BYTES
    if too_long or not 1 <= len(statements) <= limits.POLICY_STATEMENTS:
        raise _invalid()
    _check_quotas(statements)
    return AccessPolicy(tuple(map(_read_statement, statements)))


def _check_quotas(statements: Iterable[_Statement]) -> None:
    principals = conditions = 0
    for statement in statements:
        for given in (statement.principal, statement.not_principal):
            if given is not UNSET:
                principals += sum(map(len, map(_listed, given.values()))) if isinstance(given, dict) else 1
        conditions += sum(map(len, statement.condition.values()))
        for actions in (statement.action, statement.not_action):
            if isinstance(actions, list) and len(actions) > limits.PERMISSION_ACTIONS:
                raise _invalid()
    if principals > limits.POLICY_PRINCIPALS or conditions > limits.POLICY_CONDITIONS:
        raise _invalid()


def _read_statement(given: _Statement) -> Statement:
    principals, not_principals = _either(given.principal, given.not_principal)
    actions, not_actions = _either(given.action, given.not_action)
    resources, not_resources = _either(given.resource, given.not_resource)
    permissions = _read_actions(_listed(actions))
    return Statement(
        effect=given.effect,
        permissions=_PERMISSIONS - permissions if not_actions else permissions,
        principals=_read_principals(principals),
        not_principals=not_principals,
        resources=tuple(map(wildcard, _listed(resources))),
        not_resources=not_resources,
        conditions=tuple(_read_conditions(given.condition)),
    )


def _either(plain: Any, negated: Any) -> tuple[Any, bool]:
    """Exactly one of an element and its ``Not`` form must be there, and hold something."""
    if (plain is UNSET) is (negated is UNSET):
        raise _invalid()
    value = negated if plain is UNSET else plain
    if not value:
        raise _invalid()
    return value, plain is UNSET


def _listed(given: _Texts) -> list[str]:
    return [given] if isinstance(given, str) else given


def _read_actions(patterns: Iterable[str]) -> frozenset[str]:
    """The permissions that patterns like ``SQS:Send*`` name. Those of other services are a mistake."""
    found: set[str] = set()
    for pattern in patterns:
        vendor, colon, name = pattern.lower().partition(":")
        if pattern == "*":
            name = pattern
        elif vendor != "sqs" or not colon:
            raise _invalid()
        expression = wildcard(name)
        found.update(permission for permission in _PERMISSIONS if expression.fullmatch(permission.lower()))
    return frozenset(found)


def _read_principals(given: _Principals) -> Principals:
    if isinstance(given, str):
        if given != "*":
            raise _invalid()
        return Principals(True, frozenset(), frozenset())
    # The other kinds of principals (Service …) are nobody who can sign a request here.
    if not all(entry and all(_listed(entry)) for entry in given.values()):
        raise _invalid()
    names = _listed(given.get("AWS", []))
    roots = [_ROOT_ARN.fullmatch(name) for name in names]
    accounts = {name for name in names if ACCOUNT.match(name)} | {root[1] for root in roots if root}
    return Principals("*" in names, frozenset(accounts), frozenset(names))


def _read_conditions(given: dict[str, dict[str, _Scalar | list[_Scalar]]]) -> Iterable[Condition]:
    for operator, keys in given.items():
        for key, values in keys.items():
            try:
                texts = [_text(value) for value in (values if isinstance(values, list) else [values])]
                yield read_condition(operator, key, texts)
            except ValueError:
                raise _invalid() from None


def _text(value: _Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# ── Deciding ─────────────────────────────────────────────────────────────────────────────────────────────


def authorize(
    policy: AccessPolicy | None,
    caller: Caller,
    action: Action,
    queue_arn: str,
    owner_account: str,
    context: RequestContext,
    now_ms: int,
) -> None:
    """Return when the caller may do the action on the queue, else raise AccessDenied."""
    if caller.trusted:
        return
    owner = caller.account == owner_account
    if policy is None and owner:
        return
    effects = _effects(policy, caller, action.permission, queue_arn, context, now_ms) if policy else frozenset()
    if "Deny" in effects:
        raise _denied(caller, action, queue_arn, context, _EXPLICIT_DENY)
    if not owner and (action.owner_only or "Allow" not in effects):
        raise _denied(caller, action, queue_arn, context, _NOTHING_ALLOWS)


def _effects(
    policy: AccessPolicy, caller: Caller, permission: str, queue_arn: str, context: RequestContext, now_ms: int
) -> AbstractSet[_Effect]:
    """What the matching statements want."""
    asking = Asking(caller, context, now_ms)
    effects: set[_Effect] = set()
    for statement in policy.statements:
        if statement.concerns(caller, permission, queue_arn) and all(
            condition.holds(asking) for condition in statement.conditions
        ):
            effects.add(statement.effect)
    return effects


_EXPLICIT_DENY: Final = "with an explicit deny in a resource-based policy"
_NOTHING_ALLOWS: Final = "because no resource-based policy allows the {permission} action"


def _denied(caller: Caller, action: Action, queue_arn: str, context: RequestContext, reason: str) -> AccessDenied:
    if caller.access_key_id is None:
        return AccessDenied.to_resource(context.address)
    permission = f"sqs:{action.permission.lower()}"
    return AccessDenied(
        f"User: {caller.arn} is not authorized to perform: {permission} on resource: {queue_arn} "
        + reason.format(permission=permission)
    )


# ── AddPermission and RemovePermission ───────────────────────────────────────────────────────────────────

_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LABEL_RULE: Final = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length."


def add_permission(
    policy_text: str | None,
    queue_arn: str,
    label: str | None,
    account_ids: Sequence[str] | None,
    actions: Sequence[str] | None,
) -> str:
    """The policy (None: there is none yet) with one more statement, which lets accounts do actions.

    Raises MissingParameter, InvalidParameterValue or OverLimit; InvalidAttributeValue when the policy as a whole
    would become too long or name too many principals.
    """
    if not label:
        raise MissingParameter("Label")
    _check_grantable(actions)
    _check_accounts(account_ids)
    if not _LABEL.fullmatch(label):
        raise InvalidParameterValue.of(label, "Label", _LABEL_RULE)
    document, statements = _split(policy_text) if policy_text else (_empty_document(queue_arn), [])
    if any(_label_of(statement) == label for statement in statements):
        raise InvalidParameterValue.of(label, "Label", "Already exists.")
    if len(statements) >= limits.POLICY_STATEMENTS:
        raise OverLimit(
            f"{len(statements) + 1} Statements were found, maximum allowed is {limits.POLICY_STATEMENTS}."
        )
    grant = _grant(queue_arn, label, account_ids or (), actions or ())
    return check(_join(document, [*statements, grant]), creating=False)


def _check_grantable(actions: Sequence[str] | None) -> None:
    if not actions:
        raise MissingParameter("ActionName")
    for name in actions:
        if name in ACTIONS and ACTIONS[name].owner_only:
            raise _ungrantable(name, "Only the queue owner is allowed to invoke this action.")
    for name in actions:
        # A batch is granted with its single action, under whose permission it goes.
        if name != "*" and (name not in ACTIONS or ACTIONS[name].permission != name):
            raise _ungrantable(name, "Please refer to the appropriate WSDL for a list of valid actions.")
    if len(actions) > limits.PERMISSION_ACTIONS:
        raise OverLimit(f"{len(actions)} Actions were found, maximum allowed is {limits.PERMISSION_ACTIONS}.")


def _ungrantable(name: str, reason: str) -> InvalidParameterValue:
    return InvalidParameterValue.of(f"SQS:{name}", "ActionName", reason)


def _check_accounts(account_ids: Sequence[str] | None) -> None:
    if not account_ids:
        raise MissingParameter("AWSAccountIds")
    if not all(ACCOUNT.match(account) for account in account_ids):
        raise InvalidParameterValue.of(f"[{', '.join(account_ids)}]", "PrincipalId", "Unable to verify.")


def _split(policy_text: str) -> tuple[dict[str, Raw], list[Raw]]:
    """A stored policy and its statements, each member the very text that it was given as."""
    document = msgspec.json.decode(policy_text, type=dict[str, Raw])
    given = document["Statement"]
    alone = bytes(given).startswith(b"{")
    return document, [given] if alone else msgspec.json.decode(given, type=list[Raw])


def _join(document: dict[str, Raw], statements: Sequence[Raw]) -> str:
    return msgspec.json.encode({**document, "Statement": statements}).decode()


def _label_of(statement: Raw) -> str:
    return msgspec.json.decode(statement, type=_Statement).sid


def _empty_document(queue_arn: str) -> dict[str, Raw]:
    members = {"Version": "2008-10-17", "Id": f"{queue_arn}/SQSDefaultPolicy"}
    return {name: _raw(value) for name, value in members.items()}


def _raw(value: Any) -> Raw:
    return Raw(msgspec.json.encode(value))


def _grant(queue_arn: str, label: str, account_ids: Sequence[str], actions: Sequence[str]) -> Raw:
    return _raw(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_list(f"arn:aws:iam::{account}:root" for account in account_ids)},
            "Action": _one_or_list(f"SQS:{action}" for action in actions),
            "Resource": queue_arn,
        }
    )


def _one_or_list(texts: Iterable[str]) -> str | list[str]:
    """Each text once; a single one without a list around it, as the service writes it."""
    distinct = list(dict.fromkeys(texts))
    return distinct[0] if len(distinct) == 1 else distinct


def remove_permission(policy_text: str | None, label: str | None) -> str | None:
    """The policy without the statements of a label, None when none is left. Raises MissingParameter and
    InvalidParameterValue."""
    if not label:
        raise MissingParameter("Label")
    if not policy_text:
        raise InvalidParameterValue.of(label, "Label", "can't find label.")
    document, statements = _split(policy_text)
    kept = [statement for statement in statements if _label_of(statement) != label]
    if len(kept) == len(statements):
        raise InvalidParameterValue.of(label, "Label", "can't find label on existing policy.")
    return _join(document, kept) if kept else None
