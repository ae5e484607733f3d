package clean

import (
	"github.com/millrace-io/millrace/engine/column"
)

// A job is one column of one batch on its way through its kernels.
type job struct {
	arena *column.Arena
	sel   column.Selection
	rows  int

	text *column.Texts // what the next kernel reads
	own  bool          // text's validity is ours to change
	out  column.Column // what parse made; nil: nothing yet

	program int
	rejects []reject
}

// run takes a column through kernels. What comes out is in where nothing was to change.
func (j *job) run(in *column.Texts, kernels []kernel) column.Column {
	j.text = in
	for _, k := range kernels {
		k.run(j)
	}
	if j.out != nil {
		return j.out
	}
	return j.text
}

// setNull takes the value of a row away. The bytes stay, shared with the column that came in.
func (j *job) setNull(row int) {
	if !j.own {
		j.text, j.own = j.arena.Alias(j.text), true
	}
	j.text.Valid.SetNull(row)
}
