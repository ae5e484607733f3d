package engine

import "time"

// A coordinator decides when an epoch is cut, written, committed and told. It is a pure state machine: no
// I/O, no clock, no goroutine. Time is passed in, as the time since the task began.
//
// An epoch's way, with at most two epochs on it at once:
//
//	cut ──▶ sealing ──ready──▶ waiting ──▶ writing ──written──▶ committing ──committed──▶ gone
//	                                 │
//	                                 └ only when the epoch before is gone
type coordinator struct {
	policy CommitPolicy
	beat   time.Duration // an owner writes a checkpoint at least this often
	next   Epoch         // the epoch that rows go to now
	cutAt  time.Duration // when the epoch before next was cut
	rows   int64         // taken in since then
	bytes  int64

	flights  []flight // oldest first
	stopping bool     // the open epoch is the last
	final    bool     // the last epoch has been cut
	finished bool
}

type flight struct {
	epoch Epoch
	phase phase
}

type phase uint8

const (
	sealing phase = iota
	waiting
	writing
	committing
)

const maxFlights = 2

// An event is something that happened; at is when.
type event struct {
	kind  eventKind
	at    time.Duration
	epoch Epoch // of ready, written, committed
	rows  int64 // of admitted
	bytes int64 // of admitted
}

type eventKind uint8

const (
	tick      eventKind = iota // time has passed
	admitted                   // rows were taken in
	ready                      // all files and state of the epoch are in the store
	written                    // its checkpoint is
	committed                  // its tables are
	stop                       // take nothing more in, finish
)

// An action is something to be done. Cut is done before the next event; the others run on their own and
// report back with an event.
type action struct {
	kind  actionKind
	epoch Epoch
}

type actionKind uint8

const (
	cut    actionKind = iota // put the barrier of the epoch into every partition
	write                    // write its checkpoint; then written
	commit                   // commit its tables; then committed
	tell                     // tell the sources; nothing comes back
	finish                   // all is done; nothing follows
)

func newCoordinator(policy CommitPolicy, next Epoch) *coordinator {
	return &coordinator{policy: policy, beat: beatOf(policy), next: next}
}

// beatOf is how often an owner writes a checkpoint at least.
func beatOf(policy CommitPolicy) time.Duration { return max(policy.Every, Heartbeat) }

// step takes an event and says what to do. It panics on an event that cannot happen.
func (c *coordinator) step(e event) []action {
	var out []action
	switch e.kind {
	case tick:
	case admitted:
		c.rows += e.rows
		c.bytes += e.bytes
	case stop:
		c.stopping = true
	case ready:
		c.advance(e.epoch, sealing, waiting)
	case written:
		c.advance(e.epoch, writing, committing)
		out = append(out, action{commit, e.epoch})
	case committed:
		c.advance(e.epoch, committing, committing)
		c.flights = c.flights[1:]
		out = append(out, action{tell, e.epoch})
	}
	if c.due(e.at) {
		out = append(out, c.cut(e.at))
	}
	if len(c.flights) > 0 && c.flights[0].phase == waiting {
		c.flights[0].phase = writing
		out = append(out, action{write, c.flights[0].epoch})
	}
	if c.final && len(c.flights) == 0 && !c.finished {
		c.finished = true
		out = append(out, action{finish, c.next - 1})
	}
	return out
}

// due says whether the open epoch ends now.
func (c *coordinator) due(at time.Duration) bool {
	if c.final || len(c.flights) == maxFlights {
		return false
	}
	if c.stopping {
		return true
	}
	p, since := c.policy, at-c.cutAt
	return c.rows > 0 && (p.Every > 0 && since >= p.Every || p.Rows > 0 && c.rows >= p.Rows || p.Bytes > 0 && c.bytes >= p.Bytes) ||
		since >= c.beat
}

func (c *coordinator) cut(at time.Duration) action {
	a := action{cut, c.next}
	c.flights = append(c.flights, flight{epoch: c.next})
	c.next++
	c.cutAt, c.rows, c.bytes = at, 0, 0
	c.final = c.stopping
	return a
}

// deadline is when the coordinator wants a tick, if nothing happens before. ok is false when time alone
// changes nothing.
func (c *coordinator) deadline() (at time.Duration, ok bool) {
	switch {
	case c.final || len(c.flights) == maxFlights:
		return 0, false
	case c.rows > 0 && c.policy.Every > 0:
		return c.cutAt + c.policy.Every, true
	default:
		return c.cutAt + c.beat, true
	}
}

func (c *coordinator) advance(epoch Epoch, from, to phase) {
	for i := range c.flights {
		if f := &c.flights[i]; f.epoch == epoch && f.phase == from {
			f.phase = to
			return
		}
	}
	panic(eventOutOfPlace{epoch, from, c.flights})
}

// eventOutOfPlace is what step panics with: an event for an epoch that is not where the event says.
type eventOutOfPlace struct {
	epoch   Epoch
	from    phase
	flights []flight
}
