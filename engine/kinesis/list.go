package kinesis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/millrace-io/millrace/engine"
)

// stream names the stream to the server: by its name or its ARN, never both.
func (s *Source) stream() (name, arn *string) {
	if s.cfg.ARN != "" {
		return nil, &s.cfg.ARN
	}
	return &s.cfg.Stream, nil
}

// describe asks what the stream is.
func (s *Source) describe(ctx context.Context) (*types.StreamDescriptionSummary, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	name, arn := s.stream()
	out, err := s.client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: name, StreamARN: arn})
	if code(err) == codeNotFound {
		return nil, s.missing(ctx, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%v: ask for it: %w", s.cfg, explain(err))
	}
	d := out.StreamDescriptionSummary
	if d == nil || d.StreamCreationTimestamp == nil {
		return nil, fmt.Errorf("%v: the server does not say when it was made", s.cfg)
	}
	switch d.StreamStatus {
	case types.StreamStatusDeleting:
		return nil, final{fmt.Errorf("%v is being deleted", s.cfg)}
	case types.StreamStatusCreating:
		return nil, fmt.Errorf("%v is still being made", s.cfg)
	}
	return d, nil
}

// missing says that there is no such stream, where it was looked for, and which there are.
func (s *Source) missing(ctx context.Context, err error) error {
	message := fmt.Sprintf("there is no %v in region %s", s.cfg, s.client.Options().Region)
	if out, listErr := s.client.ListStreams(ctx, &kinesis.ListStreamsInput{}); listErr == nil {
		names := out.StreamNames
		if len(names) > 10 {
			names = append(slices.Clone(names[:10]), "…")
		}
		message += "; there is " + cmp.Or(strings.Join(names, ", "), "none at all: look at the region and the account")
	}
	return final{fmt.Errorf("%s: %w", message, err)}
}

// shards lists all shards of the stream, the closed ones that still have records too.
func (s *Source) shards(ctx context.Context) (all []types.Shard, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	name, arn := s.stream()
	in := &kinesis.ListShardsInput{StreamName: name, StreamARN: arn}
	for {
		out, err := s.client.ListShards(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("%v: list its shards: %w", s.cfg, explain(err))
		}
		all = append(all, out.Shards...)
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken, StreamARN: arn}
	}
}

// partitions is the shards as the engine sees them. What tells a stream from one of its name that was made anew is when
// it was made.
func (s *Source) partitions(ctx context.Context) ([]engine.Partition, error) {
	now := time.Now()
	if begin, err := parsePosition(s.cfg.first()); err == nil && begin.at.After(now) {
		return nil, final{fmt.Errorf("%v: at %s is in the future: it has to be a time for which there are records", s.cfg, s.cfg.At)}
	}
	stream, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	shards, err := s.shards(ctx)
	if err != nil {
		return nil, err
	}
	all, shut := make([]engine.Partition, len(shards)), map[string]bool{}
	for i, sh := range shards {
		p := engine.Partition{
			Name: aws.ToString(sh.ShardId), End: engine.NoOffset, ID: stream.StreamCreationTimestamp.UTC().Format(time.RFC3339Nano),
			FirstAt: s.cfg.first(), EndAt: positionAt(now.Truncate(time.Millisecond)),
		}
		for _, parent := range []*string{sh.ParentShardId, sh.AdjacentParentShardId} {
			if aws.ToString(parent) != "" {
				p.Parents = append(p.Parents, *parent)
			}
		}
		all[i], shut[p.Name] = p, isClosed(sh)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = shut
	return all, nil
}

func isClosed(sh types.Shard) bool {
	return sh.SequenceNumberRange != nil && aws.ToString(sh.SequenceNumberRange.EndingSequenceNumber) != ""
}

// closed says whether a shard takes no more records. One that is not listed any more is long closed.
func (s *Source) closed(ctx context.Context, shard string) (bool, error) {
	shards, err := s.shards(ctx)
	if err != nil {
		return false, err
	}
	for _, sh := range shards {
		if aws.ToString(sh.ShardId) == shard {
			return isClosed(sh), nil
		}
	}
	return true, nil
}
