package engine

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// An entry is a partition's way in: it decodes frames, runs the steps that need no key, and admits what
// comes of them to the lanes. Frames of one partition come one after another; the coordinator's barrier
// comes between two admissions.
type entry struct {
	id      PartitionID
	source  *SourcePlan
	inst    *instance
	decoder Decoder
	timeCol int // column of the event time, -1: the record's own timestamp
	reserve reserve
	end     Offset // what "caught up" means for this run

	admission gate           // held while rows are handed to the lanes and while a barrier is put
	state     PartitionState // changed by who holds admission, by move
	ledger    Ledger         // of what was admitted since the last barrier
	seen      int64          // records admitted in this run
	placed    Offset         // state.After goes with it
	stirred   bool           // something happened since the last barrier
	released  atomic.Bool    // it has ended and so has what its children have to wait for: time passes without it

	// shown is the state and seen for who only looks: an admission may wait for lanes, and these for a store, and
	// who looks must not.
	shown struct {
		sync.Mutex
		state PartitionState
		seen  int64
		last  time.Time // of the last admission, or when reading began
	}
}

// A gate lets one in at a time. It is a channel and not a mutex because who waits may wait long.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) lock()   { g <- struct{}{} }
func (g gate) unlock() { <-g }

// mark is the state that a frame in the making leads to; it becomes the entry's with the admission.
type mark struct {
	next      Offset
	watermark Time
	records   int64
	bytes     int64
}

func (t *Task) newEntry(ctx context.Context, s *stage, number int, state PartitionState, end Offset) (*entry, error) {
	inst, err := t.newInstance(ctx, s, number)
	if err != nil {
		return nil, err
	}
	inst.hold = true
	e := &entry{
		id: PartitionID{state.Source, state.Partition}, source: s.source, inst: inst, decoder: s.source.NewDecoder(),
		timeCol: -1, end: end, ledger: Ledger{}, admission: newGate(), placed: state.Next,
	}
	e.move(state)
	if c := s.source.Time.Column; c != "" {
		if e.timeCol = s.schema.Index(c); e.timeCol < 0 || s.source.Time.Read == nil && s.schema[e.timeCol].Type.Kind != column.Timestamp {
			return nil, fmt.Errorf("source %s: event time %q is not a timestamp column of its schema and not read as one", s.name, c)
		}
	}
	return e, nil
}

// frame takes a frame of the partition through decode and the steps before the first exchange, and admits
// the result.
func (e *entry) frame(ctx context.Context, f Frame) error {
	f, m := e.trim(f)
	if m.records == 0 {
		return nil
	}
	arena := e.inst.task.arenas.Get()
	defer arena.Release()
	b, err := e.decode(f, &m, arena)
	if err != nil {
		return err
	}
	start := time.Now()
	err = e.inst.run(b)
	e.inst.task.clock.operators.Add(time.Since(start))
	if err == nil {
		err = e.inst.flushRejects()
	}
	if err != nil {
		e.drop()
		return err
	}
	free, err := e.inst.task.budget.take(ctx, int64(arena.Size()), &e.reserve)
	if err != nil {
		e.drop()
		return err
	}
	arena.OnFree(free)
	return e.admit(m)
}

// trim drops the records that were admitted before, and says where the others lead.
func (e *entry) trim(f Frame) (Frame, mark) {
	r, next, ok := f.Next()
	for ok && r.Offset < e.state.Next {
		f = next
		r, next, ok = f.Next()
	}
	m := mark{next: e.state.Next, watermark: e.state.Watermark}
	for ok {
		m.records++
		m.next = r.Offset + 1
		r, next, ok = next.Next()
	}
	if m.records > 0 {
		m.bytes = int64(len(f))
	}
	return f, m
}

func (e *entry) decode(f Frame, m *mark, arena *column.Arena) (*Batch, error) {
	defer e.inst.task.clock.decode.since(time.Now())
	rows := Rows{Offset: offsets(arena.Longs(int(m.records)))[:0], At: times(arena.Longs(int(m.records)))[:0]}
	for _, field := range e.source.Schema {
		rows.Columns = append(rows.Columns, arena.Column(field.Type))
	}
	if err := e.decoder.Decode(f, &rows); err != nil {
		return nil, fmt.Errorf("source %s, partition %s: decode: %w", e.id.Source, e.id.Partition, err)
	}
	count := e.inst.count(e.id.Source)
	count.In += m.records
	count.Filtered += int64(rows.Tombstones)
	e.inst.task.unknown.Add(rows.Unknown)
	for _, r := range rows.Rejects {
		count.Quarantined++
		e.inst.reject(reject{
			origin: e.id, offset: r.Record.Offset, at: r.Record.At, hasAt: true,
			reason: r.Reason, column: r.Column, detail: r.Detail, bytes: r.Record.Value,
		})
	}
	b := &Batch{
		Schema: e.source.Schema, Columns: rows.Columns, Rows: len(rows.Offset), Origin: e.id,
		At: rows.At, Recorded: rows.At, Offset: rows.Offset, Arena: arena,
	}
	e.stamp(b, m)
	count.Out += int64(b.Count())
	return b, nil
}

// admit hands what a frame gave to the lanes and moves the partition's position. Invariant: the position
// moves after all lanes have the rows, and both lie between the same two barriers.
func (e *entry) admit(m mark) error {
	t := e.inst.task
	e.admission.lock()
	defer e.admission.unlock()
	if t.closed.Load() {
		e.drop()
		return errStopped
	}
	e.inst.hold = false
	held := e.inst.held
	e.inst.held = held[:0]
	var err error
	for _, d := range held {
		if err == nil {
			err = e.inst.deliver(d)
		} else {
			d.batch.Arena.Release()
		}
	}
	e.inst.hold = true
	if err != nil {
		return err
	}
	next := e.state
	next.Next, next.Watermark = m.next, m.watermark
	e.ledger.Add(e.inst.takeCounts())
	e.seen += m.records
	e.move(next)
	t.admitted(m.records, m.bytes)
	return nil
}

// cut ends the epoch for the partition: everything admitted before is in it. It gives the partition's
// place and what it counted. final says that no row follows, ever.
func (e *entry) cut(epoch Epoch, final bool) (PartitionState, Ledger, error) {
	e.admission.lock()
	defer e.admission.unlock()
	b := barrier{epoch: epoch, upto: e.promise(), quiet: !e.stirred && !final}
	if final {
		b.upto = MaxTime
	}
	if err := e.position(); err != nil {
		return e.state, nil, err
	}
	e.inst.barrier(b)
	counted := e.ledger
	e.ledger, e.stirred = Ledger{}, false
	return e.state, counted, nil
}

// position has the source say where the partition is, in its own terms.
func (e *entry) position() error {
	s, ok := e.inst.task.ports.Sources[e.id.Source].(Positioned)
	if !ok || e.state.Next == e.placed {
		return nil
	}
	next := e.state
	if next.After = s.Position(e.id.Partition, next.Next-1); next.After == "" {
		return fmt.Errorf("source %s, partition %s: the source has forgotten where record %d is, which is not committed", e.id.Source, e.id.Partition, next.Next-1)
	}
	e.placed = next.Next
	e.move(next)
	return nil
}

// drop gives up what a frame gave.
func (e *entry) drop() {
	e.inst.takeCounts()
	for _, d := range e.inst.held {
		d.batch.Arena.Release()
	}
	e.inst.held = e.inst.held[:0]
	if r := e.inst.rejects; r != nil {
		r.batch.Arena.Release()
		e.inst.rejects = nil
	}
}

// passed moves the position over offsets that hold nothing for a reader.
func (e *entry) passed(to Offset) {
	e.admission.lock()
	defer e.admission.unlock()
	next := e.state
	next.Next = max(next.Next, to)
	e.move(next)
}

// finish notes that the partition has no more records.
func (e *entry) finish() {
	e.admission.lock()
	next := e.state
	next.Ended = true
	e.move(next)
	e.admission.unlock()
	t := e.inst.task
	t.intake.stir()
	select {
	case t.look <- struct{}{}:
	default:
	}
}

// release lets time pass without the partition, which has ended.
func (e *entry) release() {
	e.admission.lock()
	defer e.admission.unlock()
	e.released.Store(true)
	e.stirred = true
}

// promise is the event time below which no row that is not late comes through this entry any more. The caller holds
// admission, or nobody knows the entry yet.
func (e *entry) promise() Time {
	if e.released.Load() {
		return MaxTime
	}
	return e.state.Watermark
}

// wait lets the partition's time pass up to a watermark though no row says so.
func (e *entry) wait(upto Time) {
	e.admission.lock()
	defer e.admission.unlock()
	if upto <= e.state.Watermark {
		return
	}
	next := e.state
	next.Watermark = upto
	e.move(next)
	e.inst.task.intake.stir()
}

// lost moves the position over records that are gone.
func (e *entry) lost(from, to Offset) error {
	if !e.source.AllowLoss {
		return lossError(e.id, from, to)
	}
	e.admission.lock()
	defer e.admission.unlock()
	if to <= e.state.Next {
		return nil
	}
	e.ledger.Add(Ledger{e.id.Source: {Lost: int64(to - max(from, e.state.Next))}})
	next := e.state
	next.Next = to
	e.move(next)
	e.inst.task.admitted(1, 0)
	return nil
}

func lossError(id PartitionID, from, to Offset) error {
	return fmt.Errorf("source %s, partition %s: the records from offset %d to %d are gone: the broker's retention has passed them before they were read; "+
		"to go on without them set on_data_loss: continue", id.Source, id.Partition, from, to-1)
}

// move changes the partition's state. The caller holds admission, or nobody knows the entry yet.
func (e *entry) move(to PartitionState) {
	e.stirred = e.stirred || to != e.state
	came := to.Next != e.state.Next || e.shown.last.IsZero()
	e.state = to
	e.shown.Lock()
	defer e.shown.Unlock()
	e.shown.state, e.shown.seen = e.state, e.seen
	if came {
		e.shown.last = time.Now()
	}
}

// look is the partition's state now and the records admitted in this run. It waits for nobody.
func (e *entry) look() (PartitionState, int64) {
	e.shown.Lock()
	defer e.shown.Unlock()
	return e.shown.state, e.shown.seen
}

// lookAt is the partition's state now and when its last record was taken in. It waits for nobody.
func (e *entry) lookAt() (PartitionState, time.Time) {
	e.shown.Lock()
	defer e.shown.Unlock()
	return e.shown.state, e.shown.last
}

// place is the partition's state now.
func (e *entry) place() PartitionState {
	state, _ := e.look()
	return state
}
