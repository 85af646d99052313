import static java.util.stream.Collectors.toList;

import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.sqs.AmazonSQS;
import com.amazonaws.services.sqs.AmazonSQSAsyncClientBuilder;
import com.amazonaws.services.sqs.AmazonSQSClientBuilder;
import com.amazonaws.services.sqs.buffered.AmazonSQSBufferedAsyncClient;
import com.amazonaws.services.sqs.buffered.QueueBufferConfig;
import com.amazonaws.services.sqs.model.AmazonSQSException;
import com.amazonaws.services.sqs.model.CreateQueueRequest;
import com.amazonaws.services.sqs.model.DeleteMessageRequest;
import com.amazonaws.services.sqs.model.DeleteMessageResult;
import com.amazonaws.services.sqs.model.Message;
import com.amazonaws.services.sqs.model.MessageAttributeValue;
import com.amazonaws.services.sqs.model.QueueDoesNotExistException;
import com.amazonaws.services.sqs.model.ReceiveMessageRequest;
import com.amazonaws.services.sqs.model.SendMessageBatchRequestEntry;
import com.amazonaws.services.sqs.model.SendMessageRequest;
import com.amazonaws.services.sqs.model.SendMessageResult;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** Version 1 of the SDK: the Query protocol, to the URL of the queue. It verifies digests like version 2. */
final class SdkV1 {
    private static final EndpointConfiguration ENDPOINT =
            new EndpointConfiguration(System.getenv("SQS_ENDPOINT"), System.getenv("AWS_REGION"));

    private final AmazonSQS sqs =
            AmazonSQSClientBuilder.standard().withEndpointConfiguration(ENDPOINT).build();

    public static void main(String[] arguments) throws Exception {
        SdkV1 sdk = new SdkV1();
        Cases cases = new Cases();
        cases.add("a queue is made, found, described and deleted", sdk::queueLife);
        cases.add("a message keeps its attributes of every type", sdk::attributes);
        cases.add("ten messages with attributes go and come in batches", sdk::batches);
        cases.add("a FIFO queue keeps the order of a group", sdk::fifoOrder);
        cases.add("a FIFO receive is repeated by its attempt id", sdk::fifoAttempt);
        cases.add("the buffered client sends, receives and deletes", sdk::buffered);
        cases.add("errors are of their class", sdk::errors);
        cases.add("a wrong secret is refused", sdk::wrongSecret);
        cases.run();
    }

    private String newQueue(String name, Map<String, String> attributes) {
        return sqs.createQueue(new CreateQueueRequest(name).withAttributes(attributes)).getQueueUrl();
    }

    private String newFifoQueue(String name) {
        return newQueue(name, Map.of("FifoQueue", "true"));
    }

    private SendMessageResult sendToGroup(String url, String body, String group) {
        return sqs.sendMessage(new SendMessageRequest(url, body)
                .withMessageGroupId(group)
                .withMessageDeduplicationId(body));
    }

    private static ReceiveMessageRequest tenOf(String url) {
        return new ReceiveMessageRequest(url).withMaxNumberOfMessages(10);
    }

    private List<String> bodies(ReceiveMessageRequest request) {
        return sqs.receiveMessage(request).getMessages().stream().map(Message::getBody).collect(toList());
    }

    private void queueLife() {
        String url = newQueue("java1-life", Map.of("VisibilityTimeout", "45"));
        Cases.equal(sqs.getQueueUrl("java1-life").getQueueUrl(), url);
        Cases.equal(sqs.listQueues("java1-life").getQueueUrls(), List.of(url));
        Map<String, String> found = sqs.getQueueAttributes(url, List.of("All")).getAttributes();
        Cases.equal(found.get("VisibilityTimeout"), "45");
        sqs.deleteQueue(url);
        Cases.equal(sqs.listQueues("java1-life").getQueueUrls(), List.of());
    }

    private static Map<String, MessageAttributeValue> someAttributes() {
        ByteBuffer bytes = ByteBuffer.wrap(new byte[] {0, 1, 127, -128, -1});
        return Map.of(
                "text", new MessageAttributeValue().withDataType("String").withStringValue("grün <&>"),
                "count", new MessageAttributeValue().withDataType("Number.int").withStringValue("42"),
                "bytes", new MessageAttributeValue().withDataType("Binary.raw").withBinaryValue(bytes));
    }

    private void attributes() {
        String url = newQueue("java1-attributes", Map.of());
        sqs.sendMessage(new SendMessageRequest(url, "körper \uD83D\uDC0E").withMessageAttributes(someAttributes()));
        ReceiveMessageRequest all = tenOf(url).withMessageAttributeNames("All").withAttributeNames("All");
        Message message = sqs.receiveMessage(all).getMessages().get(0);
        Cases.equal(message.getBody(), "körper \uD83D\uDC0E");
        Cases.equal(message.getMessageAttributes(), someAttributes());
        Cases.equal(message.getAttributes().get("ApproximateReceiveCount"), "1");
        sqs.deleteMessage(url, message.getReceiptHandle());
    }

    private void batches() {
        String url = newQueue("java1-batches", Map.of());
        List<SendMessageBatchRequestEntry> entries = IntStream.range(0, 10)
                .mapToObj(n -> new SendMessageBatchRequestEntry("e" + n, "message " + n)
                        .withMessageAttributes(someAttributes()))
                .collect(toList());
        Cases.equal(sqs.sendMessageBatch(url, entries).getSuccessful().size(), 10);
        List<String> received = new ArrayList<>();
        while (received.size() < 10) {
            List<String> more = bodies(tenOf(url).withMessageAttributeNames("text").withWaitTimeSeconds(5));
            Cases.yes(!more.isEmpty(), "all ten messages come");
            received.addAll(more);
        }
        Cases.equal(
                received.stream().sorted().collect(toList()),
                entries.stream().map(SendMessageBatchRequestEntry::getMessageBody).collect(toList()));
    }

    private void fifoOrder() {
        String url = newFifoQueue("java1-order.fifo");
        SendMessageResult first = sendToGroup(url, "a1", "a");
        Cases.equal(sendToGroup(url, "a1", "a").getSequenceNumber(), first.getSequenceNumber());
        sendToGroup(url, "a2", "a");
        Cases.equal(bodies(tenOf(url)), List.of("a1", "a2"));
    }

    private void fifoAttempt() {
        String url = newFifoQueue("java1-attempt.fifo");
        sendToGroup(url, "once", "g");
        Cases.equal(bodies(tenOf(url).withReceiveRequestAttemptId("one")), List.of("once"));
        Cases.equal(bodies(tenOf(url).withReceiveRequestAttemptId("one")), List.of("once"));
        Cases.equal(bodies(tenOf(url).withReceiveRequestAttemptId("two")), List.of());
    }

    /** It gathers calls into batches, and receives ahead by long polls on many connections. */
    private void buffered() throws Exception {
        String url = newQueue("java1-buffered", Map.of());
        AmazonSQSBufferedAsyncClient client = new AmazonSQSBufferedAsyncClient(
                AmazonSQSAsyncClientBuilder.standard().withEndpointConfiguration(ENDPOINT).build(),
                // Its end waits for the polls under way.
                new QueueBufferConfig().withLongPollWaitTimeoutSeconds(1));
        List<Future<SendMessageResult>> sent = new ArrayList<>();
        for (int n = 0; n < 25; n++) {
            sent.add(client.sendMessageAsync(new SendMessageRequest(url, "message " + n)));
        }
        for (Future<SendMessageResult> one : sent) {
            Cases.yes(one.get().getMessageId() != null, "each has an id");
        }
        List<Future<DeleteMessageResult>> deleted = new ArrayList<>();
        while (deleted.size() < 25) {
            for (Message message : client.receiveMessage(tenOf(url)).getMessages()) {
                deleted.add(client.deleteMessageAsync(new DeleteMessageRequest(url, message.getReceiptHandle())));
            }
        }
        for (Future<DeleteMessageResult> one : deleted) {
            one.get();
        }
        client.shutdown();
        Map<String, String> left = sqs.getQueueAttributes(
                        url, List.of("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"))
                .getAttributes();
        Cases.equal(
                left, Map.of("ApproximateNumberOfMessages", "0", "ApproximateNumberOfMessagesNotVisible", "0"));
    }

    private void errors() throws Exception {
        QueueDoesNotExistException missing =
                Cases.fails(QueueDoesNotExistException.class, () -> sqs.getQueueUrl("java1-none"));
        Cases.equal(missing.getErrorCode(), "AWS.SimpleQueueService.NonExistentQueue");
        Cases.equal(missing.getStatusCode(), 400);
        Cases.yes(missing.getRequestId() != null, "the request has an id");
    }

    private void wrongSecret() throws Exception {
        BasicAWSCredentials wrong = new BasicAWSCredentials(System.getenv("AWS_ACCESS_KEY_ID"), "wrong");
        AmazonSQS client = AmazonSQSClientBuilder.standard()
                .withEndpointConfiguration(ENDPOINT)
                .withCredentials(new AWSStaticCredentialsProvider(wrong))
                .build();
        AmazonSQSException refused = Cases.fails(AmazonSQSException.class, client::listQueues);
        Cases.equal(refused.getErrorCode(), "SignatureDoesNotMatch");
    }
}
