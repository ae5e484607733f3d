package kinesis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/router"
)

// A subscriber is a message.Subscriber of some shards. A message is a frame, or the news that a shard has ended; the next
// of a shard comes when the one before was acknowledged, and one that was not taken comes again.
type subscriber struct {
	source *Source
	from   []engine.Start
	fail   func(error) // ends the reading

	ctx     context.Context // done when the subscriber is closed
	close   context.CancelFunc
	running sync.WaitGroup
}

// subscriber makes the subscriber of one reading.
func (s *Source) subscriber(ctx context.Context, from []engine.Start, fail func(error)) (*subscriber, error) {
	for _, start := range from {
		if _, err := parsePosition(start.After); err != nil {
			return nil, fmt.Errorf("%v, shard %s: %w", s.cfg, start.Partition, err)
		}
	}
	sub := &subscriber{source: s, from: from, fail: fail}
	sub.ctx, sub.close = context.WithCancel(ctx)
	return sub, nil
}

// errClosed is what a subscriber that is closed says.
var errClosed = errors.New("the subscriber is closed")

// Subscribe implements message.Subscriber. The channel is closed when all shards have ended, or ctx is done, or the
// subscriber is closed.
func (b *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	if b.ctx.Err() != nil {
		return nil, errClosed
	}
	ctx, end := context.WithCancel(ctx)
	stop := context.AfterFunc(b.ctx, end)
	out := make(chan *message.Message)
	var shards sync.WaitGroup
	for _, start := range b.from {
		sh := newShard(b, start, out)
		shards.Go(func() { sh.run(ctx) })
	}
	b.running.Go(func() {
		shards.Wait()
		stop()
		end()
		close(out)
	})
	return out, nil
}

// Close implements message.Subscriber. It may be called several times.
func (b *subscriber) Close() error {
	b.close()
	b.running.Wait()
	return nil
}

// send gives a frame away and waits until it was taken. It comes again until it is.
func (sh *shard) send(ctx context.Context, frame engine.Frame, first engine.Offset) error {
	return sh.deliver(ctx, func() *message.Message {
		return message.NewMessage(sh.name+"/"+strconv.FormatInt(int64(first), 10), message.Payload(frame))
	})
}

// sendEnd tells that the shard has ended.
func (sh *shard) sendEnd(ctx context.Context) error {
	return sh.deliver(ctx, func() *message.Message {
		msg := message.NewMessage(sh.name+"/ended", nil)
		msg.Metadata.Set(router.EndedKey, "true")
		return msg
	})
}

func (sh *shard) deliver(ctx context.Context, make func() *message.Message) error {
	for {
		msg := make()
		msg.Metadata.Set(router.PartitionKey, sh.name)
		taken, err := sh.once(ctx, msg)
		if taken || err != nil {
			return err
		}
	}
}

// once gives a message away and says whether it was acknowledged.
func (sh *shard) once(ctx context.Context, msg *message.Message) (bool, error) {
	of, cancel := context.WithCancel(ctx)
	defer cancel()
	msg.SetContext(of)
	select {
	case sh.out <- msg:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case <-msg.Acked():
		return true, nil
	case <-msg.Nacked():
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
