package kinesistest

import "time"

// A meter counts what is read of a shard, within a second that begins with the first read after the last one.
type meter struct {
	from  time.Time
	reads int
	debt  time.Time // reads are refused before: what was read in bytes takes until then
}

const (
	mostReads     = 5
	bytesASecond  = 2 << 20
	meteredSecond = time.Second
)

func (v *Server) meter(shard string) *meter {
	m := v.meters[shard]
	if m == nil {
		m = &meter{}
		v.meters[shard] = m
	}
	return m
}

func (m *meter) mayRead(now time.Time) bool {
	if now.Sub(m.from) >= meteredSecond {
		m.from, m.reads = now, 0
	}
	m.reads++
	if m.debt.Before(now) {
		m.debt = now
	}
	return m.reads <= mostReads && m.debt.Sub(now) < meteredSecond
}

func (m *meter) read(bytes int) {
	m.debt = m.debt.Add(time.Duration(bytes) * time.Second / bytesASecond)
}
