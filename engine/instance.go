package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
	"unsafe"

	"github.com/millrace-io/millrace/engine/column"
)

// An instance is a stage made for one partition or one lane: its operators, its writers and its places in
// the inboxes of the stages it sends to. One goroutine at a time runs it.
type instance struct {
	task  *Task
	stage *stage
	lane  int // or the partition's number: which lane takes what is not exchanged by key
	ctx   context.Context

	first    []node
	counts   map[string]*Count // by stream and source, since the last barrier
	stateful []statefulOperator
	writers  []tableWriter
	senders  [][]int // by stage index, by lane: our number in the inbox

	rejects *rejects   // rows on their way to quarantine; nil: none
	hold    bool       // sends wait in held until the caller delivers them
	held    []delivery // in order
}

// A delivery is a batch for a lane. It owns a reference to the batch's arena.
type delivery struct {
	to    *stage
	lane  int
	batch *Batch
}

type statefulOperator struct {
	id string
	op Stateful
}

type tableWriter struct {
	table string
	w     TableWriter
}

// A node is a vertex made for an instance: it takes batches and passes on what comes of them.
type node interface {
	push(b *Batch) error
}

func (t *Task) newInstance(ctx context.Context, s *stage, lane int) (*instance, error) {
	in := &instance{task: t, stage: s, lane: lane, ctx: ctx, counts: map[string]*Count{}}
	for _, v := range s.first {
		n, err := in.build(v)
		if err != nil {
			return nil, err
		}
		in.first = append(in.first, n)
	}
	return in, nil
}

// join takes a place in the inboxes of the stages the instance sends to.
func (in *instance) join(first Epoch, upto Time) {
	in.senders = make([][]int, len(in.task.graph.stages))
	for _, s := range in.outs() {
		for _, l := range s.lanes {
			in.senders[s.index] = append(in.senders[s.index], l.inbox.join(first, upto))
		}
	}
}

// outs is the stages the instance sends to.
func (in *instance) outs() []*stage {
	if q := in.task.graph.quarantine; in.stage != q {
		return append(in.stage.outs[:len(in.stage.outs):len(in.stage.outs)], q)
	}
	return nil
}

func (in *instance) build(v *vertex) (node, error) {
	var next fan
	for _, n := range v.next {
		made, err := in.build(n)
		if err != nil {
			return nil, err
		}
		next = append(next, made)
	}
	switch {
	case v.start:
		n := &gateNode{count: &in.countOf(v).In, next: next}
		if v.waits {
			n.next = fan{&lateNode{in: in, stream: v.stream, next: next}}
		}
		return n, nil
	case v.end:
		return &gateNode{count: &in.countOf(v).Out, watch: in.task.watches[v.stream], next: next}, nil
	case v.step != nil:
		return in.buildStep(v, next)
	case v.send != nil:
		return in.buildSend(v)
	case v.table != nil:
		w := in.task.ports.Tables[v.table.Name].Writer(in.lane)
		in.writers = append(in.writers, tableWriter{v.table.Name, w})
		n := &tableNode{in: in, table: v.table.Name, w: w, watch: in.task.watches[v.table.Name]}
		if columns := delicate(v.table, v.schema); len(columns) > 0 {
			return &partitionNode{in: in, stream: v.table.From, columns: columns, next: n}, nil
		}
		return n, nil
	}
	return next, nil
}

func (in *instance) buildStep(v *vertex, next fan) (node, error) {
	op, _, err := v.step.Config.Bind(v.schema)
	if err != nil {
		return nil, fmt.Errorf("stream %s: step %s: %w", v.stream, v.step.Name, err)
	}
	if s, ok := op.(Stateful); ok {
		in.stateful = append(in.stateful, statefulOperator{operatorID(v), s})
	}
	return &stepNode{in: in, op: op, id: operatorID(v), stream: v.stream, count: in.countOf(v), next: next}, nil
}

func (in *instance) buildSend(v *vertex) (node, error) {
	n := &sendNode{in: in, to: v.send, hasher: column.NewHasher(in.task.seed)}
	for _, k := range v.send.keys {
		i := v.schema.Index(k)
		if i < 0 {
			return nil, fmt.Errorf("stream %s: exchange by %q: no such column", v.stream, k)
		}
		n.keys = append(n.keys, i)
	}
	return n, nil
}

// countOf is where a vertex of a stream counts rows.
func (in *instance) countOf(v *vertex) *Count {
	if v.whole {
		return new(Count)
	}
	return in.count(v.stream)
}

func (in *instance) count(name string) *Count {
	c := in.counts[name]
	if c == nil {
		c = &Count{}
		in.counts[name] = c
	}
	return c
}

// takeCounts gives what was counted since the last call.
func (in *instance) takeCounts() Ledger {
	l := Ledger{}
	for name, c := range in.counts {
		if *c != (Count{}) {
			l[name] = *c
			*c = Count{}
		}
	}
	return l
}

// run takes a batch through the stage. A panic in an operator is an error of the run, with its place.
func (in *instance) run(b *Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("stage %s: panic: %v\n%s", in.stage.name, p, debug.Stack())
		}
	}()
	if in.stage.source != nil {
		in.task.watches[in.stage.name].offer(b)
	}
	for _, n := range in.first {
		if err := n.push(b); err != nil {
			return err
		}
	}
	return nil
}

// deliver hands a batch to a lane, or keeps it for later. It takes over a reference to its arena.
func (in *instance) deliver(d delivery) error {
	if in.hold {
		in.held = append(in.held, d)
		return nil
	}
	sender := in.senders[d.to.index][d.lane]
	if !d.to.lanes[d.lane].inbox.put(sender, message{batch: d.batch}) {
		d.batch.Arena.Release()
		return errStopped
	}
	return nil
}

// barrier tells all stages behind that the epoch has ended.
func (in *instance) barrier(b barrier) {
	for _, s := range in.outs() {
		for i, l := range s.lanes {
			l.inbox.put(in.senders[s.index][i], message{barrier: b})
		}
	}
}

// A fan passes a batch to each of several nodes.
type fan []node

func (f fan) push(b *Batch) error {
	for _, n := range f {
		if err := n.push(b); err != nil {
			return err
		}
	}
	return nil
}

// A gateNode counts the rows that pass the start or the end of a stream.
type gateNode struct {
	count *int64
	watch *watchers
	next  fan
}

func (n *gateNode) push(b *Batch) error {
	*n.count += int64(b.Count())
	n.watch.offer(b)
	return n.next.push(b)
}

// A stepNode runs an operator and is its Emit.
type stepNode struct {
	in     *instance
	op     Operator
	id     string
	stream string
	count  *Count
	next   fan
}

func (n *stepNode) push(b *Batch) error {
	if err := n.op.Apply(n.in.ctx, b, n); err != nil {
		return fmt.Errorf("%s: %w", n.id, err)
	}
	return nil
}

// Rows implements Emit.
func (n *stepNode) Rows(out *Batch) error { return n.next.push(out) }

// Drop implements Emit.
func (n *stepNode) Drop(reason DropReason, rows int) {
	switch reason {
	case Filtered:
		n.count.Filtered += int64(rows)
	case Duplicate:
		n.count.Duplicate += int64(rows)
	case Aggregated:
		n.count.Aggregated += int64(rows)
	}
}

// Made implements Emit.
func (n *stepNode) Made(rows int) { n.count.Made += int64(rows) }

// Quarantine implements Emit.
func (n *stepNode) Quarantine(b *Batch, row int, reason Reason, col, detail string) {
	n.count.Quarantined++
	n.in.refuse(b, row, n.stream, reason, col, detail)
}

// A sendNode splits rows over the lanes of another stage.
type sendNode struct {
	in     *instance
	to     *stage
	keys   []int // columns of the key, where the stage has keys
	cols   []column.Column
	hasher *column.Hasher
}

func (n *sendNode) push(b *Batch) error {
	width := len(n.to.lanes)
	if !n.to.keyed {
		return n.send(b, n.in.lane%width, b.Sel)
	}
	n.cols = n.cols[:0]
	for _, k := range n.keys {
		n.cols = append(n.cols, b.Columns[k])
	}
	keyed := *b
	keyed.Keys = b.Arena.Keys(b.Rows)
	n.hasher.Keys(keyed.Keys, n.cols, b.Sel, b.Rows)
	if width == 1 {
		return n.send(&keyed, 0, b.Sel)
	}
	sels := make([]column.Selection, width)
	for i := range sels {
		sels[i] = b.Arena.Selection(b.Count())
	}
	for row := range b.Sel.All(b.Rows) {
		l := laneOf(keyed.Keys[row].Slot(), width)
		sels[l] = append(sels[l], int32(row))
	}
	for l, sel := range sels {
		if err := n.send(&keyed, l, sel); err != nil {
			return err
		}
	}
	return nil
}

// send gives a lane its rows. Every lane gets a batch, an empty one too: it carries Upto.
func (n *sendNode) send(b *Batch, lane int, sel column.Selection) error {
	out := *b
	out.Sel, out.Barrier, out.Quiet = sel, 0, false
	out.Arena = b.Arena.Child()
	return n.in.deliver(delivery{n.to, lane, &out})
}

// laneOf is the lane of width that owns slot: each owns a run of slots.
func laneOf(slot, width int) int { return slot * width / column.Slots }

// A tableNode writes rows to a table.
type tableNode struct {
	in    *instance
	table string
	w     TableWriter
	watch *watchers
}

func (n *tableNode) push(b *Batch) error {
	if b.Count() == 0 {
		return nil
	}
	n.watch.offer(b)
	start := time.Now()
	err := n.w.Write(n.in.ctx, b)
	n.in.task.clock.encode.Add(time.Since(start))
	return err
}

// A reject is a row or record on its way to quarantine.
type reject struct {
	origin PartitionID
	stream string // "": the record gave no row
	offset Offset
	at     Time
	hasAt  bool
	reason Reason
	column string
	detail string
	bytes  []byte
}

// rejects is a batch of the quarantine table in the making.
type rejects struct {
	batch  *Batch
	offset []Offset
	at     []Time
}

// refuse sends a row of a batch to quarantine.
func (in *instance) refuse(b *Batch, row int, stream string, reason Reason, col, detail string) {
	at, hasAt := in.recorded(b, row)
	in.reject(reject{
		origin: b.Origin, stream: stream, offset: b.Offset[row], at: at, hasAt: hasAt,
		reason: reason, column: col, detail: detail, bytes: column.AppendRowJSON(nil, b.Schema, b.Columns, row),
	})
}

// recorded is the timestamp of a row's record, if that is known. It may be the row's event time.
func (in *instance) recorded(b *Batch, row int) (at Time, ok bool) {
	if b.Recorded != nil {
		return b.Recorded[row], true
	}
	if s := in.task.plan.source(b.Origin.Source); s != nil && s.Time.Column == "" {
		return b.At[row], true
	}
	return 0, false
}

// reject adds a row to what goes to quarantine.
func (in *instance) reject(r reject) {
	if in.rejects == nil {
		in.rejects = in.newRejects()
	}
	b := in.rejects.batch
	text := func(i int, s string, null bool) {
		c := b.Columns[i].(*column.Texts)
		if null {
			c.AppendNull()
			return
		}
		c.AppendString(s)
	}
	text(0, r.origin.Source, false)
	text(1, r.stream, r.stream == "")
	text(2, r.origin.Partition, false)
	text(3, in.task.positionOf(r.origin, r.offset), false)
	if at := b.Columns[4].(*column.Longs); r.hasAt {
		at.Append(int64(r.at))
	} else {
		at.AppendNull()
	}
	text(5, string(r.reason), false)
	text(6, r.column, r.column == "")
	text(7, r.detail, r.detail == "")
	text(8, string(r.bytes), r.bytes == nil)
	in.rejects.offset = append(in.rejects.offset, r.offset)
	in.rejects.at = append(in.rejects.at, r.at)
	b.Rows++
	in.task.reasons.add(r.reason)
}

// positionOf is a record's place as people who look for it need it.
func (t *Task) positionOf(p PartitionID, o Offset) string {
	if s, ok := t.ports.Sources[p.Source].(Positioned); ok {
		if at := s.Position(p.Partition, o); at != "" {
			return at
		}
	}
	return fmt.Sprint(o)
}

func (in *instance) newRejects() *rejects {
	a := in.task.refused.Get()
	b := &Batch{Schema: QuarantineSchema, Arena: a, Upto: MinTime}
	for _, f := range QuarantineSchema {
		b.Columns = append(b.Columns, a.Column(f.Type))
	}
	return &rejects{batch: b}
}

// flushRejects sends what waits to the quarantine stage.
func (in *instance) flushRejects() error {
	if in.rejects == nil {
		return nil
	}
	r := in.rejects
	in.rejects = nil
	r.batch.Offset, r.batch.At, r.batch.Mark = r.offset, r.at, r.at
	return in.deliver(delivery{in.task.graph.quarantine, 0, r.batch})
}

// times lets arena memory hold event times, which are int64.
func times(s []int64) []Time { return *(*[]Time)(unsafe.Pointer(&s)) }

// offsets lets arena memory hold offsets, which are int64.
func offsets(s []int64) []Offset { return *(*[]Offset)(unsafe.Pointer(&s)) }
