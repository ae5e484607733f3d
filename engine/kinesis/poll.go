package kinesis

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// poll asks for records until the shard has ended, and then gives nil, or something goes wrong.
func (sh *shard) poll(ctx context.Context) error {
	for {
		if err := sh.locate(ctx); err != nil {
			return err
		}
		pause(ctx, sh.pace.wait(time.Now()))
		if err := sh.get(ctx); err != nil {
			return err
		}
		a := &sh.answer
		if err := sh.take(ctx, a); err != nil {
			return err
		}
		sh.heard()
		sh.took(a)
		if sh.iterator = a.next; sh.iterator == "" {
			if sh.ends++; a.children || sh.ends > 1 {
				return sh.end(ctx)
			}
			continue // some servers name no children, and an answer that is damaged might look so: it is asked for again
		}
		sh.ends = 0
		if a.newest() {
			pause(ctx, sh.source.cfg.Poll)
		}
	}
}

// locate asks for an iterator if there is none.
func (sh *shard) locate(ctx context.Context) error {
	if sh.iterator != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	name, arn := sh.source.stream()
	in := &kinesis.GetShardIteratorInput{StreamName: name, StreamARN: arn, ShardId: &sh.name}
	in.ShardIteratorType, in.StartingSequenceNumber, in.Timestamp = sh.place()
	out, err := sh.source.client.GetShardIterator(ctx, in)
	if code(err) == codeArgument && in.StartingSequenceNumber != nil {
		return final{fmt.Errorf("the stream does not know sequence number %s, up to which it was read: it was deleted and made anew since; "+
			"to read it from its start give the pipeline another name or lake: %w", *in.StartingSequenceNumber, err)}
	}
	if code(err) == codeArgument && in.Timestamp != nil {
		return fmt.Errorf("ask for an iterator at %s; is this machine's clock ahead?: %w", in.Timestamp.Format(time.RFC3339), err)
	}
	if err != nil {
		return fmt.Errorf("ask for an iterator: %w", err)
	}
	if sh.iterator = aws.ToString(out.ShardIterator); sh.iterator == "" {
		return damaged{"it has no iterator"}
	}
	return nil
}

// place is where reading goes on. A record that was delivered in part is asked for again.
func (sh *shard) place() (kind types.ShardIteratorType, number *string, at *time.Time) {
	switch {
	case sh.last != sequence{} && sh.inside > 0:
		return types.ShardIteratorTypeAtSequenceNumber, aws.String(sh.last.String()), nil
	case sh.last != sequence{}:
		return types.ShardIteratorTypeAfterSequenceNumber, aws.String(sh.last.String()), nil
	case !sh.begin.at.IsZero():
		return types.ShardIteratorTypeAtTimestamp, nil, &sh.begin.at
	}
	return types.ShardIteratorTypeTrimHorizon, nil, nil
}

// get asks for the records at the iterator.
func (sh *shard) get(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	a := &sh.answer
	a.reset()
	sh.pace.began(time.Now())
	_, arn := sh.source.stream()
	_, err := sh.source.client.GetRecords(context.WithValue(ctx, answerKey{}, a),
		&kinesis.GetRecordsInput{ShardIterator: &sh.iterator, Limit: aws.Int32(int32(sh.limit)), StreamARN: arn})
	sh.source.spent.Add(int64(a.spent))
	if err != nil {
		return fmt.Errorf("get records: %w", err)
	}
	bytes := 0
	for i := range a.records {
		bytes += len(a.records[i].data)
	}
	sh.pace.got(time.Now(), bytes)
	if n := len(a.records); n > 0 {
		a.full = n >= sh.limit
		sh.limit = sh.bounded(max(1, n*sh.size/max(1, len(a.body))))
	}
	return nil
}
