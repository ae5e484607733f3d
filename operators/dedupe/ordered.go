package dedupe

import (
	"context"
	"unsafe"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// ordered is dedupe in order of event time. It implements engine.Stateful. A row waits until the promise of all partitions
// has passed it: then no row comes any more that is before it, and it is decided after all that were.
//
// Of the kept rows of a key only the last one counts, and it is never after the row at hand: dedupe's tables do as they are.
type ordered struct {
	*dedupe
	held *held
	upto engine.Time // all rows before it have been decided. Invariant: it never falls

	shares [column.Slots]share
	listed bool // the shares say what is to be saved: nothing has changed since
	list   []ref
	packed rows // scratch: a block of held rows that is saved or loaded
	out    []byte

	pool  column.Pool
	marks []engine.Time // what each row that leaves has, never changed
	drop  []uint32      // scratch: chunks from which rows have gone
}

func newOrdered(d *dedupe, in engine.Schema) *ordered {
	o := &ordered{dedupe: d, held: newHeld(in), upto: engine.MinTime, packed: newRows(in), marks: make([]engine.Time, chunkRows+runRows)}
	for i := range o.marks {
		o.marks[i] = engine.MinTime
	}
	for len(d.every) < ahead {
		d.every = append(d.every, int32(len(d.every)))
	}
	return o
}

// Apply implements engine.Operator.
func (o *ordered) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	if o.loading {
		o.loaded()
	}
	o.listed = false
	if in.Count() > 0 {
		o.take(in)
	}
	before := min(o.upto, in.Upto)
	o.upto = max(o.upto, in.Upto)
	due := o.held.due(o.upto)
	kept := o.decide(due)
	if n := len(due) - len(kept); n > 0 {
		emit.Drop(engine.Duplicate, n)
	}
	// What was decided just now was before upto: no entry went by it until here.
	o.floor = max(o.floor, o.upto.Minus(o.within))
	if err := o.pass(kept, before, in, emit); err != nil {
		return err
	}
	for _, number := range o.drop {
		o.held.clear(number)
	}
	o.held.tidy()
	return nil
}

// take holds the rows of a batch.
func (o *ordered) take(in *engine.Batch) {
	rows, keys := o.rows(in), o.keys(in)
	for _, row := range rows {
		s := &o.shares[keys[row].Slot()]
		s.held++
		s.fresh++
	}
	o.held.batch(in, rows, keys)
}

// decide gives those of refs, which are in order, that are the first of their key: by origin and chunk, for pack. It lets all of
// them go.
func (o *ordered) decide(refs []ref) []ref {
	kept := refs[:0]
	o.drop = o.drop[:0]
	var keys [ahead]column.Key
	for len(refs) > 0 {
		run := refs[:min(len(refs), ahead)]
		refs = refs[len(run):]
		for i, r := range run {
			keys[i] = o.held.chunks[r.chunk].keys[r.row]
		}
		o.warm(keys[:], o.every[:len(run)])
		for i, r := range run {
			c := o.held.chunks[r.chunk]
			s := &o.shares[keys[i].Slot()]
			s.held--
			if c.saved {
				s.released = true
			} else {
				s.fresh--
			}
			if o.held.let(r); c.left == 0 {
				o.drop = append(o.drop, r.chunk)
			}
			if o.keep(keys[i], c.at[r.row], engine.MinTime) {
				r.by = uint64(c.origin[r.row])<<32 | uint64(r.chunk)
				kept = append(kept, r)
			}
		}
	}
	o.held.refs = sorted(kept, &o.held.more)
	return o.held.refs
}

// pass emits rows, in batches of one origin, and after them the time and barrier of in.
func (o *ordered) pass(kept []ref, before engine.Time, in *engine.Batch, emit engine.Emit) error {
	if len(kept) == 0 {
		return emit.Rows(in.Select(in.Arena.Selection(0)))
	}
	for len(kept) > 0 {
		arena := o.pool.Get()
		out, n := o.batch(kept, arena)
		kept = kept[n:]
		if out.Upto = before; len(kept) == 0 {
			out.Upto, out.Barrier = in.Upto, in.Barrier
		}
		err := emit.Rows(out)
		arena.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// batch makes a batch of the first n of the rows.
//
// They have no keys, as the next exchange makes its own. Their Mark is the least there is. By their partition's watermark, which
// has passed all of them by now, whoever goes by Mark would take them for late. They are not: none is before what the batches
// before have promised.
func (o *ordered) batch(refs []ref, arena *column.Arena) (out *engine.Batch, n int) {
	most := min(len(refs), len(o.marks))
	r := rows{
		at: times(arena.Longs(most))[:0], offset: offsets(arena.Longs(most))[:0],
		keys: arena.Keys(most)[:0], origin: o.packed.origin[:0],
	}
	for _, f := range o.held.schema {
		r.columns = append(r.columns, arena.Column(f.Type))
	}
	n = o.held.pack(&r, refs)
	o.packed.origin = r.origin
	return &engine.Batch{
		Schema: o.held.schema, Columns: r.columns, Rows: n, At: r.at, Mark: o.marks[:n], Offset: r.offset,
		Origin: o.held.origins[r.origin[0]], Arena: arena,
	}, n
}

// times lets arena memory hold event times, which are int64.
func times(s []int64) []engine.Time { return *(*[]engine.Time)(unsafe.Pointer(&s)) }

// offsets lets arena memory hold offsets, which are int64.
func offsets(s []int64) []engine.Offset { return *(*[]engine.Offset)(unsafe.Pointer(&s)) }
