package clean

import (
	"fmt"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// parse makes values of texts. read gives the value of a text, and whether it has one.
type parse[T column.Native] struct {
	typ    column.Type
	expect string // what a text must be: "a whole number"
	null   bool   // a text without value becomes null, not a reject
	read   func(v []byte) (T, bool)
}

func (k *parse[T]) run(j *job) {
	src := j.text
	out := j.arena.Column(k.typ).(*column.Fixed[T])
	out.Values = slices.Grow(out.Values[:0], j.rows)[:j.rows]
	out.Valid.CopyFrom(&src.Valid)
	for row := range j.sel.All(j.rows) {
		if src.Valid.Null(row) {
			continue
		}
		v, ok := k.read(src.At(row))
		out.Values[row] = v
		switch {
		case ok:
		case k.null:
			out.Valid.SetNull(row)
		default:
			detail := fmt.Sprintf("expected %s, found %q", k.expect, shown(src.At(row)))
			j.rejects = append(j.rejects, reject{row, j.program, detail})
		}
	}
	j.out = out
}
