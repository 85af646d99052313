"""Creating, finding, configuring, tagging and deleting queues."""

import json

import pytest

from support.queue_calls import QueueCalls, fresh_name

NAME_RULE = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
FIFO_NAME_RULE = (
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
    "must end with .fifo suffix and be 1 to 80 in length."
)


def different(attribute: str) -> str:
    return f"A queue already exists with the same name and a different value for attribute {attribute}"


# ── Create ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(40)
def test_creating_a_queue_twice_gives_the_same_url(call):
    name = fresh_name()
    assert QueueCalls.create(call, name).url == QueueCalls.create(call, name).url


@pytest.mark.k(41)
def test_creating_without_attributes_agrees_with_any_existing_queue(make):
    q = make(VisibilityTimeout="1")
    assert make(q.name).url == q.url
    assert q.get("VisibilityTimeout") == {"VisibilityTimeout": "1"}


@pytest.mark.k(42)
def test_creating_with_another_value_names_the_attribute(make, call):
    q = make(VisibilityTimeout="1")
    text = different("VisibilityTimeout")
    call.refuses("CreateQueue", "QueueAlreadyExists", text, QueueName=q.name, Attributes={"VisibilityTimeout": "2"})


def test_a_default_counts_as_the_current_value(make, q, call):
    assert make(q.name, VisibilityTimeout="30").url == q.url
    text = different("DelaySeconds")
    call.refuses("CreateQueue", "QueueAlreadyExists", text, QueueName=q.name, Attributes={"DelaySeconds": "1"})


@pytest.mark.k(43)
def test_creating_again_compares_with_the_current_value(make, call):
    q = make(DelaySeconds="1")
    q.set(DelaySeconds="2")
    given = {"QueueName": q.name, "Attributes": {"DelaySeconds": "1"}}
    call.refuses("CreateQueue", "QueueAlreadyExists", different("DelaySeconds"), **given)
    assert make(q.name, DelaySeconds="2").url == q.url


def test_values_are_compared_by_what_they_mean(make):
    target = make()
    policy = {"deadLetterTargetArn": target.arn, "maxReceiveCount": 5}
    q = make(RedrivePolicy=json.dumps(policy), SqsManagedSseEnabled="true", DelaySeconds="5")
    spaced = json.dumps({"maxReceiveCount": "5", "deadLetterTargetArn": target.arn}, indent=2)
    assert make(q.name, RedrivePolicy=spaced, SqsManagedSseEnabled="True", DelaySeconds="05").url == q.url


def test_tags_of_a_create_do_not_touch_an_existing_queue(call, q):
    q("TagQueue", Tags={"a": "1"})
    assert call("CreateQueue", QueueName=q.name, tags={"a": "2", "b": "3"})["QueueUrl"] == q.url
    assert q("ListQueueTags") == {"Tags": {"a": "1"}}


def test_a_queue_can_be_created_with_tags(call):
    name = fresh_name()
    call("CreateQueue", QueueName=name, tags={"env": "prod", "empty": ""})
    assert call("ListQueueTags", QueueUrl=name) == {"Tags": {"env": "prod", "empty": ""}}


@pytest.mark.k(44)
def test_the_name_of_a_deleted_queue_is_free_again_after_60_seconds(call, make, server):
    q = make()
    q("DeleteQueue")
    code = "AWS.SimpleQueueService.QueueDeletedRecently"
    text = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
    call.refuses("CreateQueue", code, text, QueueName=q.name)
    server.advance(59.9)
    call.refuses("CreateQueue", code, text, QueueName=q.name)
    server.advance(0.1)
    assert make(q.name).url == q.url


@pytest.mark.k(45)
def test_a_name_has_up_to_80_letters_digits_hyphens_and_underscores(call):
    call("CreateQueue", QueueName=fresh_name().ljust(80, "_"))
    for bad in ("n" * 81, "a.b", "a b", "ü", "a/b", "a\n"):
        call.refuses("CreateQueue", "InvalidParameterValue", NAME_RULE, QueueName=bad)


@pytest.mark.k(46)
def test_fifo_names_and_the_fifo_attribute_go_together(call):
    call.refuses("CreateQueue", "InvalidParameterValue", NAME_RULE, QueueName="x.fifo")
    for bad in ("x", "a.b.fifo", ".fifo", "n" * 76 + ".fifo", "x.FIFO"):
        given = {"QueueName": bad, "Attributes": {"FifoQueue": "true"}}
        call.refuses("CreateQueue", "InvalidParameterValue", FIFO_NAME_RULE, **given)
    name = fresh_name().ljust(75, "n") + ".fifo"
    call("CreateQueue", QueueName=name, Attributes={"FifoQueue": "True"})
    attributes = call("GetQueueAttributes", QueueUrl=name, AttributeNames=["FifoQueue"])["Attributes"]
    assert attributes == {"FifoQueue": "true"}


@pytest.mark.k(47)
@pytest.mark.parametrize("name", ["x", "x.fifo"])
def test_fifo_false_is_an_unknown_attribute(call, name):
    given = {"QueueName": name, "Attributes": {"FifoQueue": "false"}}
    call.refuses("CreateQueue", "InvalidAttributeName", "Unknown Attribute FifoQueue.", **given)


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_fifo_attribute_is_unknown_to_a_standard_queue(q, value):
    text = "Unknown Attribute FifoQueue."
    q.refuses("SetQueueAttributes", "InvalidAttributeName", text, Attributes={"FifoQueue": value})


@pytest.mark.k(48)
def test_a_fifo_queue_stays_one(fifo):
    text = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    fifo.refuses("SetQueueAttributes", "InvalidAttributeValue", text, Attributes={"FifoQueue": "false"})
    fifo.set(FifoQueue="true")


@pytest.mark.k(49)
@pytest.mark.parametrize(
    ("name", "value"), [("DeduplicationScope", "queue"), ("FifoThroughputLimit", "perMessageGroupId")]
)
def test_attributes_of_fifo_queues_are_for_them_only(q, name, value):
    text = f"You can specify the {name} only when FifoQueue is set to true."
    q.refuses_attribute(name, value, "InvalidAttributeName", text)


@pytest.mark.k(50)
def test_content_based_deduplication_is_unknown_to_a_standard_queue(q):
    text = "Unknown Attribute ContentBasedDeduplication."
    q.refuses_attribute("ContentBasedDeduplication", "true", "InvalidAttributeName", text)


@pytest.mark.parametrize("given", [{}, {"QueueName": None}], ids=["absent", "null"])
@pytest.mark.parametrize("action", ["CreateQueue", "GetQueueUrl"])
def test_a_queue_name_must_be_given(call, action, given):
    text = "Value for parameter QueueName is invalid. Reason: Must specify a queue name."
    call.refuses(action, "InvalidParameterValue", text, **given)


def test_an_empty_queue_name_is_refused(call):
    call.refuses("CreateQueue", "InvalidParameterValue", "Queue name cannot be empty", QueueName="")


def test_a_name_is_found_in_its_own_case_only(call, q):
    assert call("GetQueueUrl", QueueName=q.name) == {"QueueUrl": q.url}
    code = "AWS.SimpleQueueService.NonExistentQueue"
    for name in (q.name.upper(), "not a name at all!", "x" * 200):
        call.refuses("GetQueueUrl", code, call.no_such_queue, QueueName=name)


def test_a_queue_can_be_found_in_its_owners_account(call, q):
    assert call("GetQueueUrl", QueueName=q.name, QueueOwnerAWSAccountId=q.account) == {"QueueUrl": q.url}
    code = "AWS.SimpleQueueService.NonExistentQueue"
    call.refuses("GetQueueUrl", code, call.no_such_queue, QueueName=q.name, QueueOwnerAWSAccountId="999999999999")


# ── Delete ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_deleted_queue_is_gone_at_once(call, q):
    q.send()
    q("DeleteQueue")
    code = "AWS.SimpleQueueService.NonExistentQueue"
    q.refuses("ReceiveMessage", code, call.no_such_queue)
    q.refuses("DeleteQueue", code, call.no_such_queue)
    assert call("ListQueues", QueueNamePrefix=q.name) == {}


def test_a_queue_created_again_has_nothing_of_the_old_one(call, make, server):
    q = make(fifo=True, DelaySeconds="5")
    q.send("old", MessageGroupId="g", MessageDeduplicationId="d")
    q("TagQueue", Tags={"a": "1"})
    q("AddPermission", Label="l", AWSAccountIds=["123456789012"], Actions=["*"])
    q("DeleteQueue")
    server.advance(60)
    again = make(q.name, fifo=True)
    assert again.counts() == (0, 0, 0)
    assert again.get("DelaySeconds", "Policy") == {"DelaySeconds": "0"}
    assert again("ListQueueTags") == {}
    again.send("new", MessageGroupId="g", MessageDeduplicationId="d")
    assert again.bodies() == ["new"]


def test_sources_keep_the_redrive_policy_of_a_deleted_target(make):
    target = make()
    policy = json.dumps({"deadLetterTargetArn": target.arn, "maxReceiveCount": 1}, separators=(",", ":"))
    source = make(RedrivePolicy=policy)
    target("DeleteQueue")
    assert source.get("RedrivePolicy") == {"RedrivePolicy": policy}


# ── Attributes ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(51)
def test_a_value_out_of_range_is_refused(q):
    text = "Invalid value for the parameter VisibilityTimeout."
    q.refuses_attribute("VisibilityTimeout", "99999", "InvalidAttributeValue", text)


@pytest.mark.k(52)
@pytest.mark.parametrize("name", ["Foo", "visibilitytimeout", ""])
def test_an_unknown_attribute_cannot_be_read(q, name):
    text = f"Unknown Attribute {name}."
    q.refuses("GetQueueAttributes", "InvalidAttributeName", text, AttributeNames=["All", name])


@pytest.mark.k(53)
@pytest.mark.parametrize("name", ["Policy", "FifoQueue", "RedrivePolicy", "KmsMasterKeyId", "DeduplicationScope"])
def test_an_attribute_without_a_value_is_left_out(q, name):
    assert q("GetQueueAttributes", AttributeNames=[name]) == {}
    assert q.get(name, "DelaySeconds") == {"DelaySeconds": "0"}


@pytest.mark.k(54)
def test_only_one_kind_of_encryption_at_a_time(q, call):
    text = (
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
    )
    both = {"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true"}
    call.refuses("CreateQueue", "InvalidAttributeName", text, QueueName=fresh_name(), Attributes=both)
    q.refuses("SetQueueAttributes", "InvalidAttributeName", text, Attributes=both)


@pytest.mark.k(55)
def test_a_kms_key_turns_managed_encryption_off_for_good(q):
    q.set(KmsMasterKeyId="alias/key")
    found = q.get()
    assert (found["KmsMasterKeyId"], found["SqsManagedSseEnabled"]) == ("alias/key", "false")
    q.set(KmsMasterKeyId="")
    found = q.get()
    assert "KmsMasterKeyId" not in found
    assert found["SqsManagedSseEnabled"] == "false"


@pytest.mark.k(56)
def test_a_redrive_policy_comes_back_in_canonical_form(make):
    target = make()
    written = json.dumps({"maxReceiveCount": "5", "deadLetterTargetArn": target.arn}, indent=1)
    source = make(RedrivePolicy=written)
    stored = f'{{"deadLetterTargetArn":"{target.arn}","maxReceiveCount":5}}'
    assert source.get("RedrivePolicy") == {"RedrivePolicy": stored}


def redrive_policy(arn: str, count: object = 5) -> str:
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": count})


@pytest.mark.k(57)
def test_a_redrive_policy_needs_a_queue_and_a_count_from_1_to_1000(q, make):
    target = make()
    cases = [(redrive_policy(q.arn + "-missing"), "Dead letter target does not exist.")]
    for count in (0, 1001, "x", 1.5, -1):
        reason = f"Invalid value for maxReceiveCount: {count}, valid values are from 1 to 1000 both inclusive."
        cases.append((redrive_policy(target.arn, count), reason))
    for policy, reason in cases:
        text = f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}"
        q.refuses_attribute("RedrivePolicy", policy, "InvalidParameterValue", text)
    for count in (1, 1000):
        q.set(RedrivePolicy=redrive_policy(target.arn, count))


@pytest.mark.k(58)
def test_a_dead_letter_queue_is_of_the_same_type(q, fifo):
    for source, target in ((q, fifo), (fifo, q)):
        policy = redrive_policy(target.arn)
        text = (
            f"Value {policy} for parameter RedrivePolicy is invalid. "
            "Reason: Dead-letter queue must be same type of queue as the source.."
        )
        source.refuses_attribute("RedrivePolicy", policy, "InvalidParameterValue", text)


@pytest.mark.k(59)
def test_a_queue_may_name_itself_as_dead_letter_queue(q):
    q.set(RedrivePolicy=redrive_policy(q.arn))
    assert q("ListDeadLetterSourceQueues") == {"queueUrls": [q.url]}


@pytest.mark.k(60)
def test_an_empty_policy_unsets_it(make):
    target = make()
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:*",
                                                       "Resource": "*"}]}  # fmt: skip
    given = {
        "Policy": json.dumps(document),
        "RedrivePolicy": redrive_policy(target.arn),
        "RedriveAllowPolicy": '{"redrivePermission":"denyAll"}',
    }
    q = make(**given)
    assert set(given) <= set(q.get())
    q.set(**dict.fromkeys(given, ""))
    assert not set(given) & set(q.get())


@pytest.mark.k(61)
def test_a_redrive_allow_policy_names_sources_with_by_queue_only(q):
    prefix = "Amazon SQS can't create the redrive allow policy. "
    needs = prefix + (
        "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."
    )
    forbids = prefix + "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
    cases = [
        ({"redrivePermission": "byQueue"}, needs),
        ({"redrivePermission": "byQueue", "sourceQueueArns": []}, needs),
        ({"redrivePermission": "denyAll", "sourceQueueArns": [q.arn]}, forbids),
        ({"redrivePermission": "allowAll", "sourceQueueArns": [q.arn]}, forbids),
        (
            {"redrivePermission": "byQueue", "sourceQueueArns": [f"{q.arn}-{n}" for n in range(11)]},
            prefix + "The maximum number of source queue ARNs you can specify is 10.",
        ),
    ]
    for document, reason in cases:
        policy = json.dumps(document)
        text = f"Value {policy} for parameter RedriveAllowPolicy is invalid. Reason: {reason}"
        q.refuses_attribute("RedriveAllowPolicy", policy, "InvalidParameterValue", text)


@pytest.mark.k(62)
def test_a_target_that_denies_all_gets_no_source(make, q):
    target = make(RedriveAllowPolicy='{"redrivePermission":"denyAll"}')
    policy = redrive_policy(target.arn)
    text = (
        f"Value {policy} for parameter RedrivePolicy is invalid. Reason: Amazon SQS can't configure the dead-letter "
        "queue: the redrive allow policy of the target does not permit this source."
    )
    q.refuses_attribute("RedrivePolicy", policy, "InvalidParameterValue", text)


# ── Lists ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(63)
def test_lists_go_by_prefix_in_its_case_and_by_pages(call, make):
    prefix = fresh_name() + "-list-"
    urls = [make(prefix + letter).url for letter in "ab"]
    assert call("ListQueues", QueueNamePrefix=prefix.upper()) == {}
    assert call("ListQueues", QueueNamePrefix=prefix + "c") == {}
    assert call("ListQueues", QueueNamePrefix=prefix) == {"QueueUrls": urls}
    first = call("ListQueues", QueueNamePrefix=prefix, MaxResults=1)
    assert first == {"QueueUrls": urls[:1], "NextToken": first["NextToken"]}
    second = call("ListQueues", QueueNamePrefix=prefix, MaxResults=1, NextToken=first["NextToken"])
    assert second == {"QueueUrls": urls[1:]}


def as_account(account: str) -> dict[str, str]:
    """Headers of a caller whose access key id is an account: where signatures are not checked, it is theirs."""
    scope = f"{account}/20231114/us-east-1/sqs/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}


def test_without_checks_an_access_key_id_of_12_digits_is_the_account(call):
    name = fresh_name()
    url = call("CreateQueue", QueueName=name, headers=as_account("123456789012"))["QueueUrl"]
    assert url.endswith(f"/123456789012/{name}")
    assert call("ListQueues", QueueNamePrefix=name) == {}
    assert call("ListQueues", QueueNamePrefix=name, headers=as_account("123456789012")) == {"QueueUrls": [url]}


def test_without_max_results_a_list_has_1000_queues_and_never_a_token(json_call, query_call):
    headers = as_account("333333333333")
    for n in range(1001):
        json_call("CreateQueue", QueueName=f"many-{n:04}", headers=headers)
    for call in (json_call, query_call):
        listed = call("ListQueues", headers=headers)
        assert set(listed) == {"QueueUrls"}
        assert len(listed["QueueUrls"]) == 1000
        page = call("ListQueues", headers=headers, MaxResults=1000)
        rest = call("ListQueues", headers=headers, MaxResults=1000, NextToken=page["NextToken"])
        assert [url.split("/")[-1] for url in rest["QueueUrls"]] == ["many-1000"]
        assert "NextToken" not in rest


def test_an_empty_prefix_lists_all(call, q):
    assert q.url in call("ListQueues", QueueNamePrefix="")["QueueUrls"]
    assert call("ListQueues", QueueNamePrefix="") == call("ListQueues")


@pytest.mark.parametrize("size", [0, 1001, -1])
def test_a_page_of_queues_has_1_to_1000(call, q, size):
    text = "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000."
    call.refuses("ListQueues", "InvalidParameterValue", text, MaxResults=size)
    q.refuses("ListDeadLetterSourceQueues", "InvalidParameterValue", text, MaxResults=size)


def test_a_page_token_is_good_for_the_request_it_came_from(call, make):
    prefix = fresh_name() + "-token-"
    for letter in "ab":
        make(prefix + letter)
    token = call("ListQueues", QueueNamePrefix=prefix, MaxResults=1)["NextToken"]
    code = "InvalidParameterValue"
    invalid = "Invalid or expired next token."
    call.refuses("ListQueues", code, invalid, QueueNamePrefix=prefix, MaxResults=1, NextToken="garbage")
    changed = (
        "Invalid NextToken value. If you are passing in NextToken, you must not change the other request parameters."
    )
    call.refuses("ListQueues", code, changed, QueueNamePrefix=prefix[:-1], MaxResults=1, NextToken=token)


def test_sources_of_a_dead_letter_queue_come_in_pages(call, make):
    target = make()
    urls = sorted(make(RedrivePolicy=redrive_policy(target.arn)).url for _ in range(3))
    first = target("ListDeadLetterSourceQueues", MaxResults=2)
    assert first == {"queueUrls": urls[:2], "NextToken": first["NextToken"]}
    rest = target("ListDeadLetterSourceQueues", MaxResults=2, NextToken=first["NextToken"])
    assert rest == {"queueUrls": urls[2:]}


# ── Tags ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.k(64)
def test_tags_are_added_and_overwritten_by_case_sensitive_keys(q):
    for tags in ({"a": ""}, {"A": "1"}, {"a": "2"}):
        q("TagQueue", Tags=tags)
    assert q("ListQueueTags") == {"Tags": {"a": "2", "A": "1"}}


def test_a_tag_may_be_empty(q):
    q("TagQueue", Tags={"a": ""})
    assert q("ListQueueTags") == {"Tags": {"a": ""}}


@pytest.mark.k(65)
def test_untagging_an_unknown_key_changes_nothing(q):
    q("TagQueue", Tags={"a": "1", "b": "2"})
    q("UntagQueue", TagKeys=["A", "unknown"])
    assert q("ListQueueTags") == {"Tags": {"a": "1", "b": "2"}}
    q("UntagQueue", TagKeys=["a", "unknown"])
    assert q("ListQueueTags") == {"Tags": {"b": "2"}}


@pytest.mark.k(66)
def test_a_queue_without_tags_lists_nothing(q):
    assert q("ListQueueTags") == {}
