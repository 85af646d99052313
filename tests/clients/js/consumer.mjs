// sqs-consumer: polls, hands out, deletes what was handled, gives back what was not.
import assert from "node:assert/strict";
import { once } from "node:events";
import * as sdk from "@aws-sdk/client-sqs";
import { Consumer } from "sqs-consumer";
import { report } from "./report.mjs";

const sqs = new sdk.SQSClient({ endpoint: process.env.SQS_ENDPOINT });
const call = (action, input) => sqs.send(new sdk[`${action}Command`](input));

async function newQueue(QueueName) {
  const { QueueUrl } = await call("CreateQueue", { QueueName });
  return QueueUrl;
}

async function left(QueueUrl) {
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
  const { Attributes } = await call("GetQueueAttributes", { QueueUrl, AttributeNames });
  return AttributeNames.map((name) => Number(Attributes[name]));
}

/** Until `event` came so many times; rejects with the first error that the consumer did not expect. */
function times(consumer, event, count) {
  return new Promise((resolve, reject) => {
    consumer.on(event, () => {
      count -= 1;
      if (count === 0) resolve();
    });
    consumer.on("error", reject);
  });
}

async function stopped(consumer) {
  const done = once(consumer, "stopped");
  consumer.stop({ abort: true });
  await done;
  assert.equal(consumer.status.isRunning, false);
}

await report({
  async "messages are handled one by one and deleted"() {
    const queueUrl = await newQueue("consumer-single");
    const seen = [];
    const consumer = Consumer.create({
      queueUrl,
      sqs,
      messageAttributeNames: ["All"],
      handleMessage: async (message) => void seen.push([message.Body, message.MessageAttributes.n.StringValue]),
    });
    const all = times(consumer, "message_processed", 3);
    consumer.start();
    for (const n of ["1", "2", "3"]) {
      const MessageAttributes = { n: { DataType: "Number", StringValue: n } };
      await call("SendMessage", { QueueUrl: queueUrl, MessageBody: `job ${n}`, MessageAttributes });
    }
    await all;
    await stopped(consumer);
    assert.deepEqual(seen.sort(), [["job 1", "1"], ["job 2", "2"], ["job 3", "3"]]);
    assert.deepEqual(await left(queueUrl), [0, 0]);
  },

  async "a message whose handler fails comes again"() {
    const queueUrl = await newQueue("consumer-failing");
    const receives = [];
    const problems = [];
    const consumer = Consumer.create({
      queueUrl,
      sqs,
      attributeNames: ["ApproximateReceiveCount"],
      terminateVisibilityTimeout: true,
      handleMessage: async (message) => {
        receives.push(message.Attributes.ApproximateReceiveCount);
        if (receives.length === 1) throw new Error("not this time");
      },
    });
    consumer.on("processing_error", (error) => problems.push(error.message));
    const handled = times(consumer, "message_processed", 1);
    await call("SendMessage", { QueueUrl: queueUrl, MessageBody: "stubborn" });
    consumer.start();
    await handled;
    await stopped(consumer);
    assert.deepEqual(receives, ["1", "2"]);
    assert.match(problems.join(), /not this time/);
    assert.deepEqual(await left(queueUrl), [0, 0]);
  },

  async "a batch handler keeps what it does not answer for"() {
    const queueUrl = await newQueue("consumer-batch");
    const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: n < 4 ? "skip" : "do" }));
    await call("SendMessageBatch", { QueueUrl: queueUrl, Entries });
    const consumer = Consumer.create({
      queueUrl,
      sqs,
      batchSize: 10,
      handleMessageBatch: async (messages) => messages.filter((message) => message.Body === "do"),
    });
    const done = times(consumer, "message_processed", 6);
    consumer.start();
    await done;
    await stopped(consumer);
    assert.deepEqual(await left(queueUrl), [0, 4]);
  },

  async "a heartbeat holds a message as long as its handler works"() {
    const queueUrl = await newQueue("consumer-heartbeat");
    const held = new sdk.SQSClient({ endpoint: process.env.SQS_ENDPOINT });
    let beats = 0;
    const countBeats = (next, context) => async (args) => {
      const result = await next(args);
      if (context.commandName === "ChangeMessageVisibilityCommand") beats += 1;
      return result;
    };
    held.middlewareStack.add(countBeats, { step: "initialize", name: "countBeats" });
    const enoughBeats = async () => {
      while (beats < 3) await new Promise(setImmediate);
    };
    const consumer = Consumer.create({
      queueUrl,
      sqs: held,
      visibilityTimeout: 30,
      heartbeatInterval: 0.05,
      handleMessage: enoughBeats,
    });
    const handled = times(consumer, "message_processed", 1);
    await call("SendMessage", { QueueUrl: queueUrl, MessageBody: "long work" });
    consumer.start();
    await handled;
    await stopped(consumer);
    assert.deepEqual(await left(queueUrl), [0, 0]);
  },

  async "a queue that is not there is an error with its name"() {
    const queueUrl = `${process.env.SQS_ENDPOINT}/123456789012/consumer-none`;
    const consumer = Consumer.create({ queueUrl, sqs, handleMessage: async () => {} });
    consumer.start();
    const [error] = await once(consumer, "error").catch((reason) => [reason]);
    await stopped(consumer);
    assert.equal(error.code, "QueueDoesNotExist");
    assert.equal(error.statusCode, 400);
  },

  async "a consumer stops in the middle of a long poll"() {
    const queueUrl = await newQueue("consumer-idle");
    const started = performance.now();
    const consumer = Consumer.create({ queueUrl, sqs, handleMessage: async () => {} });
    const polled = times(consumer, "response_processed", 1);
    await call("SendMessage", { QueueUrl: queueUrl, MessageBody: "first" });
    consumer.start();
    await polled;
    consumer.removeAllListeners("error");
    consumer.on("error", () => {}); // the poll that is broken off
    await stopped(consumer);
    assert.ok(performance.now() - started < 15_000, "not at the end of the poll's 20 seconds");
  },
});
