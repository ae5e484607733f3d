package enginetest

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/engine"
)

var errSource = errors.New("the source failed")

// broker is a life in which something happens to the source.
func (l *lives) broker(ctx context.Context, m Mishap) error {
	b := &broker{mishap: m, began: time.Now(), few: l.shown, in: l.in}
	if m.Kind == PartitionsNew || m.Kind == PartitionsAt {
		l.shown = len(l.in)
	}
	opt := engine.Options{Discover: time.Duration(1 + l.rnd.Int64N(int64(100*time.Millisecond)))}
	task, err := l.task(nil, opt, func(r *Rig) {
		b.Source = r.Ports.Sources[SourceName]
		r.Ports.Sources[SourceName] = b
		if shards, ok := b.Source.(*Shards); ok {
			r.Ports.Sources[SourceName] = struct {
				*broker
				engine.Positioned
				engine.Chasing
			}{b, shards, shards}
		}
	})
	if err != nil {
		return err
	}
	if err = toEnd(ctx, task); err != nil && !errors.Is(err, errSource) {
		return err
	}
	if b.happened.Load() {
		l.ended(m.Kind, err)
	}
	return nil
}

// A broker is a source that a mishap happens to.
type broker struct {
	engine.Source
	mishap   Mishap
	began    time.Time
	few      int // partitions before more came
	in       Input
	asked    atomic.Int64 // for partitions
	frames   atomic.Int64
	happened atomic.Bool
}

// Partitions implements engine.Source.
func (b *broker) Partitions(ctx context.Context) ([]engine.Partition, error) {
	all, err := b.Source.Partitions(ctx)
	switch {
	case err != nil:
		return nil, err
	case b.mishap.Kind == SourceDown && b.asked.Add(1) == int64(b.mishap.N):
		b.happened.Store(true)
		return nil, errSource
	case b.mishap.Kind == PartitionsAt && time.Since(b.began) < b.mishap.T:
		return all[:b.few], nil
	}
	if len(all) > b.few {
		b.happened.Store(true)
	}
	return all, nil
}

// Committed implements engine.Source.
func (b *broker) Committed(ctx context.Context, next map[string]engine.Offset) error {
	if b.mishap.Kind == SourceDeaf {
		b.happened.Store(true)
		return errSource
	}
	return b.Source.Committed(ctx, next)
}

// Read implements engine.Source. What is left of a reader that connected anew is read behind what it had handed over.
func (b *broker) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	return b.Source.Read(ctx, from, brokerSink{sink, b})
}

type brokerSink struct {
	engine.Sink
	*broker
}

// Frame implements engine.Sink.
func (s brokerSink) Frame(ctx context.Context, partition string, f engine.Frame) error {
	if s.frames.Add(1) == int64(s.mishap.N) {
		switch s.mishap.Kind {
		case SourceFails:
			s.happened.Store(true)
			return errSource
		case SourceAgain:
			s.happened.Store(true)
			if err := s.again(ctx, partition, f); err != nil {
				return err
			}
		}
	}
	return s.Sink.Frame(ctx, partition, f)
}

// again hands over what came before the frame once more, from the partition's first record on.
func (s brokerSink) again(ctx context.Context, partition string, upto engine.Frame) error {
	p, err := strconv.Atoi(partition)
	if err != nil {
		return err
	}
	r, _, ok := upto.Next()
	var f engine.Frame
	for o := engine.Offset(0); ok && o < r.Offset; o++ {
		f = f.AppendRecord(engine.Record{Offset: o, At: engine.Time(o) * 1e6, Value: s.in[p][o]})
	}
	if len(f) == 0 {
		return nil
	}
	return s.Sink.Frame(ctx, partition, f)
}
