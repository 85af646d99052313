import static java.util.stream.Collectors.toList;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.BatchEntryIdsNotDistinctException;
import software.amazon.awssdk.services.sqs.model.BatchResultErrorEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeNameForSends;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeValue;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueDoesNotExistException;
import software.amazon.awssdk.services.sqs.model.ReceiveMessageRequest;
import software.amazon.awssdk.services.sqs.model.SendMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.SendMessageResponse;
import software.amazon.awssdk.services.sqs.model.SqsException;

/**
 * Version 2 of the SDK: JSON, to the root of the endpoint. It verifies the digests of bodies, attributes and system
 * attributes, sent and received, also in batches.
 */
final class SdkV2 {
    private static final URI ENDPOINT = URI.create(System.getenv("SQS_ENDPOINT"));
    private static final String TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";

    private final SqsClient sqs = SqsClient.builder().endpointOverride(ENDPOINT).build();

    public static void main(String[] arguments) throws Exception {
        SdkV2 sdk = new SdkV2();
        Cases cases = new Cases();
        cases.add("a queue is made, found, described and deleted", sdk::queueLife);
        cases.add("a message keeps its attributes of every type", sdk::attributes);
        cases.add("ten messages with attributes go and come in batches", sdk::batches);
        cases.add("a FIFO queue keeps the order of a group", sdk::fifoOrder);
        cases.add("a FIFO receive is repeated by its attempt id", sdk::fifoAttempt);
        cases.add("a long poll is answered when a message comes", sdk::longPoll);
        cases.add("errors are of their class", sdk::errors);
        cases.add("a wrong secret is refused", sdk::wrongSecret);
        cases.run();
    }

    private String newQueue(String name, Map<QueueAttributeName, String> attributes) {
        return sqs.createQueue(create -> create.queueName(name).attributes(attributes)).queueUrl();
    }

    private String newFifoQueue(String name) {
        return newQueue(name, Map.of(QueueAttributeName.FIFO_QUEUE, "true"));
    }

    private SendMessageResponse sendToGroup(String url, String body, String group) {
        return sqs.sendMessage(
                send -> send.queueUrl(url).messageBody(body).messageGroupId(group).messageDeduplicationId(body));
    }

    private List<Message> receive(String url, Consumer<ReceiveMessageRequest.Builder> more) {
        return sqs.receiveMessage(receive -> more.accept(receive.queueUrl(url).maxNumberOfMessages(10))).messages();
    }

    private static List<String> bodies(List<Message> messages) {
        return messages.stream().map(Message::body).collect(toList());
    }

    private void queueLife() {
        String url = newQueue("java-life", Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "45"));
        Cases.equal(sqs.getQueueUrl(get -> get.queueName("java-life")).queueUrl(), url);
        Cases.equal(sqs.listQueues(list -> list.queueNamePrefix("java-life")).queueUrls(), List.of(url));
        Map<String, String> found = sqs.getQueueAttributes(
                        get -> get.queueUrl(url).attributeNames(QueueAttributeName.ALL))
                .attributesAsStrings();
        Cases.equal(found.get("VisibilityTimeout"), "45");
        Cases.yes(found.get("QueueArn").endsWith(":java-life"), "the ARN ends with the name");
        sqs.deleteQueue(delete -> delete.queueUrl(url));
        Cases.equal(sqs.listQueues(list -> list.queueNamePrefix("java-life")).queueUrls(), List.of());
    }

    private static Map<String, MessageAttributeValue> someAttributes() {
        SdkBytes bytes = SdkBytes.fromByteArray(new byte[] {0, 1, 127, -128, -1});
        return Map.of(
                "text", MessageAttributeValue.builder().dataType("String").stringValue("grün <&>").build(),
                "count", MessageAttributeValue.builder().dataType("Number.int").stringValue("42").build(),
                "bytes", MessageAttributeValue.builder().dataType("Binary.raw").binaryValue(bytes).build());
    }

    private static MessageSystemAttributeValue trace() {
        return MessageSystemAttributeValue.builder().dataType("String").stringValue(TRACE).build();
    }

    private void attributes() {
        String url = newQueue("java-attributes", Map.of());
        SendMessageResponse sent = sqs.sendMessage(send -> send.queueUrl(url)
                .messageBody("körper \uD83D\uDC0E")
                .messageAttributes(someAttributes())
                .messageSystemAttributes(Map.of(MessageSystemAttributeNameForSends.AWS_TRACE_HEADER, trace())));
        Cases.yes(sent.md5OfMessageSystemAttributes() != null, "there is a digest of the system attributes");

        Message message = receive(url, receive -> receive.messageAttributeNames("All")
                        .messageSystemAttributeNames(MessageSystemAttributeName.ALL))
                .get(0);
        Cases.equal(message.body(), "körper \uD83D\uDC0E");
        Cases.equal(message.messageAttributes(), someAttributes());
        Cases.equal(message.attributes().get(MessageSystemAttributeName.AWS_TRACE_HEADER), TRACE);
        Cases.equal(message.attributes().get(MessageSystemAttributeName.APPROXIMATE_RECEIVE_COUNT), "1");
        sqs.deleteMessage(delete -> delete.queueUrl(url).receiptHandle(message.receiptHandle()));
    }

    private void batches() {
        String url = newQueue("java-batches", Map.of());
        List<SendMessageBatchRequestEntry> entries = IntStream.range(0, 10)
                .mapToObj(n -> SendMessageBatchRequestEntry.builder()
                        .id("e" + n)
                        .messageBody("message " + n)
                        .messageAttributes(someAttributes())
                        .messageSystemAttributes(
                                Map.of(MessageSystemAttributeNameForSends.AWS_TRACE_HEADER, trace()))
                        .build())
                .collect(toList());
        Cases.equal(
                sqs.sendMessageBatch(send -> send.queueUrl(url).entries(entries)).successful().size(), 10);

        List<Message> messages = new ArrayList<>();
        while (messages.size() < 10) {
            List<Message> more = receive(url, receive -> receive.messageAttributeNames("text").waitTimeSeconds(5));
            Cases.yes(!more.isEmpty(), "all ten messages come");
            messages.addAll(more);
        }
        Cases.equal(
                bodies(messages).stream().sorted().collect(toList()),
                entries.stream().map(SendMessageBatchRequestEntry::messageBody).collect(toList()));
        for (Message message : messages) {
            Cases.equal(message.messageAttributes().keySet().toString(), "[text]");
        }

        List<BatchResultErrorEntry> failed = sqs.deleteMessageBatch(delete -> delete.queueUrl(url)
                        .entries(
                                entry -> entry.id("right").receiptHandle(messages.get(0).receiptHandle()),
                                entry -> entry.id("wrong").receiptHandle("nonsense")))
                .failed();
        Cases.equal(failed.size(), 1);
        Cases.equal(failed.get(0).id() + " " + failed.get(0).code(), "wrong ReceiptHandleIsInvalid");
    }

    private void fifoOrder() {
        String url = newFifoQueue("java-order.fifo");
        SendMessageResponse first = sendToGroup(url, "a1", "a");
        SendMessageResponse again = sendToGroup(url, "a1", "a");
        Cases.equal(again.messageId(), first.messageId());
        Cases.equal(again.sequenceNumber(), first.sequenceNumber());
        sendToGroup(url, "a2", "a");
        sendToGroup(url, "a3", "a");
        Cases.equal(bodies(receive(url, receive -> {})), List.of("a1", "a2", "a3"));
    }

    private void fifoAttempt() {
        String url = newFifoQueue("java-attempt.fifo");
        sendToGroup(url, "once", "g");
        Cases.equal(bodies(receive(url, receive -> receive.receiveRequestAttemptId("one"))), List.of("once"));
        Cases.equal(bodies(receive(url, receive -> receive.receiveRequestAttemptId("one"))), List.of("once"));
        Cases.equal(bodies(receive(url, receive -> receive.receiveRequestAttemptId("two"))), List.of());
    }

    private void longPoll() {
        String url = newQueue("java-poll", Map.of());
        long started = System.nanoTime();
        CompletableFuture<SendMessageResponse> sent = CompletableFuture.supplyAsync(
                () -> sqs.sendMessage(send -> send.queueUrl(url).messageBody("wake up")),
                CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS));
        Cases.equal(bodies(receive(url, receive -> receive.waitTimeSeconds(20))), List.of("wake up"));
        sent.join();
        Cases.yes(System.nanoTime() - started < 15_000_000_000L, "answered by the message");
    }

    private void errors() throws Exception {
        QueueDoesNotExistException missing = Cases.fails(
                QueueDoesNotExistException.class, () -> sqs.getQueueUrl(get -> get.queueName("java-none")));
        Cases.equal(missing.statusCode(), 400);
        Cases.equal(missing.awsErrorDetails().errorCode(), "AWS.SimpleQueueService.NonExistentQueue");
        Cases.equal(missing.awsErrorDetails().errorMessage(), "The specified queue does not exist.");

        String url = newQueue("java-errors", Map.of());
        Cases.fails(
                BatchEntryIdsNotDistinctException.class,
                () -> sqs.sendMessageBatch(send -> send.queueUrl(url)
                        .entries(
                                entry -> entry.id("a").messageBody("1"),
                                entry -> entry.id("a").messageBody("2"))));
    }

    private void wrongSecret() throws Exception {
        AwsBasicCredentials wrong = AwsBasicCredentials.create(System.getenv("AWS_ACCESS_KEY_ID"), "wrong");
        SqsClient client = SqsClient.builder()
                .endpointOverride(ENDPOINT)
                .credentialsProvider(StaticCredentialsProvider.create(wrong))
                .build();
        SqsException refused = Cases.fails(SqsException.class, client::listQueues);
        Cases.equal(refused.awsErrorDetails().errorCode(), "SignatureDoesNotMatch");
        Cases.equal(refused.statusCode(), 403);
    }
}
