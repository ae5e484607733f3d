// Package router takes frames from a Watermill Subscriber to the engine, through a Watermill Router.
//
// One message is one frame: thousands of records, so that what a router costs a message (some
// microseconds) is next to nothing a record. The message is acknowledged when the lanes have the rows,
// which is how back pressure reaches the subscriber: it sends the next frame of a partition only then.
//
// A handler never gives the Router an error, because a Nack would send the frame again, for ever: what the
// engine refuses ends the reading instead. There is no retry middleware for the same reason: everything
// that may be tried again is tried by the subscriber before the frame, or by the engine's stores behind
// it; between the two there is only computing, which fails the same way twice.
package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/millrace-io/millrace/engine"
)

// PartitionKey is the metadata of a message that names the frame's partition.
const PartitionKey = "partition"

// closeTimeout bounds how long the Router waits for handlers once it is told to close. They end with the
// context, so it is only reached by a bug.
const closeTimeout = 30 * time.Second

// A Feed is a subscriber and what goes with it.
type Feed struct {
	Subscriber message.Subscriber // its messages' payloads are engine.Frames; Read closes it
	Topic      string
	Sink       engine.Sink
	Release    func(engine.Frame) // called with each frame when the sink is done with it; nil: not
	Logger     *slog.Logger
}

// Read passes frames to the feed's sink until ctx is done or the sink fails, and then gives the error. No
// call of the sink is running when it returns. Frames of one partition must come one at a time, as they do
// from a subscriber that waits for the acknowledgement.
func Read(ctx context.Context, f Feed) error {
	logger := watermill.NewSlogLoggerWithLevelMapping(f.Logger, quiet())
	r, err := message.NewRouter(message.RouterConfig{CloseTimeout: closeTimeout}, logger)
	if err != nil {
		return fmt.Errorf("make the router: %w", err)
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r.AddMiddleware(middleware.CorrelationID, middleware.Recoverer)
	r.AddConsumerHandler("frames of "+f.Topic, f.Topic, f.Subscriber, f.handler(ctx, fail))
	err = r.Run(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// handler passes a message's frame to the sink. It uses the context of Read and not the message's, which is
// cancelled as soon as the subscriber closes: a frame that is being admitted is admitted whole.
func (f Feed) handler(ctx context.Context, fail context.CancelCauseFunc) message.NoPublishHandlerFunc {
	return func(msg *message.Message) (err error) {
		defer func() {
			if p := recover(); p != nil {
				fail(fmt.Errorf("take a frame of %s: panic: %v", f.Topic, p))
				err = nil
			}
		}()
		frame := engine.Frame(msg.Payload)
		if err := f.Sink.Frame(ctx, msg.Metadata.Get(PartitionKey), frame); err != nil {
			fail(err)
			return nil
		}
		if f.Release != nil {
			f.Release(frame)
		}
		return nil
	}
}

// quiet maps Watermill's levels to ours: its news about each start and stop is of no use to people who run
// pipelines.
func quiet() map[slog.Level]slog.Level {
	return map[slog.Level]slog.Level{slog.LevelInfo: slog.LevelDebug, slog.LevelDebug: slog.LevelDebug - 4, watermill.LevelTrace: slog.LevelDebug - 8}
}

// IsOver says whether err only says that the reading was ended.
func IsOver(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
