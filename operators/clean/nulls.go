package clean

import "github.com/millrace-io/millrace/engine/column"

// nulls makes texts null that are among some. It looks at bytes only where the length is that of one of
// them.
type nulls struct {
	lengths uint64 // bit n: a text of n bytes is among them; bit 63: of 63 or more
	texts   []string
}

func (k *nulls) add(texts ...string) {
	for _, s := range texts {
		k.lengths |= 1 << min(len(s), 63)
		k.texts = append(k.texts, s)
	}
}

func (k *nulls) run(j *job) {
	t, lengths := j.text, k.lengths
	if j.sel != nil {
		for _, row := range j.sel {
			if n := t.Offsets[row+1] - t.Offsets[row]; lengths>>min(uint32(n), 63)&1 != 0 {
				k.check(j, t, int(row))
			}
		}
		return
	}
	start := t.Offsets[0]
	for row, end := range t.Offsets[1 : j.rows+1] {
		if lengths>>min(uint32(end-start), 63)&1 != 0 {
			k.check(j, t, row)
		}
		start = end
	}
}

func (k *nulls) check(j *job, t *column.Texts, row int) {
	v := t.At(row)
	for _, s := range k.texts {
		if string(v) == s {
			if !j.text.Valid.Null(row) {
				j.setNull(row)
			}
			return
		}
	}
}
