package emulator

import (
	"slices"
	"unicode/utf8"
)

// A composer makes the texts of one pin from the word lists. It writes all fields into one run of bytes,
// so that a pin costs two allocations.
type composer struct {
	dice  *dice
	topic *topic
	buf   []byte
	ends  [12]int // of each field in buf
	n     int     // fields so far
}

// field adds a field that compose writes to buf.
func (c *composer) field(compose func(*composer)) {
	compose(c)
	c.ends[c.n] = len(c.buf)
	c.n++
}

// fill gives the fields to who wants them, in order.
func (c *composer) fill(fields ...*string) {
	all, start := string(c.buf), 0
	for i, f := range fields {
		*f = all[start:c.ends[i]]
		start = c.ends[i]
	}
}

func (c *composer) add(parts ...string) {
	for _, p := range parts {
		c.buf = append(c.buf, p...)
	}
}

// expand writes a template: each % and letter stands for a word of a list.
func (c *composer) expand(template string) {
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			c.buf = append(c.buf, template[i])
			continue
		}
		i++
		c.word(template[i])
	}
}

func (c *composer) word(letter byte) {
	switch letter {
	case 'n':
		c.add(c.dice.pick(c.topic.things))
	case 'l':
		c.add(c.dice.pick(c.topic.looks))
	case 'a':
		c.add(c.dice.pick(adjectives))
	case 'v':
		c.add(c.dice.pick(verbs))
	case 'w':
		c.add(c.dice.pick(whoFor))
	case 'p':
		c.add(c.dice.pick(places))
	case 's':
		c.add(c.dice.pick(seasons))
	case 'c':
		c.add(c.dice.pick(colours))
	case 'm':
		c.add(c.dice.pick(materials))
	case 'e':
		c.add(c.dice.pick(emoji))
	case 'x':
		c.add(c.dice.pick(foreign))
	case 'f':
		c.add(c.dice.pick(firstNames))
	case 'g':
		c.add(c.dice.pick(lastNames))
	case 'd':
		c.number(c.dice.between(2, 99))
	case 'k':
		c.number(c.dice.between(100, 9999))
	case 'y':
		c.number(c.dice.between(2015, 2022))
	default:
		panic("emulator: no word for %" + string(letter))
	}
}

// title is 4 to about 100 characters, 50 in the mean; one of ten is not plain ASCII.
func (c *composer) title() {
	start := len(c.buf)
	list := titles
	if c.dice.chance(90) {
		list = unicodeTitles
	}
	c.expand(c.dice.pick(list))
	capitalize(c.buf[start:])
}

const (
	longest = 178 // characters of a description that is cut, before its "…" and no-break space
	noBreak = "\u00a0"
)

// description is some sentences. More than a third of the real ones were cut.
func (c *composer) description() {
	start := len(c.buf)
	long := c.dice.chance(360)
	want := c.dice.between(10, 140)
	if long {
		want = longest + 1
	}
	for utf8.RuneCount(c.buf[start:]) < want {
		if len(c.buf) > start {
			c.add(" ")
		}
		list := sentences
		if c.dice.chance(60) {
			list = unicodeSentences
		}
		c.expand(c.dice.pick(list))
	}
	if long || utf8.RuneCount(c.buf[start:]) > longest {
		c.buf = c.buf[:start+len(cut(c.buf[start:], longest))]
		c.add("…", noBreak)
	}
}

// poster is a person, a blog or a shop: 22 characters in the mean, some with a space too many.
func (c *composer) poster() {
	start := len(c.buf)
	list := posters
	if c.dice.chance(24) {
		list = unicodePosters
	}
	c.expand(c.dice.pick(list))
	capitalize(c.buf[start:])
	switch c.dice.below(100) {
	case 0:
		c.buf = slices.Insert(c.buf, start, ' ')
	case 1:
		c.add(" ")
	}
}

// tags are 9, now and then 17 or 8.
func (c *composer) tags() {
	start := len(c.buf)
	for i := range []int{9, 17, 8}[c.dice.weighted([]int{985, 14, 1})] {
		if i > 0 {
			c.add(",")
		}
		c.expand(c.dice.pick(tagTemplates))
	}
	capitalize(c.buf[start:])
}

// capitalize makes the first letter of each word a capital.
func capitalize(s []byte) {
	word := false
	for i, b := range s {
		if !word && 'a' <= b && b <= 'z' {
			s[i] = b - 'a' + 'A'
		}
		word = b != ' ' && b != ',' && b != '|' && b != '(' && b != '"' && b != '{'
	}
}
