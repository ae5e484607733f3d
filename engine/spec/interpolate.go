package spec

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Interpolation runs around the YAML parser, not after it, so that ${A:-b: c} is one value in any context
// and so that the parser's positions are those of the file. Each ${…} is replaced, before parsing, by a
// mask of as many characters that mean nothing to YAML:
//
//	brokers: [${HOST}:9092]        the file
//	brokers: [①∙∙∙∙∙∙:9092]        what is parsed: ① is maskFirst + the index of the hole, ∙ is maskFill
//
// The masks come back in the parser's values, where the variables' values take their place. A colon inside
// a word is masked too: the parser takes it for the end of a key in flow context (localhost:9092).
const (
	maskFirst = 0x100000
	maskLast  = 0x10fffb
	maskColon = 0x10fffc
	maskFill  = 0x10fffd
)

// A hole is a ${…} of a definition.
type hole struct {
	raw         string // as in the file
	name        string
	fallback    string
	hasFallback bool
	literal     string // for $${…}: what it stands for
	fault       string // what is wrong with it, or ""
}

// hole syntax, tried in this order at each "$".
var holePatterns = []*regexp.Regexp{
	regexp.MustCompile(`^\$\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}\n]*)?\}`), // escaped
	regexp.MustCompile(`^\$\$\{`),                                     // escaped, of something else
	regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}\n]*)?\}`),   // a variable
	regexp.MustCompile(`^\$\{[^}\n"'#{]*\}`),                          // a slip
	regexp.MustCompile(`^\$\{`),                                       // a slip without an end
}

func readHole(text string) (hole, bool) {
	if !strings.HasPrefix(text, "$") {
		return hole{}, false
	}
	for i, p := range holePatterns {
		raw := p.FindString(text)
		switch {
		case raw == "":
			continue
		case i < 2:
			return hole{raw: raw, literal: raw[1:]}, true
		case i > 2:
			return hole{raw: raw, fault: fmt.Sprintf("%s is no variable: write ${NAME} or ${NAME:-default}, or $${ for the characters ${ themselves", raw)}, true
		}
		h := hole{raw: raw}
		h.name, h.fallback, h.hasFallback = strings.Cut(raw[2:len(raw)-1], ":-")
		if strings.Contains(h.fallback, "${") {
			h.fault = fmt.Sprintf("the default of ${%s} holds another ${: only plain text is possible; give the variable its default under vars", h.name)
		}
		return h, true
	}
	return hole{}, false
}

// mask replaces the holes of text, and colons inside words, by masks.
func mask(text string) (masked string, holes []hole) {
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	last := byte('\n')
	for len(text) > 0 {
		if h, ok := readHole(text); ok && maskFirst+len(holes) <= maskLast {
			b.WriteRune(rune(maskFirst + len(holes)))
			b.WriteString(strings.Repeat(string(rune(maskFill)), utf8.RuneCountInString(h.raw)-1))
			holes = append(holes, h)
			text, last = text[len(h.raw):], 'x'
			continue
		}
		if text[0] == ':' && insideWord(last, text[1:]) {
			b.WriteRune(maskColon)
		} else {
			b.WriteByte(text[0])
		}
		last, text = text[0], text[1:]
	}
	return b.String(), holes
}

// insideWord says whether a colon with these neighbours is no more than a character (YAML 1.2.2, 7.3.3).
// After a quote or bracket it ends a key.
func insideWord(before byte, after string) bool {
	return after != "" && !strings.ContainsRune(" \t\n,[]{}", rune(after[0])) && !strings.ContainsRune("\n\"'}] \t,{[", rune(before))
}

// unmaskable says whether text holds none of the characters that masks are made of.
func unmaskable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= maskFirst && r <= maskFill })
}

// A variable's value, and how it is shown in messages.
type value struct{ text, shown string }

// variables finds the values of variables: first those set on the command line, then the environment's,
// then those under vars, then the default written with the use.
type variables struct {
	set     map[string]string
	getenv  func(string) (string, bool)
	presets map[string]*preset // what vars says, in effect
	used    map[string]bool
}

// A preset is a variable of vars. It is read when it is first asked for: it may use others, wherever they stand.
type preset struct {
	read    func() (value, bool) // false: it has no value
	reading bool
	done    bool
	value   value
	ok      bool
}

// get is the preset's value; ok is false where it has none, or none yet: it is asked for by itself.
func (p *preset) get() (v value, ok bool) {
	if !p.done && !p.reading {
		p.reading = true
		p.value, p.ok = p.read()
		p.reading, p.done = false, true
	}
	return p.value, p.ok
}

func (v *variables) outside(name string) (string, bool) {
	if text, ok := v.set[name]; ok {
		return text, true
	}
	if v.getenv == nil {
		return "", false
	}
	return v.getenv(name)
}

// value gives a hole's value. As in a shell, a default also stands in for an empty value.
func (v *variables) value(h hole) (value, error) {
	switch {
	case h.fault != "":
		return value{}, fmt.Errorf("%s", h.fault)
	case h.literal != "":
		return value{h.literal, h.literal}, nil
	}
	v.used[h.name] = true
	text, ok := v.outside(h.name)
	if ok && (text != "" || !h.hasFallback) {
		return value{text, "${" + h.name + "}"}, nil
	}
	p := v.presets[h.name]
	if p != nil {
		if d, has := p.get(); has && (d.text != "" || !h.hasFallback) {
			return d, nil
		}
	}
	switch {
	case h.hasFallback:
		return value{h.fallback, h.fallback}, nil
	case p != nil && p.reading:
		return value{}, fmt.Errorf("variable %s leads back to itself: its value under vars is made of ${%s}", h.name, h.name)
	}
	return value{}, fmt.Errorf("variable %s is not set: give it a value in the environment or with --set %s=…, or a default with ${%s:-…} or under vars", h.name, h.name, h.name)
}

// A span is a hole's place in a scalar: in the text with values and in the text with masks, in bytes.
type span struct {
	text, textEnd int
	mask, maskEnd int
	value         value
}

// fill puts the variables' values in the place of masks.
func (d *document) fill(masked string) (text string, spans []span, faults []fault) {
	if unmaskable(masked) {
		return masked, nil, nil
	}
	var b strings.Builder
	for i := 0; i < len(masked); {
		r, size := utf8.DecodeRuneInString(masked[i:])
		if r < maskFirst || r > maskFill {
			b.WriteString(masked[i : i+size])
			i += size
			continue
		}
		s := span{text: b.Len(), mask: i, maskEnd: i + size}
		if r == maskColon {
			s.value = value{":", ":"}
		} else if r <= maskLast && int(r-maskFirst) < len(d.holes) {
			h := d.holes[r-maskFirst]
			s.maskEnd = i + size*utf8.RuneCountInString(h.raw)
			v, err := d.vars.value(h)
			if err != nil {
				faults = append(faults, fault{s.mask, err.Error()})
			}
			s.value = v
		}
		b.WriteString(s.value.text)
		s.textEnd = b.Len()
		spans = append(spans, s)
		i = min(s.maskEnd, len(masked))
	}
	return b.String(), spans, faults
}

// A fault is what is wrong at an offset of a masked text.
type fault struct {
	mask    int
	message string
}
