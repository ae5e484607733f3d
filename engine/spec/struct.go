package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A field is what the tags of a struct's field say.
type field struct {
	name     string
	required bool
	scalar   bool   // a single value stands for a list of one
	enum     string // alternatives, "|" between them
	doc      string
	index    []int
}

// fieldsOf lists the fields that a definition can name.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		all = append(all, field{
			name: name, index: f.Index, enum: f.Tag.Get("enum"), doc: f.Tag.Get("doc"),
			required: slices.Contains(strings.Split(options, ","), "required"),
			scalar:   slices.Contains(strings.Split(options, ","), "scalar"),
		})
	}
	return all
}

// structure fills a struct from a map. The keys in also are known, and somebody else's.
func (d *decoder) structure(n Node, v reflect.Value, also []string) {
	if n.Kind() != Mapping && n.Kind() != Null {
		d.errorf(n, "expected a map, found %s", n.describe())
		return
	}
	fields := fieldsOf(v.Type())
	names := slices.Clone(also)
	for _, f := range fields {
		names = append(names, f.name)
		value, ok := n.Get(f.name)
		switch {
		case ok:
			d.value(value, v.FieldByIndex(f.index), f)
		case f.required:
			d.errs = append(d.errs, n.keyError(fmt.Sprintf("%s is missing%s", f.name, inside(n)), ""))
		}
	}
	for _, p := range n.Pairs() {
		if !slices.Contains(names, p.Key.Text()) {
			d.unknown(p.Key, names)
		}
	}
}

// inside says where a key is missing.
func inside(n Node) string {
	if n.t == nil || n.t.name == nil {
		return ""
	}
	return " in " + n.t.name.shown()
}

func (d *decoder) unknown(key Node, names []string) {
	message := fmt.Sprintf("unknown key %q", key.t.shown())
	if before, _, ok := strings.Cut(key.Text(), ":"); ok && slices.Contains(names, before) {
		message += fmt.Sprintf(": a space is missing after %s:", before)
	} else if len(names) > 0 {
		message += ": expected " + alternatives(names)
	} else {
		message += ": no key is expected here"
	}
	d.errs = append(d.errs, key.errorAt(0, message, column.Nearest(key.Text(), names)))
}
