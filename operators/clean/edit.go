package clean

import (
	"bytes"
	"regexp"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

// edit makes other texts of texts.
type edit struct {
	op       editOp
	from, to []byte            // of cut and replace
	re       *regexp.Regexp    // of replaceRegexp
	values   map[string]string // of mapValue

	scratch []byte // what change gives may lie here
}

type editOp uint8

const (
	trim          editOp = iota
	cutPrefix            // from
	cutSuffix            // from
	replace              // each from by to
	replaceRegexp        // each match of re by to, in which $1 is a group
	mapValue             // a key of values by its value
	lower
	upper
)

// change gives what becomes of v: v itself, a part of it, or scratch.
func (k *edit) change(v []byte) (w []byte, changed bool) {
	switch k.op {
	case trim:
		w = bytes.TrimSpace(v)
		return w, len(w) < len(v)
	case cutPrefix:
		return bytes.CutPrefix(v, k.from)
	case cutSuffix:
		return bytes.CutSuffix(v, k.from)
	case replace:
		return k.replace(v)
	case replaceRegexp:
		return k.replaceRegexp(v)
	case mapValue:
		to, ok := k.values[string(v)]
		if !ok {
			return v, false
		}
		k.scratch = append(k.scratch[:0], to...)
		return k.scratch, true
	case lower:
		return k.fold(v, 'A', 'Z', bytes.ToLower)
	default:
		return k.fold(v, 'a', 'z', bytes.ToUpper)
	}
}

func (k *edit) replace(v []byte) ([]byte, bool) {
	i := bytes.Index(v, k.from)
	if i < 0 {
		return v, false
	}
	w := k.scratch[:0]
	for ; i >= 0; i = bytes.Index(v, k.from) {
		w = append(append(w, v[:i]...), k.to...)
		v = v[i+len(k.from):]
	}
	k.scratch = append(w, v...)
	return k.scratch, true
}

func (k *edit) replaceRegexp(v []byte) ([]byte, bool) {
	matches := k.re.FindAllSubmatchIndex(v, -1)
	if matches == nil {
		return v, false
	}
	w, done := k.scratch[:0], 0
	for _, m := range matches {
		w = append(w, v[done:m[0]]...)
		w = k.re.Expand(w, k.to, v, m)
		done = m[1]
	}
	k.scratch = append(w, v[done:]...)
	return k.scratch, true
}

// fold changes the letters from first to last, and all of Unicode's where there are others.
func (k *edit) fold(v []byte, first, last byte, full func([]byte) []byte) ([]byte, bool) {
	changed := false
	for _, b := range v {
		if b >= utf8.RuneSelf {
			w := full(v)
			return w, !bytes.Equal(v, w)
		}
		changed = changed || b >= first && b <= last
	}
	if !changed {
		return v, false
	}
	k.scratch = append(k.scratch[:0], v...)
	for i, b := range k.scratch {
		if b >= first && b <= last {
			k.scratch[i] ^= 'a' - 'A'
		}
	}
	return k.scratch, true
}

func (k *edit) run(j *job) {
	w := rewriter{j: j, src: j.text}
	if j.sel == nil {
		for row := range j.rows {
			k.row(&w, row)
		}
	} else {
		for _, row := range j.sel {
			k.row(&w, int(row))
		}
	}
	w.close()
}

func (k *edit) row(w *rewriter, row int) {
	if w.src.Valid.Null(row) {
		return
	}
	v, changed := k.change(w.src.At(row))
	if changed || w.dst != nil {
		w.put(row, v)
	}
}

// A rewriter writes the texts of a column anew, from the first that changes on.
type rewriter struct {
	j   *job
	src *column.Texts
	dst *column.Texts // nil: nothing has changed
}

// put gives a row its text. Rows come in order; those left out have none.
func (w *rewriter) put(row int, v []byte) {
	if w.dst == nil {
		w.dst = w.j.arena.Column(w.src.Type()).(*column.Texts)
		w.dst.Data = append(w.dst.Data, w.src.Data[:w.src.Offsets[row]]...)
		w.dst.Offsets = append(w.dst.Offsets[:0], w.src.Offsets[:row+1]...)
	}
	w.fill(row)
	w.dst.Data = append(w.dst.Data, v...)
	w.dst.Offsets = append(w.dst.Offsets, int32(len(w.dst.Data)))
}

// fill gives rows below row that were left out no bytes.
func (w *rewriter) fill(row int) {
	for len(w.dst.Offsets) <= row {
		w.dst.Offsets = append(w.dst.Offsets, int32(len(w.dst.Data)))
	}
}

func (w *rewriter) close() {
	if w.dst == nil {
		return
	}
	w.fill(w.j.rows)
	w.dst.Valid.CopyFrom(&w.src.Valid)
	w.j.text, w.j.own = w.dst, true
}
