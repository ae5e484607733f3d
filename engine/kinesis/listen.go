package kinesis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

// errRenew says that a subscription is over, as each is after five minutes.
var errRenew = errors.New("the subscription is over")

// subscriptionTime bounds a subscription; the server ends it after five minutes.
const subscriptionTime = 6 * time.Minute

// listen takes the events of one subscription. It gives nil when the shard has ended, and errRenew when the subscription
// has.
func (sh *shard) listen(ctx context.Context) error {
	consumer, err := sh.source.consumer(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, subscriptionTime)
	defer cancel()
	body, err := sh.subscribe(ctx, consumer)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // all that is wanted of it was read
	decoder := eventstream.NewDecoder()
	a := &sh.answer
	for {
		message, err := decoder.Decode(body, a.body[:0])
		if errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded) {
			return errRenew
		}
		if err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		a.reset()
		a.body = message.Payload
		if isRecords, err := hasRecords(message); err != nil {
			return err
		} else if !isRecords {
			continue
		}
		if ended, err := sh.hear(ctx, a); ended || err != nil {
			return err
		}
	}
}

// subscribe begins a subscription and gives its events.
func (sh *shard) subscribe(ctx context.Context, consumer string) (io.ReadCloser, error) {
	from := &types.StartingPosition{}
	from.Type, from.SequenceNumber, from.Timestamp = sh.place()
	if sh.after != "" && sh.inside == 0 {
		from.Type, from.SequenceNumber, from.Timestamp = types.ShardIteratorTypeAfterSequenceNumber, &sh.after, nil
	}
	var body io.ReadCloser
	_, err := sh.source.client.SubscribeToShard(context.WithValue(ctx, bodyKey{}, &body),
		&kinesis.SubscribeToShardInput{ConsumerARN: &consumer, ShardId: &sh.name, StartingPosition: from})
	if code(err) == codeArgument && from.SequenceNumber != nil {
		return nil, final{fmt.Errorf("the stream does not know sequence number %s, up to which it was read: it was deleted and made anew since; "+
			"to read it from its start give the pipeline another name or lake: %w", *from.SequenceNumber, err)}
	}
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return body, nil
}

// hasRecords says whether an event has records; one that says what went wrong is an error.
func hasRecords(m eventstream.Message) (records bool, err error) {
	header := func(name string) string {
		if v := m.Headers.Get(name); v != nil {
			return v.String()
		}
		return ""
	}
	switch header(":message-type") {
	case "event":
		return header(":event-type") == "SubscribeToShardEvent", nil
	case "exception":
		return false, fmt.Errorf("subscription: %w", &smithy.GenericAPIError{Code: header(":exception-type"), Message: strings.TrimSpace(string(m.Payload))})
	}
	return false, fmt.Errorf("subscription: %w", &smithy.GenericAPIError{Code: header(":error-code"), Message: header(":error-message")})
}

// hear delivers what an event has, and says whether the shard has ended and that was told.
func (sh *shard) hear(ctx context.Context, a *answer) (ended bool, err error) {
	begin := time.Now()
	err = a.readJSON()
	sh.spend(begin)
	if err != nil {
		return false, err
	}
	if err := sh.take(ctx, a); err != nil {
		return false, err
	}
	sh.heard()
	sh.took(a)
	sh.after = a.after
	switch {
	case a.after != "":
		return false, nil
	case !a.children:
		return false, damaged{"it does not say how to go on"}
	}
	return true, sh.end(ctx)
}

// consumer is the ARN of the registered consumer, which is registered if there is none and waited for until it is active.
func (s *Source) consumer(ctx context.Context) (string, error) {
	s.registering.Lock()
	defer s.registering.Unlock()
	if s.consumerARN != "" {
		return s.consumerARN, nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	stream, err := s.describe(ctx)
	if err != nil {
		return "", err
	}
	for ctx.Err() == nil {
		out, err := s.client.DescribeStreamConsumer(ctx, &kinesis.DescribeStreamConsumerInput{StreamARN: stream.StreamARN, ConsumerName: &s.cfg.FanOut})
		switch {
		case code(err) == codeNotFound:
			_, err = s.client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{StreamARN: stream.StreamARN, ConsumerName: &s.cfg.FanOut})
			if err != nil && code(err) != codeInUse {
				return "", fmt.Errorf("register consumer %s: %w", s.cfg.FanOut, err)
			}
			s.log.Info("registered a consumer, which costs money until it is deregistered", "consumer", s.cfg.FanOut)
		case err != nil:
			return "", fmt.Errorf("ask for consumer %s: %w", s.cfg.FanOut, err)
		case out.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive:
			s.consumerARN = aws.ToString(out.ConsumerDescription.ConsumerARN)
			return s.consumerARN, nil
		case out.ConsumerDescription.ConsumerStatus == types.ConsumerStatusDeleting:
			return "", fmt.Errorf("consumer %s is being deregistered", s.cfg.FanOut)
		}
		pause(ctx, s.backoff(2))
	}
	return "", fmt.Errorf("wait until consumer %s is active: %w", s.cfg.FanOut, context.Cause(ctx))
}
