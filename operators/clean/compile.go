package clean

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A compiler makes kernels of the rules of one column.
type compiler struct {
	field   *column.Field // what leaves
	onError string
	kernels []kernel
	parsed  bool // parse was added
}

// add compiles a rule. Rules that only make nulls and stand side by side become one kernel.
func (c *compiler) add(r Rule) *fault {
	switch r := r.(type) {
	case NullIf:
		c.nulls(r...)
	case EmptyToNull:
		c.nulls("")
	case Trim:
		c.edit(edit{op: trim})
	case StripPrefix:
		c.edit(edit{op: cutPrefix, from: []byte(r)})
	case StripSuffix:
		c.edit(edit{op: cutSuffix, from: []byte(r)})
	case Lower:
		c.edit(edit{op: lower})
	case Upper:
		c.edit(edit{op: upper})
	case Map:
		c.mapping(r)
	case Replace:
		return c.replace(r)
	case ReplaceRegexp:
		return c.replaceRegexp(r)
	case Parse:
		return c.parse(r)
	}
	return nil
}

func (c *compiler) edit(e edit) { c.kernels = append(c.kernels, &e) }

func (c *compiler) nulls(texts ...string) {
	var last *nulls
	if n := len(c.kernels); n > 0 {
		last, _ = c.kernels[n-1].(*nulls)
	}
	if last == nil {
		last = &nulls{}
		c.kernels = append(c.kernels, last)
	}
	last.add(texts...)
	c.field.Required = false
}

// mapping makes nulls first: what they leave has no other mapping.
func (c *compiler) mapping(m Map) {
	values := map[string]string{}
	for _, x := range m {
		if x.To == nil {
			c.nulls(x.From)
			continue
		}
		values[x.From] = *x.To
	}
	if len(values) > 0 {
		c.edit(edit{op: mapValue, values: values})
	}
}

func (c *compiler) replace(pairs Replace) *fault {
	for _, p := range pairs {
		if p.From == "" {
			return &fault{path: []string{""}, key: true, message: "there is an empty text everywhere: expected what to replace"}
		}
		c.edit(edit{op: replace, from: []byte(p.From), to: []byte(p.To)})
	}
	return nil
}

func (c *compiler) replaceRegexp(pairs ReplaceRegexp) *fault {
	for _, p := range pairs {
		re, err := regexp.Compile(p.From)
		if err != nil {
			return &fault{path: []string{p.From}, key: true, message: fmt.Sprintf("not a regular expression: %v", err)}
		}
		c.edit(edit{op: replaceRegexp, re: re, to: []byte(p.To)})
	}
	return nil
}

func (c *compiler) parse(p Parse) *fault {
	switch p.As {
	case Int:
		addParse(c, column.Int, "a whole number of 32 bits", readInt)
	case Long:
		addParse(c, column.Long, "a whole number", readLong)
	case Magnitude:
		addParse(c, column.Long, "a whole number such as 250, 10k or 1.5M", readMagnitude)
	case Double:
		addParse(c, column.Double, "a number", readDouble)
	case Bool:
		addParse(c, column.Bool, "true or false", readBool)
	case Timestamp:
		return c.timestamp(p.Formats)
	case Date:
		return c.date(p.Formats)
	default:
		return &fault{message: fmt.Sprintf("can't parse as %q: expected %s", p.As, alternatives()), nearest: column.Nearest(string(p.As), everyAs())}
	}
	if p.Formats != nil && p.As != Timestamp && p.As != Date {
		return &fault{path: []string{string(p.As)}, key: true, message: fmt.Sprintf("%s has no formats", p.As)}
	}
	return nil
}

func everyAs() []string {
	var all []string
	for _, a := range []As{Int, Long, Double, Bool, Magnitude, Timestamp, Date} {
		all = append(all, string(a))
	}
	return all
}

func alternatives() string { return strings.Join(everyAs(), ", ") }

func addParse[T column.Native](c *compiler, kind column.Kind, expect string, read func([]byte) (T, bool)) {
	null := c.onError == Null
	c.kernels = append(c.kernels, &parse[T]{typ: column.Of(kind), expect: expect, null: null, read: read})
	c.field.Type, c.parsed = column.Of(kind), true
	c.field.Required = c.field.Required && !null
}
