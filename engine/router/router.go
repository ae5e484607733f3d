// Package router takes frames from a Watermill Subscriber to the engine, through a Watermill Router.
//
// One message is one frame: hundreds of records, so that what a router costs a message (some microseconds)
// is next to nothing a record. The message is acknowledged when the lanes have the rows, which is how back
// pressure reaches the subscriber: it sends the next frame of a partition only then.
//
//	Subscriber ─▶ Router: judge ▸ correlation ▸ recover ▸ engine.Sink ─▶ acknowledge
//	                        └ an error or a panic ends Read
//
// A handler never gives the Router an error, because a Nack would send the frame again, for ever: judge,
// the outermost middleware, ends the reading with the error instead.
//
// There is no retry middleware. It could only repeat Sink.Frame as a whole, and that includes admission,
// which must not be repeated: the lanes would have some rows twice. What may be tried again is tried by the
// subscriber before the frame, or by the engine's stores behind it; what lies between is computing, which
// fails the same way twice. Nor are messages counted here: the engine counts records, bytes and seconds
// where they arise, and a message is no unit that anybody pays for.
package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/millrace-io/millrace/engine"
)

// Metadata of a message.
const (
	PartitionKey = "partition" // names the frame's partition
	EndedKey     = "ended"     // of a message without a frame: the partition has ended
	PassedKey    = "passed"    // of a message without a frame: the offset to which a reader is given nothing more, in decimals
)

// closeTimeout bounds how long the Router waits for handlers once it is told to close. Read waits longer if
// it must; without a bound the Router would wait in silence.
const closeTimeout = 30 * time.Second

// A Feed is a subscriber and what goes with it.
type Feed struct {
	// Subscriber gives messages whose payload is an engine.Frame and whose metadata has PartitionKey, or
	// that have PassedKey or EndedKey too and no frame. It sends the next message of a partition when it has the
	// acknowledgement of the one before. Read closes it.
	Subscriber message.Subscriber

	Topic   string             // what to subscribe to
	Sink    engine.Sink        // takes the frames
	Release func(engine.Frame) // called with each frame that the sink took, when it is done with it; nil: not
	Logger  *slog.Logger
}

// Read passes frames to the feed's sink until ctx is done, and then gives its cause, or until the sink
// fails, and then gives the sink's error. nil means that the subscriber ended by itself. The subscriber is
// closed, and no call of the sink is running, when it returns.
//
// Frames that the subscriber sends after the end are acknowledged and not taken: a subscriber may read an
// acknowledgement as "taken" only as long as its context lives.
func Read(ctx context.Context, f Feed) error {
	logger := Logger(f.Logger)
	r, err := message.NewRouter(message.RouterConfig{CloseTimeout: closeTimeout}, logger)
	if err != nil {
		return fmt.Errorf("make the router: %w", err)
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	h := &handler{feed: f, ctx: ctx, end: end}
	r.AddMiddleware(h.judge, middleware.CorrelationID, middleware.Recoverer)
	r.AddConsumerHandler("frames of "+f.Topic, f.Topic, f.Subscriber, h.take)
	err = r.Run(ctx)
	// Run subscribes; if that failed nobody else ends the subscriber, and closing twice is allowed.
	err = errors.Join(err, f.Subscriber.Close())
	cause := context.Cause(ctx)
	h.close()
	if cause != nil {
		return cause
	}
	return err
}

// A handler is the way of one Read's messages.
type handler struct {
	feed Feed
	ctx  context.Context // of Read; done as soon as the reading is over
	end  context.CancelCauseFunc

	mu     sync.Mutex     // held for an instant, never while the sink has a frame
	closed bool           // no frame goes to the sink any more
	taking sync.WaitGroup // frames that the sink has; added to under mu, while not closed
}

// take passes a message's frame to the sink. It uses the context of Read and not the message's, which is
// cancelled as soon as the subscriber closes: a frame that is being admitted is admitted whole.
func (h *handler) take(msg *message.Message) error {
	if !h.enter() {
		return nil // after a frame that failed no later one may reach the sink
	}
	defer h.taking.Done()
	partition := msg.Metadata.Get(PartitionKey)
	if msg.Metadata.Get(EndedKey) != "" {
		return h.feed.Sink.Ended(partition)
	}
	if to := msg.Metadata.Get(PassedKey); to != "" {
		n, err := strconv.ParseInt(to, 10, 64)
		if err != nil {
			return fmt.Errorf("partition %s: a message that passed %q: %w", partition, to, err)
		}
		return h.feed.Sink.Passed(partition, engine.Offset(n))
	}
	frame := engine.Frame(msg.Payload)
	if err := h.feed.Sink.Frame(h.ctx, partition, frame); err != nil {
		return err
	}
	if h.feed.Release != nil {
		h.feed.Release(frame)
	}
	return nil
}

// judge makes an error of the handler, or a panic that was recovered, the end of the reading. The message
// is acknowledged only after that, so the subscriber's next frame finds the reading over.
func (h *handler) judge(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		_, err := next(msg)
		var panicked middleware.RecoveredPanicError
		if errors.As(err, &panicked) {
			err = fmt.Errorf("take a frame of %s, partition %s: %w", h.feed.Topic, msg.Metadata.Get(PartitionKey), err)
		}
		if err != nil {
			h.end(err)
		}
		return nil, nil
	}
}

// enter counts a frame that goes to the sink, unless the reading is over.
func (h *handler) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.ctx.Err() != nil {
		return false
	}
	h.taking.Add(1)
	return true
}

// close sees to it that the sink gets no frame any more, and waits until it has none.
func (h *handler) close() {
	h.end(nil)
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.taking.Wait()
}
