package column

import (
	"errors"
	"fmt"
	"strings"
)

// ParseType reads what String writes, with white space between the words as one likes. The error says what is
// wrong with the part of s that it names.
func ParseType(s string) (Type, error) {
	p := typeParser{rest: s}
	t, err := p.typ(maxTypeDepth)
	if err == nil && p.space() != "" {
		err = fmt.Errorf("a type ends before %q", p.rest)
	}
	if err == nil {
		return t, nil
	}
	if p.nested || p.space() != "" {
		return Type{}, fmt.Errorf("type %q: %w", s, err)
	}
	return Type{}, err
}

// maxTypeDepth bounds how deep types nest: what comes from outside must not exhaust the stack.
const maxTypeDepth = 32

// A typeParser reads a type from the beginning of rest.
type typeParser struct {
	rest   string
	nested bool // it has come to a type inside another
}

func (p *typeParser) space() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest
}

// word cuts a name off: letters, digits and underscores.
func (p *typeParser) word() string {
	p.space()
	n := 0
	for n < len(p.rest) && !strings.ContainsRune(" \t\r\n<>(),:!", rune(p.rest[n])) {
		n++
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

// sign cuts off the sign c.
func (p *typeParser) sign(c byte) error {
	if p.space() == "" {
		return fmt.Errorf("a %q is missing at the end", c)
	}
	if p.rest[0] != c {
		return fmt.Errorf("%q stands where a %q was expected", p.rest, c)
	}
	p.rest = p.rest[1:]
	return nil
}

func (p *typeParser) next(c byte) bool { return p.space() != "" && p.rest[0] == c }

func (p *typeParser) typ(depth int) (Type, error) {
	if depth == 0 {
		return Type{}, fmt.Errorf("types nest at most %d deep", maxTypeDepth)
	}
	name := p.word()
	switch k := kindOf(name); {
	case k.Simple():
		return Of(k), nil
	case k == Decimal:
		return p.decimal()
	case k == Array, k == Struct, k == Map:
		p.nested = true
		if !p.next('<') {
			return Type{}, fmt.Errorf("%s needs its types: %s", name, example(k))
		}
		p.rest = p.rest[1:]
		t, err := p.inner(k, depth-1)
		if err != nil {
			return Type{}, err
		}
		return t, p.sign('>')
	}
	return Type{}, noType(name)
}

func example(k Kind) string {
	switch k {
	case Array:
		return "array<string>"
	case Map:
		return "map<string, long>"
	}
	return "struct<a: long, b: string!>"
}

func noType(name string) error {
	names := append(TypeNames(), kindNames[Decimal:]...)
	hint := ""
	if near := Nearest(name, names); near != "" {
		hint = fmt.Sprintf(": did you mean %q?", near)
	}
	return fmt.Errorf("no type %q%s", name, hint)
}

// inner reads what stands between < and >.
func (p *typeParser) inner(k Kind, depth int) (Type, error) {
	if k == Struct {
		return p.fields(depth)
	}
	first, err := p.typ(depth)
	if err != nil || k == Array {
		return ArrayOf(first), err
	}
	if err := p.sign(','); err != nil {
		return Type{}, err
	}
	value, err := p.typ(depth)
	return MapOf(first, value), err
}

// fields reads "a: long!, b: string".
func (p *typeParser) fields(depth int) (Type, error) {
	var fields Schema
	for {
		name := p.word()
		if name == "" {
			return Type{}, fmt.Errorf("a struct needs fields, as in %s", example(Struct))
		}
		if fields.Index(name) >= 0 {
			return Type{}, fmt.Errorf("a struct has two fields %q", name)
		}
		if err := p.sign(':'); err != nil {
			return Type{}, fmt.Errorf("field %s: %w", name, err)
		}
		t, err := p.typ(depth)
		if err != nil {
			return Type{}, fmt.Errorf("field %s: %w", name, err)
		}
		f := Field{Name: name, Type: t}
		if f.Required = p.next('!'); f.Required {
			p.rest = p.rest[1:]
		}
		fields = append(fields, f)
		if !p.next(',') {
			return StructOf(fields...), nil
		}
		p.rest = p.rest[1:]
	}
}

// decimal reads "(10,2)"; "(10)" is "(10,0)".
func (p *typeParser) decimal() (Type, error) {
	const form = "decimal needs its digits and how many of them are behind the point: decimal(10,2)"
	if !p.next('(') {
		return Type{}, errors.New(form)
	}
	p.rest = p.rest[1:]
	precision, ok := p.number()
	scale := 0
	if ok && p.next(',') {
		p.rest = p.rest[1:]
		scale, ok = p.number()
	}
	if !ok || !p.next(')') {
		return Type{}, errors.New(form)
	}
	p.rest = p.rest[1:]
	if precision < 1 || precision > MostDigits || scale > precision {
		return Type{}, fmt.Errorf("decimal(%d,%d): a decimal has 1 to %d digits, and at most as many behind the point", precision, scale, MostDigits)
	}
	return DecimalOf(precision, scale), nil
}

// number cuts off a number of at most three digits.
func (p *typeParser) number() (n int, ok bool) {
	w := p.word()
	for _, c := range w {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, 0 < len(w) && len(w) < 4
}
