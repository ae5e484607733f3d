package spec

import (
	"errors"
	"strconv"

	"github.com/millrace-io/millrace/engine"
)

// faults gives what Bind or Validate finds wrong its place: n is where the faults' paths begin.
func (n Node) faults(err error) Errors {
	var faults engine.Faults
	if !errors.As(err, &faults) {
		return Errors{n.keyError(err.Error(), "")}
	}
	errs := make(Errors, len(faults))
	for i, f := range faults {
		errs[i] = n.fault(f)
	}
	return errs
}

func (n Node) fault(f engine.Fault) *Error {
	at, offset := n, f.Column
	for _, key := range f.Path {
		next, ok := at.child(key)
		if !ok {
			offset = 0
			f.Key = false
			break
		}
		at = next
	}
	message, nearest := n.t.hide(at.t.hide(f.Message)), n.t.hide(at.t.hide(f.Nearest))
	if f.Key && len(f.Path) > 0 || at.Kind() == Null {
		return at.keyError(message, nearest)
	}
	if at.Kind() != Scalar {
		return at.errorAt(0, message, nearest)
	}
	line, col := at.t.placeOf(at.t.maskOffset(offset))
	return at.t.doc.newError(line, col, message, nearest)
}

func (n Node) child(key string) (Node, bool) {
	if n.Kind() == List {
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(n.Items()) {
			return Node{}, false
		}
		return n.Items()[i], true
	}
	return n.Get(key)
}
