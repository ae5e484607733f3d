package engine

import (
	"context"
	"slices"
	"strings"
	"time"
)

const (
	silenceLook  = time.Second      // how often to look for partitions without records
	silenceLong  = 60 * time.Second // a partition without a record for so long, that others wait for, is worth a warning
	silenceAgain = 10 * time.Minute // and so much later another one
)

// A Hold is what an operator that waits for event time waits for.
type Hold struct {
	Operator  string  `json:"operator"`     // "stream/step"
	Watermark Time    `json:"watermark_us"` // event time has come so far
	Ahead     Time    `json:"ahead_us"`     // and would be here without the partition that holds it
	Source    string  `json:"source"`       // of the partition whose watermark is the smallest
	Partition string  `json:"partition"`
	Silent    float64 `json:"silent_s"` // seconds since the partition's last record
}

// waiting lists the operators that wait for time by the sources that their rows come from.
func (p *Plan) waiting() map[string][]string {
	all := map[string][]string{}
	for i := range p.Streams {
		s := &p.Streams[i]
		for _, step := range s.Steps {
			if w, ok := step.Config.(Waiting); ok && w.Waits() {
				all[stepID(s.Name, step.Name)] = p.sourcesOf(s.Name)
			}
		}
	}
	return all
}

// sourcesOf is the sources whose rows come to a source or stream.
func (p *Plan) sourcesOf(name string) []string {
	if p.source(name) != nil {
		return []string{name}
	}
	var all []string
	for i := range p.Streams {
		if s := &p.Streams[i]; s.Name == name {
			for _, from := range s.From {
				all = append(all, p.sourcesOf(from)...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// holds says what each operator that waits for time waits for, in the order of their names.
func (t *Task) holds(now time.Time) []Hold {
	var all []Hold
	for operator, sources := range t.waiting {
		if h, ok := t.hold(sources, now); ok {
			h.Operator = operator
			all = append(all, h)
		}
	}
	slices.SortFunc(all, func(a, b Hold) int { return strings.Compare(a.Operator, b.Operator) })
	return all
}

// Held is the partition without records that has held back an operator for so long that it is worth a warning; nil: there
// is none.
func (t *Task) Held() *Hold {
	for _, h := range t.holds(time.Now()) {
		if h.long() {
			return &h
		}
	}
	return nil
}

// long says whether a hold is worth a warning.
func (h Hold) long() bool { return h.Silent >= silenceLong.Seconds() && h.Ahead != h.Watermark }

// hold finds the partition with the smallest watermark; ok is false where none is left.
func (t *Task) hold(sources []string, now time.Time) (h Hold, ok bool) {
	h.Ahead = MaxTime
	for _, e := range t.all() {
		if !slices.Contains(sources, e.id.Source) || e.released.Load() {
			continue
		}
		state, last := e.lookAt()
		switch {
		case !ok || state.Watermark < h.Watermark:
			if ok {
				h.Ahead = h.Watermark
			}
			h.Watermark, h.Source, h.Partition, h.Silent = state.Watermark, e.id.Source, e.id.Partition, now.Sub(last).Seconds()
			ok = true
		default:
			h.Ahead = min(h.Ahead, state.Watermark)
		}
	}
	if h.Ahead == MaxTime {
		h.Ahead = h.Watermark // it is the only one
	}
	return h, ok
}

// watchTime warns of partitions that hold time back, and lets time pass without those that may be idle.
func (t *Task) watchTime(ctx context.Context) {
	look := time.NewTicker(silenceLook)
	defer look.Stop()
	warned := map[string]time.Time{} // by operator
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		t.passIdle(now)
		for _, h := range t.holds(now) {
			if !h.long() {
				delete(warned, h.Operator)
				continue
			}
			if now.Sub(warned[h.Operator]) < silenceAgain {
				continue
			}
			warned[h.Operator] = now
			t.log.Warn("a partition without new records holds event time back: results wait for it; idle_after lets time pass without such partitions",
				"waits", h.Operator, "source", h.Source, "partition", h.Partition, "silent", (time.Duration(h.Silent) * time.Second).String(),
				"watermark", h.Watermark.text(), "others", h.Ahead.text())
		}
	}
}

// passIdle gives partitions that had no record for longer than their source says, and have none left to be read, the
// watermark of those that some operator waits for together with them: the smallest of those that are not idle or, where
// all are, the largest of all.
func (t *Task) passIdle(now time.Time) {
	ends, behind := t.ends(), t.behind()
	var idle, active []*entry
	for _, e := range t.all() {
		state, last := e.lookAt()
		if state.Ended {
			continue
		}
		end, counted := ends[e.id]
		late, chasing := behind[e.id]
		left := counted && state.Next < end || chasing && late > 0
		if after := e.source.Time.IdleAfter; after > 0 && now.Sub(last) >= after && !left {
			idle = append(idle, e)
		} else {
			active = append(active, e)
		}
	}
	for _, e := range idle {
		upto, newest := MaxTime, MinTime
		for _, other := range active {
			if t.share(e, other) {
				upto = min(upto, other.place().Watermark)
			}
		}
		for _, other := range idle {
			if t.share(e, other) {
				newest = max(newest, other.place().Watermark)
			}
		}
		if upto == MaxTime {
			upto = newest
		}
		e.wait(upto)
	}
}

// share says whether an operator waits for both partitions.
func (t *Task) share(a, b *entry) bool {
	for _, sources := range t.waiting {
		if slices.Contains(sources, a.id.Source) && slices.Contains(sources, b.id.Source) {
			return true
		}
	}
	return false
}
