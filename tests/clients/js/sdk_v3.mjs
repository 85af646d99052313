// @aws-sdk/client-sqs, version 3 of the SDK.
import assert from "node:assert/strict";
import * as sdk from "@aws-sdk/client-sqs";
import { report } from "./report.mjs";
import { scenario } from "./scenario.mjs";

const endpoint = process.env.SQS_ENDPOINT;

const sqs = new sdk.SQSClient({ endpoint });
const rooted = new sdk.SQSClient({ endpoint, useQueueUrlAsEndpoint: false });

const caller = (client) => (action, input) => client.send(new sdk[`${action}Command`](input));

const errorNames = {
  noQueue: "QueueDoesNotExist",
  badHandle: "ReceiptHandleIsInvalid",
  sameIds: "BatchEntryIdsNotDistinct",
  badAttribute: "InvalidAttributeValue",
};

function scenarioOf(client, prefix) {
  return scenario({ call: caller(client), prefix, errorName: (error) => error.name, errorNames });
}

const named = (title, cases) =>
  Object.fromEntries(Object.entries(cases).map(([name, check]) => [`${title}: ${name}`, check]));

await report({
  ...named("as it comes", scenarioOf(sqs, "v3")),
  ...named("useQueueUrlAsEndpoint false", scenarioOf(rooted, "v3-rooted")),

  async "a client that knows no endpoint goes to the host of the queue's URL"() {
    const { QueueUrl } = await caller(sqs)("CreateQueue", { QueueName: "v3-by-url" });
    const warnings = [];
    const logger = { ...console, warn: (text) => warnings.push(text), info() {}, debug() {} };
    const byUrl = caller(new sdk.SQSClient({ logger }));
    const { MessageId } = await byUrl("SendMessage", { QueueUrl, MessageBody: "by its URL" });
    const { Messages } = await byUrl("ReceiveMessage", { QueueUrl });
    assert.deepEqual(Messages.map((message) => message.MessageId), [MessageId]);
    assert.match(warnings[0], /differs from SQSClient resolved endpoint/);
  },

  async "errors are of their class and carry the code of the Query protocol"() {
    await assert.rejects(caller(sqs)("GetQueueUrl", { QueueName: "v3-none" }), (error) => {
      assert.ok(error instanceof sdk.QueueDoesNotExist);
      assert.equal(error.message, "The specified queue does not exist.");
      assert.equal(error.Code, "AWS.SimpleQueueService.NonExistentQueue");
      assert.equal(error.$metadata.httpStatusCode, 400);
      assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
      return true;
    });
  },

  async "lists are read page by page"() {
    const names = ["v3-page-1", "v3-page-2", "v3-page-3"];
    for (const QueueName of names) await caller(sqs)("CreateQueue", { QueueName });
    const found = [];
    for await (const page of sdk.paginateListQueues({ client: sqs, pageSize: 2 }, { QueueNamePrefix: "v3-page-" })) {
      assert.ok(page.QueueUrls.length <= 2);
      found.push(...page.QueueUrls.map((url) => url.split("/").at(-1)));
    }
    assert.deepEqual(found.sort(), names);
  },

  "digests are verified"() {
    assert.notEqual(sqs.config.md5, false);
  },

  async "a wrong secret is refused"() {
    const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "wrong" };
    const wrong = caller(new sdk.SQSClient({ endpoint, credentials }));
    await assert.rejects(wrong("ListQueues", {}), (error) => {
      assert.equal(error.$metadata.httpStatusCode, 403);
      assert.equal(error.name, "SignatureDoesNotMatch");
      return true;
    });
  },
});
