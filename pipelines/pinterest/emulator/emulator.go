// Package emulator makes up the events of Pinterest posts, as a student's script posted them to three
// topics: for each event a pin, a geolocation and a user, of one index.
//
// Texts are our own; shapes, value ranges, placeholders and their proportions are those of the real rows,
// and so is the dirt, which comes in shares that a small demo shows:
//
//   - 15 % of the events are replays: the same bytes again, some hundred events later;
//   - placeholders where the source had nothing, in the combinations that occur (see gaps);
//   - three ways to write a timestamp, one an event;
//   - events without their geolocation, their user or both (0.3 %);
//   - pins on the user topic, beside the user (0.2 %);
//   - records that are no JSON, beside the event's own (0.2 %).
//
// Nothing here does I/O or looks at a clock. An event is a function of the seed and its number, so an
// emulator that is made again with the seed and the next number goes on as if it had never stopped, and
// replays events from before. Two versions of the package may give different events for one seed.
package emulator

import (
	"iter"
	"time"
)

// An Emulator gives events in order. One goroutine uses it.
type Emulator struct {
	seed int64
	next int64
}

// New makes an emulator that goes on with event first. The first event of all is 0; a negative number
// counts as that.
func New(seed, first int64) *Emulator { return &Emulator{seed, max(first, 0)} }

// Following is the number of the event that Next will give: with the seed, all there is to save.
func (e *Emulator) Following() int64 { return e.next }

// Next gives the next event. Its memory is the caller's.
func (e *Emulator) Next() Event {
	n := e.next
	e.next++
	return At(e.seed, n)
}

// An Event is what one post sends, each record to its topic. Mostly that is one to each.
type Event struct {
	Ind            int64 // index of the rows, and what makes two events the same one
	Replay         bool  // an event with this Ind came before
	Pin, Geo, User []Record
}

// A Record is what one topic gets.
type Record struct {
	Key   []byte // the index in decimal: records of one event, and its replays, have the same
	Value []byte
	Dirt  Dirt
}

// Dirt says what is wrong with a record as a whole. Placeholders are no dirt in this sense: their rows come
// out clean.
type Dirt uint8

// The kinds of dirt.
const (
	Sound      Dirt = iota // a row of its table
	NotJSON                // no JSON object in UTF-8
	WrongTopic             // a row of another table
)

// The tables' names, which end the topics' names: "0e8c5a5fa275.pin".
const (
	PinTable  = "pin"
	GeoTable  = "geo"
	UserTable = "user"
)

// Records gives the event's records with the names of their tables, in the order they are sent.
func (e Event) Records() iter.Seq2[string, Record] {
	return func(yield func(string, Record) bool) {
		for _, t := range []struct {
			name    string
			records []Record
		}{{PinTable, e.Pin}, {GeoTable, e.Geo}, {UserTable, e.User}} {
			for _, r := range t.records {
				if !yield(t.name, r) {
					return
				}
			}
		}
	}
}

const (
	replays      = 150  // of 1,000 events
	replayWithin = 2000 // events: about how far back a replay goes at most
)

// At gives the n-th event, from 0, of a seed.
func At(seed, n int64) Event {
	ind := origin(seed, n)
	e := compose(seed, ind)
	e.Replay = ind != n
	return e
}

// origin is n, or the event that n replays.
func origin(seed, n int64) int64 {
	d := throw(seed, forReplay, n)
	if n == 0 || !d.chance(replays) {
		return n
	}
	n -= int64(d.between(1, int(min(n, replayWithin))))
	for n > 0 && replayed(seed, n) {
		n--
	}
	return n
}

func replayed(seed, n int64) bool {
	d := throw(seed, forReplay, n)
	return d.chance(replays)
}

// The three ways to write a timestamp.
const (
	withT      = "2006-01-02T15:04:05"
	withSpace  = "2006-01-02 15:04:05"
	withColons = "2006:01:02 15:04:05"
)

// instant writes a timestamp, which has no zone.
func (o *object) instant(name string, t time.Time, layout string) {
	o.key(name)
	o.buf = append(o.buf, '"')
	o.buf = t.AppendFormat(o.buf, layout)
	o.buf = append(o.buf, '"')
}

// compose makes the event of an index: what is sent the first time, and again in each replay.
func compose(seed, ind int64) Event {
	d := throw(seed, forDirt, ind)
	layout := []string{withT, withSpace, withColons}[d.weighted([]int{70, 20, 10})]
	pin, geo, user := PinAt(seed, ind), GeoAt(seed, ind), UserAt(seed, ind)
	w := writer{buf: make([]byte, 0, 1200)}
	w.whole(ind)
	key := w.take()
	record := func(value []byte) Record { return Record{Key: key, Value: value} }

	w.buf = pin.AppendJSON(w.buf)
	pinRow := record(w.take())
	w.buf = geo.appendJSON(w.buf, layout)
	geoRow := record(w.take())
	w.buf = user.appendJSON(w.buf, layout)
	userRow := record(w.take())

	e := Event{Ind: ind, Pin: []Record{pinRow}, Geo: []Record{geoRow}, User: []Record{userRow}}
	e.spoil(&d)
	return e
}
