"""Who may do what: signatures, keys, permissions, policies. The server checks signatures here."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import pytest

from support.both_protocols import Caller, Refused, Sign, read_json, read_xml
from support.in_process import InProcessServer
from support.queue_calls import QueueCalls, fresh_name
from support.signing import presigned, signer

ALICE, BOB = "111111111111", "222222222222"  # accounts
ALICE_ARN = f"arn:aws:iam::{ALICE}:user/alice"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

CREDENTIALS = f"""
[alice]
aws_access_key_id = AKIDALICE
aws_secret_access_key = {SECRET}
aws_account_id = {ALICE}
stanchion_user = alice
stanchion_sender_id = AIDAALICE
stanchion_tags = team=blue

[bob]
aws_access_key_id = AKIDBOB
aws_secret_access_key = {SECRET}
aws_account_id = {BOB}

[temporary]
aws_access_key_id = ASIATEMPORARY
aws_secret_access_key = {SECRET}
aws_account_id = {ALICE}
aws_session_token = token
stanchion_expires = 2024-01-01T00:00:00Z

[past]
aws_access_key_id = ASIAPAST
aws_secret_access_key = {SECRET}
aws_account_id = {ALICE}
aws_session_token = token
stanchion_expires = 2020-01-01T00:00:00Z

[disabled]
aws_access_key_id = AKIDDISABLED
aws_secret_access_key = {SECRET}
aws_account_id = {ALICE}
stanchion_enabled = false
"""

INVALID_TOKEN = "The security token included in the request is invalid."
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcessServer]:
    """A server that checks signatures."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "credentials").write_text(CREDENTIALS, encoding="utf-8")
    server = InProcessServer(folder, credentials=str(folder / "credentials"), trusted_proxies="127.0.0.1")
    yield server
    server.stop()


CallAs = Callable[..., Caller]


@pytest.fixture
def call_as(guarded: InProcessServer, protocol: str) -> Iterator[CallAs]:
    """Makes callers: ``call_as("AKIDALICE")``, with options of the signer; ``call_as(None)`` signs nothing."""
    made = []

    def make(key_id: str | None, secret: str = SECRET, **options: object) -> Caller:
        sign: Sign | None = None
        if key_id is not None:
            sign = signer(guarded.url, guarded.clock, key_id, secret, **options)
        made.append(Caller(guarded.url, protocol, sign))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


@pytest.fixture
def alice(call_as: CallAs) -> Caller:
    return call_as("AKIDALICE")


@pytest.fixture
def bob(call_as: CallAs) -> Caller:
    return call_as("AKIDBOB")


@pytest.fixture
def anonymous(call_as: CallAs) -> Caller:
    return call_as(None)


@pytest.fixture
def hers(alice: Caller) -> QueueCalls:
    """A queue of alice's."""
    return QueueCalls.create(alice)


def at(clock_ms: int) -> str:
    return datetime.fromtimestamp(clock_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")


# ── Signatures ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_signature_lets_in_and_says_which_account_it_is(alice, hers):
    assert hers.arn == f"arn:aws:sqs:us-east-1:{ALICE}:{hers.name}"
    assert hers.url.endswith(f"/{ALICE}/{hers.name}")
    hers.send()
    assert hers.receive_one()["Attributes"]["SenderId"] == "AIDAALICE"


def test_the_sender_is_the_account_when_nothing_else_is_known(bob):
    q = QueueCalls.create(bob)
    q.send()
    assert q.receive_one()["Attributes"]["SenderId"] == BOB


@pytest.mark.k(10)
def test_a_signed_get_without_a_version_reads_attributes(alice, hers):
    path = f"{urlsplit(hers.url).path}?Action=GetQueueAttributes&AttributeName.1=All"
    found = read_xml("GetQueueAttributes", alice.request("GET", path))["Attributes"]
    assert len(found) == 12


@pytest.mark.k(26)
def test_an_unsigned_call_is_denied(anonymous, guarded):
    text = f"Access to the resource {guarded.url}/ is denied."
    anonymous.refuses("ListQueues", "AccessDenied", text, status=403)
    anonymous.refuses("CreateQueue", "AccessDenied", text, status=403, QueueName="x")


def test_an_unsigned_call_does_not_learn_which_queues_there_are(anonymous, hers):
    there = anonymous.refused("SendMessage", QueueUrl=hers.url, MessageBody="b")
    missing = anonymous.refused("SendMessage", QueueUrl=hers.url + "-missing", MessageBody="b")
    assert (there.status, there.code) == (missing.status, missing.code) == (403, "AccessDenied")
    assert there.message == missing.message


@pytest.mark.k(27)
@pytest.mark.parametrize("key_id", ["AKIDUNKNOWN", "AKIDDISABLED"])
def test_an_unknown_or_disabled_key_is_invalid(call_as, key_id):
    call_as(key_id).refuses("ListQueues", "InvalidClientTokenId", INVALID_TOKEN, status=403)


@pytest.mark.k(28)
def test_a_wrong_secret_does_not_match(call_as):
    call_as("AKIDALICE", "wrong").refuses("ListQueues", "SignatureDoesNotMatch", MISMATCH, status=403)


@pytest.mark.k(29)
def test_an_old_signature_has_expired(call_as, guarded):
    now_ms = guarded.clock.now_ms()
    text = (
        f"Signature expired: {at(now_ms - 960_000)} is now earlier than {at(now_ms - 900_000)} "
        f"({at(now_ms)} - 15 min.)"
    )
    caller = call_as("AKIDALICE", skew_seconds=-960)
    caller.refuses("ListQueues", "SignatureDoesNotMatch", text, status=403)


def test_a_signature_of_the_future_is_not_yet_current(call_as, guarded):
    now_ms = guarded.clock.now_ms()
    text = (
        f"Signature not yet current: {at(now_ms + 960_000)} is still later than {at(now_ms + 900_000)} "
        f"({at(now_ms)} + 15 min.)"
    )
    call_as("AKIDALICE", skew_seconds=960).refuses("ListQueues", "SignatureDoesNotMatch", text, status=403)


@pytest.mark.k(32)
@pytest.mark.parametrize("skew_seconds", [-240, 240, -890, 890])
def test_clocks_may_differ_by_fifteen_minutes(call_as, skew_seconds):
    assert isinstance(call_as("AKIDALICE", skew_seconds=skew_seconds)("ListQueues", QueueNamePrefix="none"), dict)


def authorization(caller: Caller, change: Callable[[str], str]) -> Refused | None:
    """What becomes of a ListQueues whose Authorization header was changed after signing."""
    sign = caller.sign
    assert sign is not None

    def changed(method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        signed = sign(method, path, body, headers)
        return signed | {"Authorization": change(signed["Authorization"])}

    try:
        Caller(caller.wire.url, caller.protocol, changed)("ListQueues", QueueNamePrefix="none")
    except Refused as error:
        return error
    return None


@pytest.mark.k(30)
def test_an_authorization_without_a_signature_is_incomplete(alice):
    error = authorization(alice, lambda value: value.partition(", Signature=")[0])
    assert error is not None
    assert (error.status, error.code) == (400, "IncompleteSignature")
    assert error.message.startswith("Authorization header requires 'Signature' parameter. ")


@pytest.mark.k(31)
def test_the_parts_of_an_authorization_need_no_blanks_between_them(alice):
    assert authorization(alice, lambda value: value.replace(", ", ",")) is None


def test_the_service_of_a_signature_is_sqs(call_as):
    text = "Credential should be scoped to correct service: 'sqs'. "
    error = call_as("AKIDALICE", service="sns").refused("ListQueues")
    assert (error.status, error.code, error.message.strip()) == (403, "SignatureDoesNotMatch", text.strip())


@pytest.mark.parametrize("region", ["us-east-1", "local", "mars-north-7"])
def test_any_region_is_fine_unless_regions_are_configured(call_as, region):
    assert call_as("AKIDALICE", region=region)("ListQueues", QueueNamePrefix="none") == {}


@pytest.mark.k(33)
def test_nothing_about_queues_is_said_before_the_signature_holds(call_as, guarded):
    caller = call_as("AKIDALICE", "wrong")
    given = {"QueueUrl": f"{guarded.url}/{ALICE}/missing", "MessageBody": "b"}
    caller.refuses("SendMessage", "SignatureDoesNotMatch", MISMATCH, status=403, **given)


def test_a_temporary_key_needs_its_token(call_as):
    assert call_as("ASIATEMPORARY", token="token")("ListQueues", QueueNamePrefix="none") == {}
    for token in (None, "other"):
        caller = call_as("ASIATEMPORARY", token=token)
        caller.refuses("ListQueues", "InvalidClientTokenId", INVALID_TOKEN, status=403)


def test_an_expired_token_is_told_apart(call_as):
    text = "The security token included in the request is expired"
    call_as("ASIAPAST", token="token").refuses("ListQueues", "ExpiredToken", text, status=403)


def test_old_signatures_are_refused_unless_switched_on(guarded):
    form = {"Action": "ListQueues", "AWSAccessKeyId": "AKIDALICE", "SignatureVersion": "2", "Signature": "x"}
    with pytest.raises(Refused) as raised:
        read_xml("ListQueues", Caller(guarded.url, "query").request("GET", "/?" + urlencode(form)))
    assert (raised.value.status, raised.value.code) == (403, "InvalidSecurity")
    assert raised.value.message == "All requests to this queue must use HTTPS and SigV4."


@pytest.mark.k(25)
def test_queues_of_one_region_are_invisible_in_another(tmp_path, protocol):
    (tmp_path / "credentials").write_text(CREDENTIALS, encoding="utf-8")
    regions = "us-east-1,eu-west-1"
    server = InProcessServer(tmp_path, credentials=str(tmp_path / "credentials"), regions=regions)
    sign_for = {
        region: signer(server.url, server.clock, "AKIDALICE", SECRET, region=region)
        for region in ("us-east-1", "eu-west-1", "mars-north-7")
    }
    here, there, nowhere = (Caller(server.url, protocol, sign) for sign in sign_for.values())
    try:
        q = QueueCalls.create(here)
        assert here("ListQueues") == {"QueueUrls": [q.url]}
        assert there("ListQueues") == {}
        there.refuses("GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue", QueueName=q.name)
        assert QueueCalls.create(there, q.name).arn == f"arn:aws:sqs:eu-west-1:{ALICE}:{q.name}"
        missing = there.refused("ListMessageMoveTasks", SourceArn=q.arn)
        assert (missing.status, missing.code) == (404, "ResourceNotFoundException")
        error = nowhere.refused("ListQueues")
        assert (error.status, error.code) == (403, "SignatureDoesNotMatch")
        assert error.message.strip() == "Credential should be scoped to a valid region."
    finally:
        server.stop()


# ── Permissions ──────────────────────────────────────────────────────────────────────────────────────────


def grant(q: QueueCalls, label: str, accounts: list[str], actions: list[str]) -> None:
    q("AddPermission", Label=label, AWSAccountIds=accounts, Actions=actions)


def policy_of(q: QueueCalls) -> dict:
    return json.loads(q.get("Policy")["Policy"])


@pytest.mark.k(34)
def test_a_permission_becomes_a_statement_of_the_policy(hers):
    grant(hers, "l", [BOB], ["ReceiveMessage"])
    assert policy_of(hers) == {
        "Version": "2008-10-17",
        "Id": f"{hers.arn}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "l",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{BOB}:root"},
                "Action": "SQS:ReceiveMessage",
                "Resource": hers.arn,
            }
        ],
    }


@pytest.mark.k(35)
def test_a_label_is_used_once(hers):
    grant(hers, "l", [BOB], ["ReceiveMessage"])
    text = "Value l for parameter Label is invalid. Reason: Already exists."
    given = {"Label": "l", "AWSAccountIds": [BOB], "Actions": ["SendMessage"]}
    hers.refuses("AddPermission", "InvalidParameterValue", text, **given)


@pytest.mark.k(36)
def test_several_accounts_and_actions_become_lists(hers):
    grant(hers, "l", [ALICE, BOB], ["ReceiveMessage", "SendMessage"])
    (statement,) = policy_of(hers)["Statement"]
    assert sorted(statement["Principal"]["AWS"]) == [f"arn:aws:iam::{each}:root" for each in (ALICE, BOB)]
    assert sorted(statement["Action"]) == ["SQS:ReceiveMessage", "SQS:SendMessage"]


def test_a_star_grants_all_and_statements_are_appended(hers):
    grant(hers, "one", [BOB], ["*"])
    grant(hers, "two", [BOB], ["SendMessage"])
    assert [(s["Sid"], s["Action"]) for s in policy_of(hers)["Statement"]] == [
        ("one", "SQS:*"),
        ("two", "SQS:SendMessage"),
    ]


@pytest.mark.k(37)
def test_the_policy_goes_with_its_last_label(hers):
    grant(hers, "one", [BOB], ["*"])
    grant(hers, "two", [BOB], ["*"])
    hers("RemovePermission", Label="one")
    assert [statement["Sid"] for statement in policy_of(hers)["Statement"]] == ["two"]
    text = "Value one for parameter Label is invalid. Reason: can't find label on existing policy."
    hers.refuses("RemovePermission", "InvalidParameterValue", text, Label="one")
    hers("RemovePermission", Label="two")
    assert "Policy" not in hers.get("All")


def test_a_label_takes_all_its_statements_with_it(hers):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": hers.arn}
    statements = [statement | {"Sid": sid} for sid in ("twice", "once", "twice")]
    hers.set(Policy=json.dumps({"Version": "2012-10-17", "Id": "mine", "Statement": statements}))
    grant(hers, "added", [BOB], ["*"])
    hers("RemovePermission", Label="twice")
    left = policy_of(hers)
    assert [each["Sid"] for each in left["Statement"]] == ["once", "added"]
    assert (left["Version"], left["Id"]) == ("2012-10-17", "mine")


@pytest.mark.k(38)
def test_a_label_cannot_be_removed_from_nothing(hers):
    text = "Value l for parameter Label is invalid. Reason: can't find label."
    hers.refuses("RemovePermission", "InvalidParameterValue", text, Label="l")


def test_permissions_change_the_time_of_modification(hers, guarded):
    created = hers.get("LastModifiedTimestamp")["LastModifiedTimestamp"]
    guarded.advance(5)
    grant(hers, "l", [BOB], ["*"])
    added = hers.get("LastModifiedTimestamp")["LastModifiedTimestamp"]
    guarded.advance(5)
    hers("RemovePermission", Label="l")
    removed = hers.get("LastModifiedTimestamp")["LastModifiedTimestamp"]
    assert [int(added) - int(created), int(removed) - int(added)] == [5, 5]


# ── Policies ─────────────────────────────────────────────────────────────────────────────────────────────


def set_policy(q: QueueCalls, effect: str, principal: object, action: object = "sqs:*", **more: object) -> None:
    statement = {"Sid": "s", "Effect": effect, "Principal": principal, "Action": action, "Resource": q.arn, **more}
    q.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def denied(who: str, action: str, q_arn: str, because: str) -> str:
    return f"User: {who} is not authorized to perform: sqs:{action} on resource: {q_arn} {because}"


@pytest.mark.k(39)
@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
def test_an_explicit_deny_stops_even_the_owner(hers, batch):
    arn = hers.arn
    set_policy(hers, "Deny", {"AWS": ALICE_ARN}, "sqs:SendMessage")
    text = denied(ALICE_ARN, "sendmessage", arn, "with an explicit deny in a resource-based policy")
    if batch:
        entries = [{"Id": "a", "MessageBody": "b"}]
        hers.refuses("SendMessageBatch", "AccessDenied", text, status=403, Entries=entries)
    else:
        hers.refuses("SendMessage", "AccessDenied", text, status=403, MessageBody="b")
    assert hers.receive() == []


def test_another_account_needs_a_policy_that_lets_it_in(hers, bob):
    arn = hers.arn
    as_bob = hers.as_seen_by(bob)
    because = "because no resource-based policy allows the sqs:sendmessage action"
    text = denied(f"arn:aws:iam::{BOB}:root", "sendmessage", arn, because)
    as_bob.refuses("SendMessage", "AccessDenied", text, status=403, MessageBody="b")
    grant(hers, "l", [BOB], ["SendMessage"])
    as_bob.send("from bob")
    as_bob.send_batch({"MessageBody": "in a batch"})
    error = bob.refused("ReceiveMessage", QueueUrl=hers.url)
    assert (error.status, error.code) == (403, "AccessDenied")
    messages = hers.receive(MaxNumberOfMessages=10)
    assert [message["Body"] for message in messages] == ["from bob", "in a batch"]
    assert {message["Attributes"]["SenderId"] for message in messages} == {BOB}


def test_a_foreign_queue_that_does_not_exist_is_not_found(bob, call_as, guarded):
    text = bob.no_such_queue
    url = f"{guarded.url}/{ALICE}/missing"
    bob.refuses("SendMessage", "AWS.SimpleQueueService.NonExistentQueue", text, QueueUrl=url, MessageBody="b")


OWNER_ONLY: dict[str, dict[str, object]] = {
    "AddPermission": {"Label": "l2", "AWSAccountIds": [BOB], "Actions": ["*"]},
    "DeleteQueue": {},
    "ListQueueTags": {},
    "RemovePermission": {"Label": "l"},
    "SetQueueAttributes": {"Attributes": {"DelaySeconds": "1"}},
    "TagQueue": {"Tags": {"a": "b"}},
    "UntagQueue": {"TagKeys": ["a"]},
}


@pytest.mark.parametrize("action", OWNER_ONLY)
def test_what_only_the_owner_may_do_cannot_be_granted(hers, bob, action):
    set_policy(hers, "Allow", {"AWS": BOB}, "sqs:*")
    error = bob.refused(action, QueueUrl=hers.url, **OWNER_ONLY[action])
    assert (error.status, error.code) == (403, "AccessDenied")


def test_move_tasks_are_for_the_owner(hers, bob):
    set_policy(hers, "Allow", {"AWS": BOB}, "sqs:*")
    for action in ("StartMessageMoveTask", "ListMessageMoveTasks"):
        error = bob.refused(action, SourceArn=hers.arn)
        assert (error.status, error.code) == (403, "AccessDenied")


def as_dead_letter_queue(owner: Caller) -> QueueCalls:
    """A queue that another of the owner's sends its dead letters to."""
    target = QueueCalls.create(owner)
    redrive = {"deadLetterTargetArn": target.arn, "maxReceiveCount": 1}
    QueueCalls.create(owner, RedrivePolicy=json.dumps(redrive))
    return target


def test_messages_are_moved_into_a_foreign_queue_only_if_it_lets_them_in(hers, bob, guarded):
    dead = as_dead_letter_queue(bob)
    dead.send("from bob")
    because = "because no resource-based policy allows the sqs:sendmessage action"
    text = denied(f"arn:aws:iam::{BOB}:root", "sendmessage", hers.arn, because)
    move = {"SourceArn": dead.arn, "DestinationArn": hers.arn}
    bob.refuses("StartMessageMoveTask", "AccessDenied", text, status=403, **move)
    guarded.settle()
    assert (dead.counts(), hers.counts()) == ((1, 0, 0), (0, 0, 0))
    grant(hers, "l", [BOB], ["SendMessage"])
    bob("StartMessageMoveTask", **move)
    guarded.settle()
    assert (dead.counts(), hers.counts()) == ((0, 0, 0), (1, 0, 0))


@pytest.mark.parametrize("action", ["StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask"])
def test_a_deny_on_the_source_stops_the_owner_s_move_tasks(alice, action):
    dead = as_dead_letter_queue(alice)
    handle = alice("StartMessageMoveTask", SourceArn=dead.arn)["TaskHandle"]
    arn = dead.arn
    set_policy(dead, "Deny", {"AWS": ALICE_ARN}, f"sqs:{action}")
    text = denied(ALICE_ARN, action.lower(), arn, "with an explicit deny in a resource-based policy")
    given = {"TaskHandle": handle} if action == "CancelMessageMoveTask" else {"SourceArn": arn}
    alice.refuses(action, "AccessDenied", text, status=403, **given)


def test_everything_else_can_be_granted(hers, bob):
    set_policy(hers, "Allow", {"AWS": f"arn:aws:iam::{BOB}:root"}, "SQS:*")
    as_bob = hers.as_seen_by(bob)
    as_bob.send()
    message = as_bob.receive_one()
    as_bob.hide(message, 60)
    as_bob.delete(message)
    assert as_bob.counts() == (0, 0, 0)
    assert as_bob("ListDeadLetterSourceQueues") == {}
    assert bob("GetQueueUrl", QueueName=hers.name, QueueOwnerAWSAccountId=ALICE) == {"QueueUrl": hers.url}
    as_bob("PurgeQueue")


def test_the_url_of_a_foreign_queue_must_be_granted(hers, bob):
    error = bob.refused("GetQueueUrl", QueueName=hers.name, QueueOwnerAWSAccountId=ALICE)
    assert (error.status, error.code) == (403, "AccessDenied")


def test_a_list_shows_the_callers_own_queues_only(alice, bob):
    prefix = fresh_name()
    hers, his = QueueCalls.create(alice, prefix + "-alice"), QueueCalls.create(bob, prefix + "-bob")
    assert alice("ListQueues", QueueNamePrefix=prefix) == {"QueueUrls": [hers.url]}
    assert bob("ListQueues", QueueNamePrefix=prefix) == {"QueueUrls": [his.url]}


def test_a_bare_name_is_a_queue_of_the_callers_account(alice, bob):
    name = fresh_name()
    QueueCalls.create(alice, name)
    bob.refuses("PurgeQueue", "AWS.SimpleQueueService.NonExistentQueue", QueueUrl=name)


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}], ids=["star", "AWS star"])
def test_a_policy_for_everybody_lets_in_those_who_do_not_sign(hers, anonymous, principal):
    set_policy(hers, "Allow", principal, "sqs:SendMessage")
    hers.as_seen_by(anonymous).send("from nobody")
    assert hers.bodies() == ["from nobody"]
    url = hers.url
    text = f"Access to the resource {anonymous.wire.url}/ is denied."
    anonymous.refuses("ReceiveMessage", "AccessDenied", text, status=403, QueueUrl=url)


@pytest.mark.parametrize(
    "action", ["sqs:Send*", "SQS:SENDMESSAGE", "sqs:?endMessage", ["sqs:GetQueueUrl", "sqs:Send*"]]
)
def test_actions_of_a_policy_have_wildcards_and_no_case(hers, bob, action):
    set_policy(hers, "Allow", {"AWS": BOB}, action)
    hers.as_seen_by(bob).send("let in")
    assert hers.bodies() == ["let in"]


def test_a_deny_wins_over_an_allow(hers, bob):
    everybody = {"Principal": "*", "Resource": hers.arn}
    statements = [
        {"Effect": "Allow", "Action": "sqs:*"} | everybody,
        {"Effect": "Deny", "Action": "sqs:SendMessage"} | everybody,
    ]
    arn = hers.arn
    hers.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    text = denied(f"arn:aws:iam::{BOB}:root", "sendmessage", arn, "with an explicit deny in a resource-based policy")
    hers.as_seen_by(bob).refuses("SendMessage", "AccessDenied", text, status=403, MessageBody="b")
    assert hers.as_seen_by(bob).receive() == []


def test_a_policy_about_another_queue_is_none_of_ours(hers, bob):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": hers.arn + "-other"}
    hers.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert bob.refused("SendMessage", QueueUrl=hers.url, MessageBody="b").code == "AccessDenied"


def test_a_policy_that_wants_tls_denies_plain_http(hers, bob):
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": hers.arn}
    deny = allow | {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    hers.set(Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]}))
    assert bob.refused("SendMessage", QueueUrl=hers.url, MessageBody="b").code == "AccessDenied"
    assert hers.caller.refused("SendMessage", QueueUrl=hers.url, MessageBody="b").code == "AccessDenied"
    through_proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    bob("SendMessage", QueueUrl=hers.url, MessageBody="over TLS", headers=through_proxy)


@pytest.mark.parametrize(("network", "allowed"), [("127.0.0.0/8", True), ("10.0.0.0/8", False)])
def test_a_policy_may_look_at_the_address_of_the_caller(hers, bob, network, allowed):
    set_policy(hers, "Allow", {"AWS": BOB}, Condition={"IpAddress": {"aws:SourceIp": network}})
    if allowed:
        hers.as_seen_by(bob).send()
    else:
        assert bob.refused("SendMessage", QueueUrl=hers.url, MessageBody="b").code == "AccessDenied"


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111111111111:t"}}, False),
        ({"ArnLikeIfExists": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": "1"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": BOB}}, True),
        ({"StringLike": {"AWS:principalARN": "arn:aws:iam::222*"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": ["1", "2"]}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"NumericLessThanEquals": {"aws:EpochTime": "1"}}, False),
        ({"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}}, False),
    ],
)
def test_conditions_decide(hers, bob, condition, allowed):
    set_policy(hers, "Allow", {"AWS": BOB}, Condition=condition)
    answer = bob.raw("SendMessage", QueueUrl=hers.url, MessageBody="b")
    assert answer.status == (200 if allowed else 403)


def test_a_policy_may_look_at_the_tags_of_the_key(hers):
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    set_policy(hers, "Deny", "*", "sqs:SendMessage", Condition=tagged)
    assert hers.caller.refused("SendMessage", QueueUrl=hers.url, MessageBody="b").code == "AccessDenied"


def test_a_service_principal_is_not_an_ordinary_caller(hers, bob):
    set_policy(hers, "Allow", {"Service": "sns.amazonaws.com"})
    assert bob.refused("SendMessage", QueueUrl=hers.url, MessageBody="b").code == "AccessDenied"


def test_presigned_requests_are_good_until_they_expire(guarded, hers):
    url = f"{hers.url}?Action=SendMessage&MessageBody=presigned&Version=2012-11-05"
    path = presigned(url, guarded.clock, "AKIDALICE", SECRET, seconds=60).removeprefix(guarded.url)
    unsigned = Caller(guarded.url, "query")
    assert unsigned.request("GET", path).status == 200
    assert hers.bodies() == ["presigned"]
    guarded.advance(61)
    with pytest.raises(Refused) as raised:
        read_xml("SendMessage", unsigned.request("GET", path))
    assert (raised.value.status, raised.value.code) == (403, "SignatureDoesNotMatch")
    assert raised.value.message.startswith("Signature expired: ")


def test_the_denial_in_json_has_its_text_under_a_capital(guarded):
    caller = Caller(guarded.url, "json")
    answer = caller.raw("ListQueues")
    assert set(answer.json) >= {"__type", "Message"}
    with pytest.raises(Refused):
        read_json("ListQueues", answer)
