package clean

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A binder makes programs of rules.
type binder struct {
	in, out  engine.Schema
	every    []Rule // the rules of All
	bound    []bool // by column of in: it has a program or needs none
	programs []program
	faults   engine.Faults
}

func (b *binder) fault(path []string, key bool, format string, args ...any) {
	b.faults = append(b.faults, engine.Fault{Path: path, Key: key, Message: fmt.Sprintf(format, args...)})
}

// all takes the rules of every text column.
func (b *binder) all(c Column) {
	if b.every != nil {
		b.fault([]string{All}, true, "%s is here twice", All)
	}
	for i, r := range c.Rules {
		if _, ok := r.(Parse); ok {
			b.fault(c.path(i), true, "parse is for one column at a time: it changes the type")
			return
		}
	}
	if c.OnError != "" {
		b.fault([]string{All, "on_error"}, true, "on_error is for one column at a time, beside its parse")
	}
	b.every = c.Rules
	b.rules(&compiler{field: &column.Field{Type: column.Of(column.String)}}, c)
}

// column makes the program of a column that is named.
func (b *binder) column(c Column) {
	i := b.in.Index(c.Name)
	if i < 0 {
		b.faults = append(b.faults, engine.Fault{
			Path: []string{c.Name}, Key: true, Message: fmt.Sprintf("no column %q", c.Name), Nearest: column.Nearest(c.Name, b.in.Names()),
		})
		return
	}
	if b.bound == nil {
		b.bound = make([]bool, len(b.in))
	}
	if b.bound[i] {
		b.fault([]string{c.Name}, true, "column %q is here twice", c.Name)
	}
	b.bound[i] = true
	if typ := b.in[i].Type; typ.Kind != column.String {
		b.fault([]string{c.Name}, true, "column %q is a %v: only texts are cleaned", c.Name, typ)
		return
	}
	if c.OnError != "" && c.OnError != Quarantine && c.OnError != Null {
		b.fault([]string{c.Name, "on_error"}, false, "expected %s or %s, found %q", Quarantine, Null, c.OnError)
	}
	if c.OnError != "" && !slices.ContainsFunc(c.Rules, func(r Rule) bool { return r.name() == "parse" }) {
		b.fault([]string{c.Name, "on_error"}, true, "on_error without parse: no other rule can fail")
	}
	b.program(i, c)
}

// rest gives the columns that are not named the rules of every column.
func (b *binder) rest() {
	for i, f := range b.in {
		if f.Type.Kind == column.String && (b.bound == nil || !b.bound[i]) && b.every != nil {
			b.program(i, Column{})
		}
	}
}

// program compiles the rules of every column and then those of c, for column i.
func (b *binder) program(i int, c Column) {
	p := compiler{field: &b.out[i], onError: c.OnError}
	for _, r := range b.every {
		p.add(r) //nolint:errcheck // all has reported it
	}
	b.rules(&p, c)
	if len(p.kernels) > 0 {
		b.programs = append(b.programs, program{column: i, kernels: p.kernels})
	}
}

// rules compiles the rules of c.
func (b *binder) rules(p *compiler, c Column) {
	for i, r := range c.Rules {
		if p.parsed {
			b.fault(c.path(i), true, "%s after parse: the column is a %v by then", r.name(), p.field.Type)
			return
		}
		if err := p.add(r); err != nil {
			f := engine.Fault{Path: append(c.path(i), err.path...), Key: err.key, Column: err.offset, Message: err.message, Nearest: err.nearest}
			b.faults = append(b.faults, f)
		}
	}
}

// path leads to rule i in the definition.
func (c Column) path(i int) []string {
	if c.list {
		return []string{c.Name, strconv.Itoa(i), c.Rules[i].name()}
	}
	return []string{c.Name, c.Rules[i].name()}
}

// A fault is what is wrong with a rule.
type fault struct {
	path    []string // within the rule
	key     bool     // the key there is at fault, not its value
	offset  int      // within the value there, in bytes
	message string
	nearest string // a name that may have been meant, or ""
}
