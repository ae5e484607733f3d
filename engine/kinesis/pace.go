package kinesis

import (
	"context"
	"time"
)

// What one shard may be asked, by all readers together that do not use enhanced fan-out.
const (
	readPause    = time.Second/5 + time.Second/100 // a twentieth more, for some requests travel faster than others
	bytesASecond = 2 << 20
)

// A pace keeps the reads of a shard within its limits: a bucket of one read that fills 5 times a second, for with more of
// them a second might see 9; and one of bytes that may be overdrawn by one answer, for how large that is nobody knows before.
type pace struct {
	off   bool
	reads time.Time // when the bucket of reads will be full
	bytes time.Time // when that of bytes will not be overdrawn any more
}

// wait is how long to wait for the next read.
func (p *pace) wait(now time.Time) time.Duration {
	if p.off {
		return 0
	}
	until := p.reads
	if until.Before(p.bytes) {
		until = p.bytes
	}
	return max(0, until.Sub(now))
}

// began counts a read.
func (p *pace) began(now time.Time) {
	if p.reads.Before(now) {
		p.reads = now
	}
	p.reads = p.reads.Add(readPause)
}

// got counts the bytes that a read gave.
func (p *pace) got(now time.Time, bytes int) {
	if p.bytes.Before(now) {
		p.bytes = now
	}
	p.bytes = p.bytes.Add(time.Duration(bytes) * time.Second / bytesASecond)
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
