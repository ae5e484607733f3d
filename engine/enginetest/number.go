package enginetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Numbered replaces v by the row's number among those of its key, the value of the column By: the plainest operator
// with state. It fails where state was promised (engine.Expecting) and did not come.
type Numbered struct{ By string }

// Keys implements engine.Keyed.
func (c Numbered) Keys() []string { return []string{c.By} }

// Bind implements engine.Config.
func (c Numbered) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return &number{v: in.Index("v"), counts: map[column.Key]int64{}, changed: map[column.Key]bool{}, coming: map[int]int64{}}, in, nil
}

type number struct {
	v       int
	counts  map[column.Key]int64
	changed map[column.Key]bool
	coming  map[int]int64 // bytes that Expect has promised and Load has not brought yet, by slot
	saves   int
}

// Apply implements engine.Operator.
func (n *number) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	for slot, left := range n.coming {
		if left != 0 {
			return fmt.Errorf("slot %d: %d bytes of state were promised and did not come", slot, left)
		}
	}
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

// Save implements engine.Stateful.
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

// Expect implements engine.Expecting.
func (n *number) Expect(slot int, size int64) { n.coming[slot] += size }

// Load implements engine.Stateful.
func (n *number) Load(slot int, r io.Reader) error {
	for {
		var x [3]uint64
		switch err := binary.Read(r, binary.LittleEndian, &x); err {
		case nil:
			n.coming[slot] -= int64(binary.Size(x))
			n.counts[column.Key{Hi: x[0], Lo: x[1]}] = int64(x[2])
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}
