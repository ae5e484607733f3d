package window

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
	"github.com/millrace-io/millrace/engine/spec"
)

// Bind implements engine.Config.
func (c Config) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	b := binder{Config: c, in: in, op: newOperator()}
	b.kind()
	b.keys()
	b.emission()
	b.aggregates()
	if len(b.faults) == 0 {
		b.having()
	}
	if len(b.faults) > 0 {
		return nil, nil, b.faults
	}
	return b.op, b.op.schema, nil
}

// A binder gathers what is wrong while it makes the operator.
type binder struct {
	Config
	in     engine.Schema
	op     *operator
	faults engine.Faults
}

func (b *binder) fail(path []string, nearest, format string, args ...any) {
	b.faults = append(b.faults, engine.Fault{Path: path, Message: fmt.Sprintf(format, args...), Nearest: nearest})
}

// wrong adds what is wrong with an expression; what is wrong with its text as a whole too.
func (b *binder) wrong(path []string, err error) {
	var all expr.Errors
	if !errors.As(err, &all) {
		b.fail(path, "", "%v", err)
		return
	}
	for _, e := range all {
		b.faults = append(b.faults, engine.Fault{Path: path, Column: e.Offset, Message: e.Message, Nearest: e.Nearest})
	}
}

const kinds = "tumble, hop, session, minute, hour, day, week, month, quarter, year or all"

// kind settles what windows there are.
func (b *binder) kind() {
	set := []string{}
	add := func(name string, on bool) {
		if on {
			set = append(set, name)
		}
	}
	add("tumble", b.Tumble != 0)
	add("hop", b.Hop != nil)
	add("session", b.Session != nil)
	for i, c := range b.calendars() {
		add(unitNames[i], c.On)
	}
	add("all", bool(b.All))
	switch len(set) {
	case 0:
		b.fail(nil, "", "no kind of window: expected one of %s", kinds)
		return
	case 1:
	default:
		for _, name := range set[1:] {
			b.faults = append(b.faults, engine.Fault{Path: []string{name}, Key: true, Message: fmt.Sprintf("a window is of one kind, and this is of kind %s already", set[0])})
		}
		return
	}
	switch set[0] {
	case "tumble":
		if b.long(b.Tumble, "tumble") {
			b.op.store = newPanes(b.op, newGrid(b.Tumble, b.Tumble))
		}
	case "hop":
		b.hop()
	case "session":
		if b.long(b.Session.Gap, "session", "gap") {
			b.op.store = newSessions(b.op, b.Session.Gap)
		}
	case "all":
		b.op.store, b.op.endless = newPanes(b.op, everything{}), true
	default:
		b.calendar(unit(slices.Index(unitNames[:], set[0])))
	}
}

// long says whether a span is long enough, and counted in whole microseconds.
func (b *binder) long(d time.Duration, path ...string) bool {
	switch {
	case d < time.Millisecond:
		b.fail(path, "", "expected a span of at least 1ms, found %v", d)
	case d%time.Microsecond != 0:
		b.fail(path, "", "expected a span of whole microseconds, found %v", d)
	default:
		return true
	}
	return false
}

func (b *binder) hop() {
	size, every := b.long(b.Hop.Size, "hop", "size"), b.long(b.Hop.Every, "hop", "every")
	switch {
	case !size || !every:
	case b.Hop.Every > b.Hop.Size:
		b.fail([]string{"hop", "every"}, "", "windows of %v that begin every %v leave rows out: expected at most the size", b.Hop.Size, b.Hop.Every)
	default:
		b.op.store = newPanes(b.op, newGrid(b.Hop.Size, b.Hop.Every))
	}
}

func (c Config) calendars() [7]Calendar {
	return [7]Calendar{c.Minute, c.Hour, c.Day, c.Week, c.Month, c.Quarter, c.Year}
}

var unitNames = [7]string{"minute", "hour", "day", "week", "month", "quarter", "year"}

func (b *binder) calendar(u unit) {
	name := b.calendars()[u].Zone
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		b.fail([]string{unitNames[u], "zone"}, column.Nearest(name, strings.Fields(zones)), "no time zone %q in the IANA database: expected a name such as Europe/Berlin", name)
		return
	}
	b.op.store = newPanes(b.op, calendar{u, zone})
}

// keys settles what rows are grouped by, and the columns that come before the aggregates.
func (b *binder) keys() {
	for i, name := range b.By {
		path := []string{"by", strconv.Itoa(i)}
		at := b.in.Index(name)
		switch {
		case at < 0:
			b.fail(path, column.Nearest(name, b.in.Names()), "no column %q", name)
			continue
		case slices.Contains(b.By[:i], name):
			b.fail(path, "", "column %q is here twice", name)
		case !b.in[at].Type.Keyable():
			b.fail(path, "", "column %q is of type %v, which no key is made of", name, b.in[at].Type)
		case !bool(b.All) && (name == "window_start" || name == "window_end"):
			b.fail(path, "", "column %q has the name of one that windows give: rename it before", name)
		}
		b.op.by = append(b.op.by, at)
		b.op.key = append(b.op.key, b.in[at])
	}
	b.op.schema = slices.Clone(b.op.key)
	if !b.All {
		for _, name := range []string{"window_start", "window_end"} {
			b.op.schema = append(b.op.schema, column.Field{Name: name, Type: column.Of(column.Timestamp), Required: true})
		}
	}
}

func (b *binder) emission() {
	b.op.changes, b.op.keep = b.Emit == atChange, b.Keep
	switch {
	case b.Emit != "" && b.Emit != atClose && b.Emit != atChange:
		b.fail([]string{"emit"}, column.Nearest(b.Emit, []string{atClose, atChange}), "expected %s or %s, found %q", atClose, atChange, b.Emit)
	case b.Keep < 0:
		b.fail([]string{"keep"}, "", "expected a span of 0 or more, found %v", b.Keep)
	case b.Keep > 0 && !b.op.changes:
		b.fail([]string{"keep"}, "", "goes with emit: changes; without it a window goes when its result has left")
	case b.Keep > 0 && bool(b.All):
		b.fail([]string{"keep"}, "", "goes with windows that end")
	}
}

func (b *binder) aggregates() {
	if len(b.Aggregates) == 0 {
		b.fail([]string{"aggregates"}, "", "nothing is aggregated")
	}
	b.cut()
	for i, e := range b.Aggregates {
		path := []string{"aggregates", e.Key}
		if b.op.schema.Index(e.Key) >= 0 || twice(b.Aggregates[:i], e.Key) {
			b.faults = append(b.faults, engine.Fault{Path: path, Key: true, Message: fmt.Sprintf("column %q is here twice: windows give the columns of by and their start and end as well", e.Key)})
			continue
		}
		call, err := aggregate.Parse(e.Value)
		if err != nil {
			b.wrong(path, err)
			continue
		}
		a, err := call.Bind(b.in)
		if err != nil {
			b.wrong(path, err)
			continue
		}
		b.op.aggregates = append(b.op.aggregates, a)
		b.op.unmerges = b.op.unmerges && a.Unmerges()
		b.op.names = append(b.op.names, e.Key)
		b.op.schema = append(b.op.schema, column.Field{Name: e.Key, Type: a.Type, Required: a.Required})
	}
}

// cut finds where YAML has cut an aggregate in two, and goes on without it. Within {} it takes a comma for the end of a
// value: {m: quantile(a, 0.5)} are the columns m, of "quantile(a", and "0.5)", of nothing.
func (b *binder) cut() {
	var kept spec.Map[string]
	for i, e := range b.Aggregates {
		open := strings.Count(e.Value, "(") - strings.Count(e.Value, ")")
		switch {
		case i+1 < len(b.Aggregates) && open > 0 && b.Aggregates[i+1].Value == "":
			b.faults = append(b.faults, engine.Fault{
				Path: []string{"aggregates", e.Key}, Column: len(e.Value),
				Message: "the aggregate ends within parentheses: YAML has cut it at the comma, so put it in quotes",
			})
		case i > 0 && e.Value == "" && strings.Contains(b.Aggregates[i-1].Value, "(") && strings.HasSuffix(e.Key, ")"):
			// the other half
		default:
			kept = append(kept, e)
		}
	}
	b.Aggregates = kept
}

func (b *binder) having() {
	if b.Having == "" {
		return
	}
	p, err := expr.Compile(b.Having, b.op.schema)
	switch {
	case err != nil:
		b.wrong([]string{"having"}, err)
	case p.Type() != column.Of(column.Bool):
		b.fail([]string{"having"}, "", "expected a condition, found an expression of type %v", p.Type())
	}
	b.op.condition = p
}

func twice(before spec.Map[string], name string) bool {
	_, there := before.Get(name)
	return there
}
