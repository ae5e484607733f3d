package enginetest_test

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// numberConfig replaces v by the row's number among those of its key.
type numberConfig struct{ By string }

func (c numberConfig) Keys() []string { return []string{c.By} }

func (c numberConfig) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return &number{v: in.Index("v"), counts: map[column.Key]int64{}, changed: map[column.Key]bool{}}, in, nil
}

type number struct {
	v       int
	counts  map[column.Key]int64
	changed map[column.Key]bool
	saves   int
}

func (n *number) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	v := in.Arena.Column(column.Of(column.Long)).(*column.Longs)
	numbers := map[int]int64{}
	for row := range in.Sel.All(in.Rows) {
		n.counts[in.Keys[row]]++
		n.changed[in.Keys[row]] = true
		numbers[row] = n.counts[in.Keys[row]]
	}
	for row := range in.Rows {
		v.Append(numbers[row])
	}
	columns := append([]column.Column(nil), in.Columns...)
	columns[n.v] = v
	return emit.Rows(in.With(in.Schema, columns))
}

func (n *number) Save(slot int, w io.Writer) (whole bool, err error) {
	n.saves++
	whole = n.saves%3 == 0
	for k, count := range n.counts {
		if k.Slot() == slot && (whole || n.changed[k]) {
			delete(n.changed, k)
			if err := binary.Write(w, binary.LittleEndian, []uint64{k.Hi, k.Lo, uint64(count)}); err != nil {
				return false, err
			}
		}
	}
	return whole, nil
}

func (n *number) Load(_ int, r io.Reader) error {
	for {
		var x [3]uint64
		switch err := binary.Read(r, binary.LittleEndian, &x); err {
		case nil:
			n.counts[column.Key{Hi: x[0], Lo: x[1]}] = int64(x[2])
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}
