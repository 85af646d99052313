"""One golden exchange for every action: the input in both protocols, the output in both protocols."""

from typing import Any, NamedTuple

from stanchion import actions as a

URL = "http://localhost:9324/000000000000/q"
FULL_ATTRIBUTE = a.MessageAttributeValue(string_value="blue", data_type="String")
BINARY_ATTRIBUTE = a.MessageAttributeValue(binary_value=b"\x01\x02\x03", data_type="Binary")


class Golden(NamedTuple):
    action: str
    json_input: dict[str, Any]
    query: list[tuple[str, str]]
    input: a.Shape
    output: a.Shape | None
    json_output: str  # "" for void actions
    xml_result: str  # what stands between the root's tag and ResponseMetadata


def failed(ident: str) -> a.BatchResultErrorEntry:
    return a.BatchResultErrorEntry(id=ident, code="InvalidParameterValue", message='bad "x"', sender_fault=True)


FAILED_JSON = '{"Id":"b","Code":"InvalidParameterValue","Message":"bad \\"x\\"","SenderFault":true}'
FAILED_XML = (
    "<BatchResultErrorEntry><Id>b</Id><Code>InvalidParameterValue</Code><Message>bad &quot;x&quot;</Message>"
    "<SenderFault>true</SenderFault></BatchResultErrorEntry>"
)


def void(action: str, json_input: dict[str, Any], query: list[tuple[str, str]], given: a.Shape) -> Golden:
    return Golden(action, {"QueueUrl": URL, **json_input}, [("QueueUrl", URL), *query], given, None, "", "")


EXCHANGES = [
    void(
        "AddPermission",
        {"Label": "l", "AWSAccountIds": ["111111111111", "222222222222"], "Actions": ["SendMessage", "*"]},
        [
            ("Label", "l"),
            ("AWSAccountId.1", "111111111111"),
            ("AWSAccountId.2", "222222222222"),
            ("ActionName.1", "SendMessage"),
            ("ActionName.2", "*"),
        ],
        a.AddPermissionInput(
            queue_url=URL,
            label="l",
            aws_account_ids=["111111111111", "222222222222"],
            actions=["SendMessage", "*"],
        ),
    ),
    Golden(
        "CancelMessageMoveTask",
        {"TaskHandle": "t"},
        [("TaskHandle", "t")],
        a.CancelMessageMoveTaskInput(task_handle="t"),
        a.CancelMessageMoveTaskOutput(approximate_number_of_messages_moved=2),
        '{"ApproximateNumberOfMessagesMoved":2}',
        "<ApproximateNumberOfMessagesMoved>2</ApproximateNumberOfMessagesMoved>",
    ),
    void(
        "ChangeMessageVisibility",
        {"ReceiptHandle": "r", "VisibilityTimeout": 0},
        [("ReceiptHandle", "r"), ("VisibilityTimeout", "0")],
        a.ChangeMessageVisibilityInput(queue_url=URL, receipt_handle="r", visibility_timeout=0),
    ),
    Golden(
        "ChangeMessageVisibilityBatch",
        {"QueueUrl": URL, "Entries": [{"Id": "a", "ReceiptHandle": "r", "VisibilityTimeout": 5}, {"Id": "b"}]},
        [
            ("QueueUrl", URL),
            ("ChangeMessageVisibilityBatchRequestEntry.1.Id", "a"),
            ("ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle", "r"),
            ("ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout", "5"),
            ("ChangeMessageVisibilityBatchRequestEntry.2.Id", "b"),
        ],
        a.ChangeMessageVisibilityBatchInput(
            queue_url=URL,
            entries=[
                a.ChangeMessageVisibilityEntry(id="a", receipt_handle="r", visibility_timeout=5),
                a.ChangeMessageVisibilityEntry(id="b"),
            ],
        ),
        a.ChangeMessageVisibilityBatchOutput(successful=[a.BatchResultEntry(id="a")], failed=[failed("b")]),
        f'{{"Successful":[{{"Id":"a"}}],"Failed":[{FAILED_JSON}]}}',
        "<ChangeMessageVisibilityBatchResultEntry><Id>a</Id></ChangeMessageVisibilityBatchResultEntry>" + FAILED_XML,
    ),
    Golden(
        "CreateQueue",
        {"QueueName": "q", "Attributes": {"DelaySeconds": "5", "FifoQueue": "true"}, "tags": {"env": "prod"}},
        [
            ("QueueName", "q"),
            ("Attribute.1.Name", "DelaySeconds"),
            ("Attribute.1.Value", "5"),
            ("Attribute.2.Name", "FifoQueue"),
            ("Attribute.2.Value", "true"),
            ("Tag.1.Key", "env"),
            ("Tag.1.Value", "prod"),
        ],
        a.CreateQueueInput(
            queue_name="q",
            attributes={"DelaySeconds": "5", "FifoQueue": "true"},
            create_tags={"env": "prod"},
        ),
        a.CreateQueueOutput(queue_url=URL),
        f'{{"QueueUrl":"{URL}"}}',
        f"<QueueUrl>{URL}</QueueUrl>",
    ),
    void(
        "DeleteMessage",
        {"ReceiptHandle": "r+/="},
        [("ReceiptHandle", "r+/=")],
        a.DeleteMessageInput(queue_url=URL, receipt_handle="r+/="),
    ),
    Golden(
        "DeleteMessageBatch",
        {"QueueUrl": URL, "Entries": [{"Id": "x", "ReceiptHandle": "r"}]},
        [
            ("QueueUrl", URL),
            ("DeleteMessageBatchRequestEntry.1.Id", "x"),
            ("DeleteMessageBatchRequestEntry.1.ReceiptHandle", "r"),
        ],
        a.DeleteMessageBatchInput(queue_url=URL, entries=[a.DeleteMessageEntry(id="x", receipt_handle="r")]),
        a.DeleteMessageBatchOutput(successful=[a.BatchResultEntry(id="x")]),
        '{"Successful":[{"Id":"x"}]}',
        "<DeleteMessageBatchResultEntry><Id>x</Id></DeleteMessageBatchResultEntry>",
    ),
    void("DeleteQueue", {}, [], a.QueueUrlInput(queue_url=URL)),
    Golden(
        "GetQueueAttributes",
        {"QueueUrl": URL, "AttributeNames": ["All"]},
        [("QueueUrl", URL), ("AttributeName.1", "All")],
        a.GetQueueAttributesInput(queue_url=URL, attribute_names=["All"]),
        a.GetQueueAttributesOutput(attributes={"VisibilityTimeout": "30", "Policy": '{"a":"<b>"}'}),
        '{"Attributes":{"VisibilityTimeout":"30","Policy":"{\\"a\\":\\"<b>\\"}"}}',
        "<Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute>"
        "<Attribute><Name>Policy</Name><Value>{&quot;a&quot;:&quot;&lt;b&gt;&quot;}</Value></Attribute>",
    ),
    Golden(
        "GetQueueUrl",
        {"QueueName": "q", "QueueOwnerAWSAccountId": "111111111111"},
        [("QueueName", "q"), ("QueueOwnerAWSAccountId", "111111111111")],
        a.GetQueueUrlInput(queue_name="q", queue_owner_aws_account_id="111111111111"),
        a.GetQueueUrlOutput(queue_url=URL),
        f'{{"QueueUrl":"{URL}"}}',
        f"<QueueUrl>{URL}</QueueUrl>",
    ),
    Golden(
        "ListDeadLetterSourceQueues",
        {"QueueUrl": URL, "NextToken": "t", "MaxResults": 10},
        [("QueueUrl", URL), ("NextToken", "t"), ("MaxResults", "10")],
        a.ListDeadLetterSourceQueuesInput(queue_url=URL, next_token="t", max_results=10),
        a.ListDeadLetterSourceQueuesOutput(source_queue_urls=[URL], next_token="u"),
        f'{{"queueUrls":["{URL}"],"NextToken":"u"}}',
        f"<QueueUrl>{URL}</QueueUrl><NextToken>u</NextToken>",
    ),
    Golden(
        "ListMessageMoveTasks",
        {"SourceArn": "s", "MaxResults": 3},
        [("SourceArn", "s"), ("MaxResults", "3")],
        a.ListMessageMoveTasksInput(source_arn="s", max_results=3),
        a.ListMessageMoveTasksOutput(
            results=[
                a.ListMessageMoveTasksEntry(
                    status="RUNNING", approximate_number_of_messages_moved=2, started_timestamp=1700000000000
                )
            ]
        ),
        '{"Results":[{"Status":"RUNNING","ApproximateNumberOfMessagesMoved":2,"StartedTimestamp":1700000000000}]}',
        "<ListMessageMoveTasksResultEntry><Status>RUNNING</Status>"
        "<ApproximateNumberOfMessagesMoved>2</ApproximateNumberOfMessagesMoved>"
        "<StartedTimestamp>1700000000000</StartedTimestamp></ListMessageMoveTasksResultEntry>",
    ),
    Golden(
        "ListQueues",
        {"QueueNamePrefix": "a", "NextToken": "t", "MaxResults": 2},
        [("QueueNamePrefix", "a"), ("NextToken", "t"), ("MaxResults", "2")],
        a.ListQueuesInput(queue_name_prefix="a", next_token="t", max_results=2),
        a.ListQueuesOutput(queue_urls=[URL, URL + "2"], next_token="u"),
        f'{{"QueueUrls":["{URL}","{URL}2"],"NextToken":"u"}}',
        f"<QueueUrl>{URL}</QueueUrl><QueueUrl>{URL}2</QueueUrl><NextToken>u</NextToken>",
    ),
    Golden(
        "ListQueueTags",
        {"QueueUrl": URL},
        [("QueueUrl", URL)],
        a.QueueUrlInput(queue_url=URL),
        a.ListQueueTagsOutput(tags={"env": "prod", "empty": ""}),
        '{"Tags":{"env":"prod","empty":""}}',
        "<Tag><Key>env</Key><Value>prod</Value></Tag><Tag><Key>empty</Key><Value></Value></Tag>",
    ),
    void("PurgeQueue", {}, [], a.QueueUrlInput(queue_url=URL)),
    Golden(
        "ReceiveMessage",
        {
            "QueueUrl": URL,
            "AttributeNames": ["All"],
            "MessageSystemAttributeNames": ["SenderId"],
            "MessageAttributeNames": ["a.*", "b"],
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": 0,
            "WaitTimeSeconds": 20,
            "ReceiveRequestAttemptId": "x",
        },
        [
            ("QueueUrl", URL),
            ("AttributeName.1", "All"),
            ("MessageSystemAttributeName.1", "SenderId"),
            ("MessageAttributeName.1", "a.*"),
            ("MessageAttributeName.2", "b"),
            ("MaxNumberOfMessages", "10"),
            ("VisibilityTimeout", "0"),
            ("WaitTimeSeconds", "20"),
            ("ReceiveRequestAttemptId", "x"),
        ],
        a.ReceiveMessageInput(
            queue_url=URL,
            attribute_names=["All"],
            message_system_attribute_names=["SenderId"],
            message_attribute_names=["a.*", "b"],
            max_number_of_messages=10,
            visibility_timeout=0,
            wait_time_seconds=20,
            receive_request_attempt_id="x",
        ),
        a.ReceiveMessageOutput(
            messages=[
                a.ReceivedMessage(
                    message_id="m",
                    receipt_handle="r",
                    md5_of_body="d",
                    body='"&quot;&quot;\r',
                    attributes={"SentTimestamp": "1700000000000"},
                    md5_of_message_attributes="e",
                    message_attributes={"color": FULL_ATTRIBUTE, "blob": BINARY_ATTRIBUTE},
                ),
                a.ReceivedMessage(message_id="m2", receipt_handle="r2", md5_of_body="d2", body=" \t\n<é>"),
            ]
        ),
        '{"Messages":[{"MessageId":"m","ReceiptHandle":"r","MD5OfBody":"d","Body":"\\"&quot;&quot;\\r",'
        '"Attributes":{"SentTimestamp":"1700000000000"},"MD5OfMessageAttributes":"e","MessageAttributes":{'
        '"color":{"StringValue":"blue","DataType":"String"},"blob":{"BinaryValue":"AQID","DataType":"Binary"}}},'
        '{"MessageId":"m2","ReceiptHandle":"r2","MD5OfBody":"d2","Body":" \\t\\n<é>"}]}',
        "<Message><MessageId>m</MessageId><ReceiptHandle>r</ReceiptHandle><MD5OfBody>d</MD5OfBody>"
        "<Body>&quot;&amp;quot;&amp;quot;&#xD;</Body>"
        "<Attribute><Name>SentTimestamp</Name><Value>1700000000000</Value></Attribute>"
        "<MD5OfMessageAttributes>e</MD5OfMessageAttributes>"
        "<MessageAttribute><Name>color</Name><Value><StringValue>blue</StringValue><DataType>String</DataType></Value>"
        "</MessageAttribute>"
        "<MessageAttribute><Name>blob</Name><Value><BinaryValue>AQID</BinaryValue><DataType>Binary</DataType></Value>"
        "</MessageAttribute></Message>"
        "<Message><MessageId>m2</MessageId><ReceiptHandle>r2</ReceiptHandle><MD5OfBody>d2</MD5OfBody>"
        "<Body> \t\n&lt;é&gt;</Body></Message>",
    ),
    void(
        "RemovePermission",
        {"Label": "l"},
        [("Label", "l")],
        a.RemovePermissionInput(queue_url=URL, label="l"),
    ),
    Golden(
        "SendMessage",
        {
            "QueueUrl": URL,
            "MessageBody": "b + é",
            "DelaySeconds": 5,
            "MessageAttributes": {
                "color": {"DataType": "String", "StringValue": "blue"},
                "blob": {"DataType": "Binary", "BinaryValue": "AQID"},
            },
            "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": "blue"}},
            "MessageDeduplicationId": "d",
            "MessageGroupId": "g",
        },
        [
            ("QueueUrl", URL),
            ("MessageBody", "b + é"),
            ("DelaySeconds", "5"),
            ("MessageAttribute.1.Name", "color"),
            ("MessageAttribute.1.Value.DataType", "String"),
            ("MessageAttribute.1.Value.StringValue", "blue"),
            ("MessageAttribute.2.Name", "blob"),
            ("MessageAttribute.2.Value.DataType", "Binary"),
            ("MessageAttribute.2.Value.BinaryValue", "AQID"),
            ("MessageSystemAttribute.1.Name", "AWSTraceHeader"),
            ("MessageSystemAttribute.1.Value.DataType", "String"),
            ("MessageSystemAttribute.1.Value.StringValue", "blue"),
            ("MessageDeduplicationId", "d"),
            ("MessageGroupId", "g"),
        ],
        a.SendMessageInput(
            queue_url=URL,
            message_body="b + é",
            delay_seconds=5,
            message_attributes={"color": FULL_ATTRIBUTE, "blob": BINARY_ATTRIBUTE},
            message_system_attributes={"AWSTraceHeader": FULL_ATTRIBUTE},
            message_deduplication_id="d",
            message_group_id="g",
        ),
        a.SendMessageOutput(
            message_id="m",
            md5_of_message_body="d",
            md5_of_message_attributes="e",
            md5_of_message_system_attributes="f",
            sequence_number="18849496460467696128",
        ),
        '{"MessageId":"m","MD5OfMessageBody":"d","MD5OfMessageAttributes":"e","MD5OfMessageSystemAttributes":"f",'
        '"SequenceNumber":"18849496460467696128"}',
        "<MessageId>m</MessageId><MD5OfMessageBody>d</MD5OfMessageBody>"
        "<MD5OfMessageAttributes>e</MD5OfMessageAttributes>"
        "<MD5OfMessageSystemAttributes>f</MD5OfMessageSystemAttributes>"
        "<SequenceNumber>18849496460467696128</SequenceNumber>",
    ),
    Golden(
        "SendMessageBatch",
        {
            "QueueUrl": URL,
            "Entries": [
                {
                    "Id": "a",
                    "MessageBody": "b",
                    "MessageAttributes": {"color": {"DataType": "String", "StringValue": "blue"}},
                },
                {"Id": "b", "DelaySeconds": 1, "MessageGroupId": "g", "MessageDeduplicationId": "d"},
            ],
        },
        [
            ("QueueUrl", URL),
            ("SendMessageBatchRequestEntry.1.Id", "a"),
            ("SendMessageBatchRequestEntry.1.MessageBody", "b"),
            ("SendMessageBatchRequestEntry.1.MessageAttribute.1.Name", "color"),
            ("SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType", "String"),
            ("SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue", "blue"),
            ("SendMessageBatchRequestEntry.2.Id", "b"),
            ("SendMessageBatchRequestEntry.2.DelaySeconds", "1"),
            ("SendMessageBatchRequestEntry.2.MessageGroupId", "g"),
            ("SendMessageBatchRequestEntry.2.MessageDeduplicationId", "d"),
        ],
        a.SendMessageBatchInput(
            queue_url=URL,
            entries=[
                a.SendMessageEntry(id="a", message_body="b", message_attributes={"color": FULL_ATTRIBUTE}),
                a.SendMessageEntry(id="b", delay_seconds=1, message_group_id="g", message_deduplication_id="d"),
            ],
        ),
        a.SendMessageBatchOutput(
            successful=[a.SendMessageBatchResultEntry(id="a", message_id="m", md5_of_message_body="d")],
            failed=[failed("b")],
        ),
        f'{{"Successful":[{{"Id":"a","MessageId":"m","MD5OfMessageBody":"d"}}],"Failed":[{FAILED_JSON}]}}',
        "<SendMessageBatchResultEntry><Id>a</Id><MessageId>m</MessageId><MD5OfMessageBody>d</MD5OfMessageBody>"
        "</SendMessageBatchResultEntry>" + FAILED_XML,
    ),
    void(
        "SetQueueAttributes",
        {"Attributes": {"Policy": ""}},
        [("Attribute.1.Name", "Policy"), ("Attribute.1.Value", "")],
        a.SetQueueAttributesInput(queue_url=URL, attributes={"Policy": ""}),
    ),
    Golden(
        "StartMessageMoveTask",
        {"SourceArn": "s", "DestinationArn": "d", "MaxNumberOfMessagesPerSecond": 500},
        [("SourceArn", "s"), ("DestinationArn", "d"), ("MaxNumberOfMessagesPerSecond", "500")],
        a.StartMessageMoveTaskInput(source_arn="s", destination_arn="d", max_number_of_messages_per_second=500),
        a.StartMessageMoveTaskOutput(task_handle="t"),
        '{"TaskHandle":"t"}',
        "<TaskHandle>t</TaskHandle>",
    ),
    void(
        "TagQueue",
        {"Tags": {"a": "1", "b": ""}},
        [("Tag.1.Key", "a"), ("Tag.1.Value", "1"), ("Tag.2.Key", "b"), ("Tag.2.Value", "")],
        a.TagQueueInput(queue_url=URL, tags={"a": "1", "b": ""}),
    ),
    void(
        "UntagQueue",
        {"TagKeys": ["a", "b"]},
        [("TagKey.1", "a"), ("TagKey.2", "b")],
        a.UntagQueueInput(queue_url=URL, tag_keys=["a", "b"]),
    ),
]
