// Package clients drives an SQS server with the AWS SDK for Go, version 2, which verifies the digest of every body.
package clients

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

var ctx = context.Background()

// connect gives a client of the server that SQS_ENDPOINT names, which signs with this secret.
func connect(secret string) *sqs.Client {
	credentials := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: secret}
	return sqs.New(sqs.Options{
		BaseEndpoint: aws.String(os.Getenv("SQS_ENDPOINT")),
		Region:       os.Getenv("AWS_REGION"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
	})
}

// queue is one queue of the test that made it.
type queue struct {
	*testing.T
	sqs *sqs.Client
	url *string
}

func newQueue(t *testing.T, suffix string, attributes map[string]string) queue {
	t.Helper()
	client := connect(os.Getenv("AWS_SECRET_ACCESS_KEY"))
	name := "go-" + t.Name() + suffix
	made, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return queue{t, client, made.QueueUrl}
}

func (q queue) ok(err error) {
	q.Helper()
	if err != nil {
		q.Fatal(err)
	}
}

func (q queue) equal(got, wanted any) {
	q.Helper()
	if !reflect.DeepEqual(got, wanted) {
		q.Fatalf("got %v, wanted %v", got, wanted)
	}
}

func (q queue) send(body string) *sqs.SendMessageOutput {
	q.Helper()
	sent, err := q.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q.url, MessageBody: &body})
	q.ok(err)
	return sent
}

func (q queue) sendToGroup(body, group string) *sqs.SendMessageOutput {
	q.Helper()
	sent, err := q.sqs.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: q.url, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &body,
	})
	q.ok(err)
	return sent
}

func (q queue) receive(input sqs.ReceiveMessageInput) []types.Message {
	q.Helper()
	input.QueueUrl, input.MaxNumberOfMessages = q.url, 10
	got, err := q.sqs.ReceiveMessage(ctx, &input)
	q.ok(err)
	return got.Messages
}

func bodies(messages []types.Message) []string {
	all := []string{}
	for _, message := range messages {
		all = append(all, *message.Body)
	}
	return all
}

func TestQueueIsMadeFoundListedDescribedTaggedAndDeleted(t *testing.T) {
	q := newQueue(t, "", map[string]string{"VisibilityTimeout": "45"})
	name := (*q.url)[strings.LastIndex(*q.url, "/")+1:]
	found, err := q.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	q.ok(err)
	q.equal(*found.QueueUrl, *q.url)
	listed, err := q.sqs.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: &name})
	q.ok(err)
	q.equal(listed.QueueUrls, []string{*q.url})

	_, err = q.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: q.url, Attributes: map[string]string{"DelaySeconds": "7"},
	})
	q.ok(err)
	described, err := q.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: q.url, AttributeNames: []types.QueueAttributeName{"VisibilityTimeout", "DelaySeconds"},
	})
	q.ok(err)
	q.equal(described.Attributes, map[string]string{"VisibilityTimeout": "45", "DelaySeconds": "7"})

	_, err = q.sqs.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: q.url, Tags: map[string]string{"team": "blue"}})
	q.ok(err)
	tags, err := q.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: q.url})
	q.ok(err)
	q.equal(tags.Tags, map[string]string{"team": "blue"})

	_, err = q.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: q.url})
	q.ok(err)
	listed, err = q.sqs.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: &name})
	q.ok(err)
	q.equal(len(listed.QueueUrls), 0)
}

func TestMessageKeepsItsTextAndAttributesOfEveryType(t *testing.T) {
	q := newQueue(t, "", nil)
	binary := []byte{0, 1, 127, 128, 255}
	body := "line\nline\ttab \"quotes\" & <tags> \U0001F40E"
	sent, err := q.sqs.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: q.url, MessageBody: &body,
		MessageAttributes: map[string]types.MessageAttributeValue{
			"text":  {DataType: aws.String("String"), StringValue: aws.String("grün <&>")},
			"count": {DataType: aws.String("Number.int"), StringValue: aws.String("42")},
			"bytes": {DataType: aws.String("Binary.raw"), BinaryValue: binary},
		},
	})
	q.ok(err)
	digest := md5.Sum([]byte(body))
	q.equal(*sent.MD5OfMessageBody, hex.EncodeToString(digest[:]))

	messages := q.receive(sqs.ReceiveMessageInput{
		MessageAttributeNames: []string{"All"}, AttributeNames: []types.QueueAttributeName{"All"},
	})
	q.equal(bodies(messages), []string{body})
	message := messages[0]
	q.equal(*message.MessageId, *sent.MessageId)
	q.equal(*message.MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)
	q.equal(*message.MessageAttributes["text"].StringValue, "grün <&>")
	q.equal(*message.MessageAttributes["count"].DataType, "Number.int")
	q.equal(bytes.Equal(message.MessageAttributes["bytes"].BinaryValue, binary), true)
	q.equal(message.Attributes["ApproximateReceiveCount"], "1")
	_, err = q.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q.url, ReceiptHandle: message.ReceiptHandle})
	q.ok(err)
}

func TestTenMessagesGoAndComeInBatches(t *testing.T) {
	q := newQueue(t, "", nil)
	var wanted []string
	var entries []types.SendMessageBatchRequestEntry
	for n := 0; n < 10; n++ {
		body := fmt.Sprintf("message %d", n)
		wanted = append(wanted, body)
		entries = append(entries, types.SendMessageBatchRequestEntry{
			Id: aws.String(fmt.Sprint(n)), MessageBody: aws.String(body),
		})
	}
	sent, err := q.sqs.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: q.url, Entries: entries})
	q.ok(err)
	q.equal(len(sent.Successful), 10)

	var messages []types.Message
	for len(messages) < 10 {
		more := q.receive(sqs.ReceiveMessageInput{WaitTimeSeconds: 5})
		if len(more) == 0 {
			t.Fatalf("only %d messages came", len(messages))
		}
		messages = append(messages, more...)
	}
	got := bodies(messages)
	sort.Strings(got)
	q.equal(got, wanted)

	var handles []types.DeleteMessageBatchRequestEntry
	for n, message := range messages {
		handles = append(handles, types.DeleteMessageBatchRequestEntry{
			Id: aws.String(fmt.Sprint(n)), ReceiptHandle: message.ReceiptHandle,
		})
	}
	handles[9].ReceiptHandle = aws.String("nonsense")
	deleted, err := q.sqs.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: q.url, Entries: handles})
	q.ok(err)
	q.equal(len(deleted.Successful), 9)
	q.equal(*deleted.Failed[0].Id, "9")
	q.equal(*deleted.Failed[0].Code, "ReceiptHandleIsInvalid")
}

func TestMessageThatIsGivenBackComesAgainAndCountsItsReceives(t *testing.T) {
	q := newQueue(t, "", nil)
	q.send("again")
	first := q.receive(sqs.ReceiveMessageInput{})[0]
	q.equal(len(q.receive(sqs.ReceiveMessageInput{})), 0)
	_, err := q.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: q.url, ReceiptHandle: first.ReceiptHandle, VisibilityTimeout: 0,
	})
	q.ok(err)
	second := q.receive(sqs.ReceiveMessageInput{
		AttributeNames: []types.QueueAttributeName{"ApproximateReceiveCount"},
	})[0]
	q.equal(*second.MessageId, *first.MessageId)
	q.equal(second.Attributes, map[string]string{"ApproximateReceiveCount": "2"})
}

func TestFifoQueueKeepsTheOrderOfAGroupAndDropsWhatIsSentTwice(t *testing.T) {
	q := newQueue(t, ".fifo", map[string]string{"FifoQueue": "true"})
	first, again := q.sendToGroup("a1", "a"), q.sendToGroup("a1", "a")
	q.equal(*again.MessageId, *first.MessageId)
	q.equal(*again.SequenceNumber, *first.SequenceNumber)
	q.sendToGroup("a2", "a")
	q.sendToGroup("a3", "a")
	q.equal(bodies(q.receive(sqs.ReceiveMessageInput{})), []string{"a1", "a2", "a3"})
}

func TestFifoReceiveIsRepeatedByItsAttemptId(t *testing.T) {
	q := newQueue(t, ".fifo", map[string]string{"FifoQueue": "true"})
	q.sendToGroup("once", "g")
	attempt := func(id string) []string {
		return bodies(q.receive(sqs.ReceiveMessageInput{ReceiveRequestAttemptId: &id}))
	}
	q.equal(attempt("one"), []string{"once"})
	q.equal(attempt("one"), []string{"once"})
	q.equal(attempt("two"), []string{})
}

func TestLongPollIsAnsweredWhenAMessageComes(t *testing.T) {
	q := newQueue(t, "", nil)
	started := time.Now()
	sent := make(chan error, 1)
	time.AfterFunc(300*time.Millisecond, func() {
		_, err := q.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q.url, MessageBody: aws.String("wake up")})
		sent <- err
	})
	q.equal(bodies(q.receive(sqs.ReceiveMessageInput{WaitTimeSeconds: 20})), []string{"wake up"})
	q.ok(<-sent)
	q.equal(time.Since(started) < 15*time.Second, true)
}

func TestHundredLongPollsWaitAtOnceAndEachGetsOneMessage(t *testing.T) {
	const polls = 100
	q := newQueue(t, "", nil)
	received := make(chan int, polls)
	var all sync.WaitGroup
	for n := 0; n < polls; n++ {
		all.Add(1)
		go func() {
			defer all.Done()
			got, err := q.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
				QueueUrl: q.url, MaxNumberOfMessages: 1, WaitTimeSeconds: 20,
			})
			if err != nil {
				q.Error(err)
				return
			}
			received <- len(got.Messages)
		}()
	}
	for n := 0; n < polls; n++ {
		q.send("for one of you")
	}
	all.Wait()
	close(received)
	sum := 0
	for count := range received {
		sum += count
	}
	q.equal(sum, polls)
}

func TestErrorsAreOfTheirType(t *testing.T) {
	q := newQueue(t, "", nil)
	_, err := q.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("go-none")})
	var missing *types.QueueDoesNotExist
	q.equal(errors.As(err, &missing), true)
	q.equal(missing.ErrorMessage(), "The specified queue does not exist.")

	_, err = q.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: q.url, ReceiptHandle: aws.String("nonsense")})
	var handle *types.ReceiptHandleIsInvalid
	q.equal(errors.As(err, &handle), true)
}

func TestWrongSecretIsRefused(t *testing.T) {
	_, err := connect("wrong").ListQueues(ctx, &sqs.ListQueuesInput{})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "SignatureDoesNotMatch" {
		t.Fatalf("got %v, wanted SignatureDoesNotMatch", err)
	}
}
