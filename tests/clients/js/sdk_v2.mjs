// aws-sdk, version 2: posts each call on a queue to the queue's URL.
import assert from "node:assert/strict";
import AWS from "aws-sdk";
import { report } from "./report.mjs";
import { scenario } from "./scenario.mjs";

const endpoint = process.env.SQS_ENDPOINT;
const sqs = new AWS.SQS({ endpoint });
const wrong = new AWS.SQS({ endpoint, credentials: new AWS.Credentials(process.env.AWS_ACCESS_KEY_ID, "wrong") });

const call = (action, input) => sqs[action[0].toLowerCase() + action.slice(1)](input).promise();

await report({
  ...scenario({
    call,
    prefix: "v2",
    errorName: (error) => error.code,
    errorNames: {
      noQueue: "AWS.SimpleQueueService.NonExistentQueue",
      badHandle: "ReceiptHandleIsInvalid",
      sameIds: "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
      badAttribute: "InvalidAttributeValue",
    },
  }),

  "digests are verified"() {
    assert.equal(sqs.config.computeChecksums, true);
  },

  async "a wrong secret is refused"() {
    await assert.rejects(wrong.listQueues().promise(), { code: "SignatureDoesNotMatch", statusCode: 403 });
  },
});
