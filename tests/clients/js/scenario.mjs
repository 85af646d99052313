// What every version of the SDK must be able to do with the server.
import assert from "node:assert/strict";

const BYTES = Uint8Array.from([0, 1, 127, 128, 255]);

/**
 * The cases, by name. `call(action, input)` makes one call and gives its output; `errorName(error)` is what the SDK
 * lets a program tell errors apart by, and `errorNames` says what that is for the errors that are provoked here.
 */
export function scenario({ call, prefix, errorName, errorNames }) {
  let queues = 0;

  async function newQueue(Attributes = {}, suffix = "") {
    queues += 1;
    const QueueName = `${prefix}-${queues}${suffix}`;
    const { QueueUrl } = await call("CreateQueue", { QueueName, Attributes });
    return QueueUrl;
  }

  const newFifoQueue = (attributes = {}) => newQueue({ FifoQueue: "true", ...attributes }, ".fifo");

  async function receive(QueueUrl, input = {}) {
    const output = await call("ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 10, ...input });
    return output.Messages ?? [];
  }

  async function receiveAll(QueueUrl, count) {
    const messages = [];
    while (messages.length < count) {
      const more = await receive(QueueUrl, { WaitTimeSeconds: 5 });
      assert.notEqual(more.length, 0, `only ${messages.length} of ${count} messages came`);
      messages.push(...more);
    }
    return messages;
  }

  async function fails(expected, action, input) {
    await assert.rejects(call(action, input), (error) => {
      assert.equal(errorName(error), expected);
      return true;
    });
  }

  return {
    async "a queue is made, found, listed, described, tagged and deleted"() {
      const QueueUrl = await newQueue({ VisibilityTimeout: "45", DelaySeconds: "0" });
      const QueueName = QueueUrl.split("/").at(-1);
      assert.equal((await call("GetQueueUrl", { QueueName })).QueueUrl, QueueUrl);
      assert.deepEqual((await call("ListQueues", { QueueNamePrefix: QueueName })).QueueUrls, [QueueUrl]);

      await call("SetQueueAttributes", { QueueUrl, Attributes: { MaximumMessageSize: "2048" } });
      const { Attributes } = await call("GetQueueAttributes", { QueueUrl, AttributeNames: ["All"] });
      assert.equal(Attributes.VisibilityTimeout, "45");
      assert.equal(Attributes.MaximumMessageSize, "2048");
      assert.match(Attributes.QueueArn, new RegExp(`^arn:aws:sqs:us-east-1:[0-9]{12}:${QueueName}$`));

      await call("TagQueue", { QueueUrl, Tags: { team: "blue", stage: "test" } });
      await call("UntagQueue", { QueueUrl, TagKeys: ["stage"] });
      assert.deepEqual((await call("ListQueueTags", { QueueUrl })).Tags, { team: "blue" });

      await call("DeleteQueue", { QueueUrl });
      await fails(errorNames.noQueue, "SendMessage", { QueueUrl, MessageBody: "too late" });
    },

    async "a message keeps its text and attributes of every type"() {
      const QueueUrl = await newQueue();
      const MessageAttributes = {
        text: { DataType: "String", StringValue: "grün <&> \u{1F600}" },
        count: { DataType: "Number.int", StringValue: "42" },
        bytes: { DataType: "Binary.raw", BinaryValue: BYTES },
      };
      const MessageBody = 'line\nline\ttab "quotes" & <tags> \u{1F40E}';
      const sent = await call("SendMessage", { QueueUrl, MessageBody, MessageAttributes });
      assert.match(sent.MD5OfMessageAttributes, /^[0-9a-f]{32}$/);

      const wanted = { MessageAttributeNames: ["All"], AttributeNames: ["All"] };
      const [message] = await receive(QueueUrl, wanted);
      assert.equal(message.Body, MessageBody);
      assert.equal(message.MessageId, sent.MessageId);
      assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
      assert.equal(message.MessageAttributes.text.StringValue, MessageAttributes.text.StringValue);
      assert.equal(message.MessageAttributes.count.DataType, "Number.int");
      assert.deepEqual(Uint8Array.from(message.MessageAttributes.bytes.BinaryValue), BYTES);
      assert.equal(message.Attributes.ApproximateReceiveCount, "1");
      await call("DeleteMessage", { QueueUrl, ReceiptHandle: message.ReceiptHandle });
    },

    async "ten messages go and come in batches"() {
      const QueueUrl = await newQueue();
      const bodies = Array.from({ length: 10 }, (_, n) => `message ${n}`);
      const Entries = bodies.map((MessageBody, n) => ({ Id: `e${n}`, MessageBody }));
      const sent = await call("SendMessageBatch", { QueueUrl, Entries });
      assert.equal(sent.Successful.length, 10);

      const messages = await receiveAll(QueueUrl, 10);
      assert.deepEqual(messages.map((message) => message.Body).sort(), bodies);
      const handles = messages.map(({ ReceiptHandle }, n) => ({ Id: `${n}`, ReceiptHandle }));
      const longer = handles.map((entry) => ({ ...entry, VisibilityTimeout: 60 }));
      const changed = await call("ChangeMessageVisibilityBatch", { QueueUrl, Entries: longer });
      assert.equal(changed.Successful.length, 10);

      const withOneWrong = [...handles.slice(1), { Id: "wrong", ReceiptHandle: "not a handle" }];
      const deleted = await call("DeleteMessageBatch", { QueueUrl, Entries: withOneWrong });
      assert.equal(deleted.Successful.length, 9);
      assert.deepEqual(deleted.Failed.map(({ Id, Code }) => [Id, Code]), [["wrong", "ReceiptHandleIsInvalid"]]);
    },

    async "a message that is given back comes again and counts its receives"() {
      const QueueUrl = await newQueue();
      await call("SendMessage", { QueueUrl, MessageBody: "again" });
      const [first] = await receive(QueueUrl);
      assert.deepEqual(await receive(QueueUrl), []);
      await call("ChangeMessageVisibility", { QueueUrl, ReceiptHandle: first.ReceiptHandle, VisibilityTimeout: 0 });
      const [second] = await receive(QueueUrl, { AttributeNames: ["ApproximateReceiveCount"] });
      assert.equal(second.MessageId, first.MessageId);
      assert.notEqual(second.ReceiptHandle, first.ReceiptHandle);
      assert.deepEqual(second.Attributes, { ApproximateReceiveCount: "2" });
    },

    async "a FIFO queue keeps the order of a group and drops what is sent twice"() {
      const QueueUrl = await newFifoQueue();
      const send = (MessageBody, MessageGroupId) =>
        call("SendMessage", { QueueUrl, MessageBody, MessageGroupId, MessageDeduplicationId: MessageBody });
      const first = await send("a1", "a");
      const again = await send("a1", "a");
      assert.equal(again.MessageId, first.MessageId);
      assert.equal(again.SequenceNumber, first.SequenceNumber);
      for (const body of ["b1", "a2", "a3"]) await send(body, body[0]);

      const messages = await receive(QueueUrl, { AttributeNames: ["All"] });
      const ofA = messages.filter((message) => message.Attributes.MessageGroupId === "a");
      assert.deepEqual(ofA.map((message) => message.Body), ["a1", "a2", "a3"]);
      assert.equal(messages.length, 4);
      assert.equal(ofA[0].Attributes.SequenceNumber, first.SequenceNumber);
    },

    async "a FIFO receive is repeated by its attempt id"() {
      const QueueUrl = await newFifoQueue({ ContentBasedDeduplication: "true" });
      await call("SendMessage", { QueueUrl, MessageBody: "once", MessageGroupId: "g" });
      const attempt = { ReceiveRequestAttemptId: "attempt-1" };
      const [first] = await receive(QueueUrl, attempt);
      const [repeated] = await receive(QueueUrl, attempt);
      assert.equal(repeated.MessageId, first.MessageId);
      assert.deepEqual(await receive(QueueUrl, { ReceiveRequestAttemptId: "attempt-2" }), []);
    },

    async "a long poll is answered when a message comes"() {
      const QueueUrl = await newQueue();
      const started = performance.now();
      const polling = receive(QueueUrl, { WaitTimeSeconds: 20 });
      setTimeout(() => call("SendMessage", { QueueUrl, MessageBody: "wake up" }), 300);
      assert.deepEqual((await polling).map((message) => message.Body), ["wake up"]);
      assert.ok(performance.now() - started < 15_000, "answered by the message and not by the end of the wait");
    },

    async "a long poll without a message ends empty after its wait"() {
      const QueueUrl = await newQueue({ ReceiveMessageWaitTimeSeconds: "1" });
      const started = performance.now();
      assert.deepEqual(await receive(QueueUrl), []);
      assert.ok(performance.now() - started > 900, "it waited as long as the queue says");
    },

    async "errors can be told apart by name"() {
      const QueueUrl = await newQueue();
      await fails(errorNames.noQueue, "GetQueueUrl", { QueueName: `${prefix}-none` });
      await fails(errorNames.badHandle, "DeleteMessage", { QueueUrl, ReceiptHandle: "nonsense" });
      const Entries = [{ Id: "a", MessageBody: "1" }, { Id: "a", MessageBody: "2" }];
      await fails(errorNames.sameIds, "SendMessageBatch", { QueueUrl, Entries });
      await fails(errorNames.badAttribute, "CreateQueue", {
        QueueName: `${prefix}-bad`,
        Attributes: { VisibilityTimeout: "43201" },
      });
    },
  };
}
