package engine

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Status is what a running task says of itself. Its JSON is part of the product.
type Status struct {
	Pipeline     string             `json:"pipeline"`
	Task         string             `json:"task"`
	Epoch        Epoch              `json:"epoch"`             // the newest that is committed
	CommitAge    float64            `json:"commit_age_s"`      // seconds since then
	Partitions   []PartitionStatus  `json:"partitions"`        //
	Ledger       Ledger             `json:"ledger"`            // committed, since the first start
	Tables       map[string]int64   `json:"tables"`            // version of each
	Rows         map[string]int64   `json:"rows"`              // rows committed to each table by this run
	Quarantined  map[Reason]int64   `json:"quarantined"`       // rows of this run by reason
	Unknown      int64              `json:"unknown_fields"`    // fields the schema does not name, in this run
	Memory       int64              `json:"memory_bytes"`      // of batches in flight
	StateMemory  int64              `json:"state_bytes"`       // of what operators hold, as far as they know it
	Waiting      []Hold             `json:"waiting,omitempty"` // what operators that wait for event time wait for
	StageSeconds map[string]float64 `json:"stage_seconds"`     // time spent in this run, over all goroutines
	Records      int64              `json:"records"`           // taken in by this run, committed or not
	Bytes        int64              `json:"bytes"`
	// FirstRecord is when this run had its first records; zero before.
	FirstRecord time.Time `json:"first_record,omitzero"`
}

// PartitionStatus is a partition's place.
type PartitionStatus struct {
	Source    string `json:"source"`
	Partition string `json:"partition"`
	Next      Offset `json:"next"`
	End       Offset `json:"end"` // one past the newest record known to be there; -1: the source can't say
	// Behind is how much younger the newest record there is than the last one read, where a source says that instead.
	Behind    float64 `json:"behind_s,omitempty"`
	Position  string  `json:"position,omitempty"` // of the last record committed, where the source counts in terms of its own
	Ended     bool    `json:"ended,omitempty"`    // it has no more records and never will
	Watermark Time    `json:"watermark_us"`
	Records   int64   `json:"records"`
	// JoinedEpoch is set for a partition that came after the first start: the law does not cover where its
	// event time begins.
	JoinedEpoch Epoch `json:"joined_epoch,omitempty"`
}

// Status says how the task stands. It may be called at any time, from any goroutine.
func (t *Task) Status() Status {
	s := t.status.snapshot()
	s.Pipeline, s.Task = t.plan.Pipeline, t.opt.Task
	s.Quarantined = t.reasons.counts()
	s.Unknown = t.unknown.Load()
	s.Memory, s.StateMemory = t.budget.inUse(), t.scale.weight.Load()
	s.Waiting = t.holds(time.Now())
	s.StageSeconds = t.clock.seconds()
	s.StageSeconds["fetch"] = t.fetched().Seconds()
	s.Records, s.Bytes = t.intake.allRows.Load(), t.intake.allBytes.Load()
	if first := t.intake.first.Load(); first != nil {
		s.FirstRecord = *first
	}
	ends, behind := t.ends(), t.behind()
	for _, e := range t.all() {
		state, seen := e.look()
		p := PartitionStatus{
			Source: e.id.Source, Partition: e.id.Partition, Next: state.Next, End: e.end, Watermark: state.Watermark, Records: seen, JoinedEpoch: state.Joined,
			Behind: behind[e.id].Seconds(), Position: state.After, Ended: state.Ended,
		}
		if end, ok := ends[e.id]; ok {
			p.End = max(p.End, end)
		}
		s.Partitions = append(s.Partitions, p)
	}
	return s
}

// behind is what the sources that can't give the ends of their partitions know instead.
func (t *Task) behind() map[PartitionID]time.Duration {
	all := map[PartitionID]time.Duration{}
	for name, s := range t.ports.Sources {
		if c, ok := s.(Chasing); ok {
			for partition, by := range c.Behind() {
				all[PartitionID{name, partition}] = by
			}
		}
	}
	return all
}

// fetched is what the sources know of the time they spend.
func (t *Task) fetched() time.Duration {
	var sum time.Duration
	for _, s := range t.ports.Sources {
		if m, ok := s.(Metered); ok {
			sum += m.Fetched()
		}
	}
	return sum
}

// ends is what the sources know of the ends of their partitions.
func (t *Task) ends() map[PartitionID]Offset {
	all := map[PartitionID]Offset{}
	for name, s := range t.ports.Sources {
		if l, ok := s.(Lagging); ok {
			for partition, end := range l.Ends() {
				all[PartitionID{name, partition}] = end
			}
		}
	}
	return all
}

// Lag is the records that are known to be there and not taken in yet; known is false where the source can't say.
func (p PartitionStatus) Lag() (records int64, known bool) {
	if p.End == NoOffset {
		return 0, false
	}
	return max(0, int64(p.End-p.Next)), true
}

// epochStatus is what is known of tables and commits.
type epochStatus struct {
	mu      sync.Mutex
	epochOf map[string]Epoch
	ids     map[string]string
	others  []string // incarnations that have committed to the tables besides ours, some several times
	tables  map[string]int64
	rows    map[string]int64
	files   map[string]int64
	last    *Checkpoint
	at      time.Time
	epochs  int64
}

func (s *epochStatus) opened(table string, state TableState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids, s.tables, s.rows, s.files, s.epochOf = map[string]string{}, map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]Epoch{}
	}
	s.ids[table], s.tables[table], s.epochOf[table] = state.ID, state.Version, state.Epoch
	s.others = append(s.others, state.Others...)
}

func (s *epochStatus) version(p Prepared, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[p.Table], s.epochOf[p.Table] = version, p.Epoch
	for _, f := range p.Files {
		s.rows[p.Table] += f.Rows
		s.files[p.Table]++
	}
}

func (s *epochStatus) committed(c *Checkpoint, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		s.epochs++
	}
	s.last, s.at = c, at
}

func (s *epochStatus) id(table string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[table]
}

// otherLines is the other incarnations with commits in the tables, and those known before; never nil.
func (s *epochStatus) otherLines(known []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append(slices.Clone(s.others), known...)
	slices.Sort(all)
	return append([]string{}, slices.Compact(all)...)
}

// tableIDs is the id of every open table.
func (s *epochStatus) tableIDs() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.ids)
}

func (s *epochStatus) epoch(table string) Epoch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.epochOf[table]
}

func (s *epochStatus) snapshot() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return Status{Epoch: NoEpoch, Ledger: Ledger{}}
	}
	return Status{
		Epoch: s.last.Epoch, CommitAge: time.Since(s.at).Seconds(), Ledger: s.last.Ledger,
		Tables: maps.Clone(s.tables), Rows: maps.Clone(s.rows),
	}
}

func (t *Task) result() Result {
	s := &t.status
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return Result{}
	}
	return Result{
		Epochs: s.epochs, Ledger: s.last.Ledger.Sub(t.first), Total: maps.Clone(s.last.Ledger),
		Versions: maps.Clone(s.tables), Files: maps.Clone(s.files), Rows: maps.Clone(s.rows),
	}
}

// A stopwatch sums up time that several goroutines spend.
type stopwatch struct{ ns atomic.Int64 }

// Add adds d.
func (s *stopwatch) Add(d time.Duration) { s.ns.Add(int64(d)) }

func (s *stopwatch) since(start time.Time) { s.Add(time.Since(start)) }

// stopwatches is where the time goes, but for fetch, which the sources know. operators counts the steps before the first exchange; seal and commit
// are waited for by nobody.
type stopwatches struct {
	decode, operators, encode, seal, checkpoint, commit stopwatch
}

func (s *stopwatches) seconds() map[string]float64 {
	all := map[string]float64{}
	for name, w := range map[string]*stopwatch{
		"decode": &s.decode, "operators": &s.operators, "encode": &s.encode,
		"seal": &s.seal, "checkpoint": &s.checkpoint, "commit": &s.commit,
	} {
		all[name] = time.Duration(w.ns.Load()).Seconds()
	}
	return all
}

// reasons counts what goes to quarantine.
type reasons struct {
	mu sync.Mutex
	n  map[Reason]int64
}

func (r *reasons) add(reason Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n == nil {
		r.n = map[Reason]int64{}
	}
	r.n[reason]++
}

func (r *reasons) counts() map[Reason]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.n)
}
