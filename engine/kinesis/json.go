package kinesis

import (
	"bytes"
	"encoding/json"
	"time"
)

// A scanner reads a JSON answer in one pass. It makes no objects: texts are slices of the body.
type scanner struct {
	b    []byte
	p    int
	deep int // how deep skip is
	bad  bool
}

// deepest is the nesting that is still read.
const deepest = 100

// readJSON reads the body of an answer to GetRecords, or of an event:
//
//	{"Records": [{"SequenceNumber": "49…", "ApproximateArrivalTimestamp": 1.78E9, "Data": "base64", "PartitionKey": "k"}, …],
//	 "NextShardIterator": "…", "MillisBehindLatest": 0, "ContinuationSequenceNumber": "49…", "ChildShards": […]}
func (a *answer) readJSON() error {
	s := scanner{b: a.body}
	s.object(func(name []byte) {
		switch string(name) {
		case "Records":
			a.hasRecords = s.array(func() { a.records = append(a.records, s.record()) })
		case "NextShardIterator":
			a.next = string(s.text())
		case "ContinuationSequenceNumber":
			a.after = string(s.text())
		case "ChildShards":
			s.array(func() { s.skip(); a.children = true })
		case "MillisBehindLatest":
			a.behind, a.told = time.Duration(s.integer())*time.Millisecond, true
		default:
			s.skip()
		}
	})
	if s.space(); s.bad || s.p != len(s.b) {
		return damaged{"it is no JSON, or cut short"}
	}
	return a.check()
}

func (s *scanner) record() (r record) {
	s.object(func(name []byte) {
		switch string(name) {
		case "SequenceNumber":
			if !r.setNumber(s.text()) {
				s.bad = true
			}
		case "Data":
			r.data, r.base64 = s.text(), true
		case "PartitionKey":
			r.key = s.text()
		case "ApproximateArrivalTimestamp":
			r.at = s.millis()
		default:
			s.skip()
		}
	})
	return r
}

func (s *scanner) space() {
	for s.p < len(s.b) {
		switch s.b[s.p] {
		case ' ', '\n', '\r', '\t':
			s.p++
		default:
			return
		}
	}
}

// take passes a byte if it is the next.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.p < len(s.b) && s.b[s.p] == c {
		s.p++
		return true
	}
	return false
}

func (s *scanner) want(c byte) {
	if !s.take(c) {
		s.bad = true
	}
}

// null passes a null if it is the next.
func (s *scanner) null() bool {
	s.space()
	if bytes.HasPrefix(s.b[s.p:], []byte("null")) {
		s.p += len("null")
		return true
	}
	return false
}

// object calls field with the name of each member; field reads its value.
func (s *scanner) object(field func(name []byte)) {
	if s.null() {
		return
	}
	s.want('{')
	for first := true; !s.bad && !s.take('}'); first = false {
		if !first {
			s.want(',')
		}
		name := s.text()
		s.want(':')
		if !s.bad {
			field(name)
		}
	}
}

// array calls element for each element, which reads it. It says whether there was an array, and not a null.
func (s *scanner) array(element func()) bool {
	if s.null() {
		return false
	}
	s.want('[')
	for first := true; !s.bad && !s.take(']'); first = false {
		if !first {
			s.want(',')
		}
		if !s.bad {
			element()
		}
	}
	return true
}

// text reads a text, or a null as nil.
func (s *scanner) text() []byte {
	if s.null() {
		return nil
	}
	s.want('"')
	if s.bad {
		return nil
	}
	from := s.p
	n := bytes.IndexByte(s.b[from:], '"')
	if n < 0 {
		s.bad = true
		return nil
	}
	s.p = from + n + 1
	t := s.b[from : from+n : from+n]
	if bytes.IndexByte(t, '\\') < 0 {
		return t
	}
	return s.escaped(from)
}

// escaped reads a text that has escapes; it begins at from.
func (s *scanner) escaped(from int) []byte {
	for s.p = from; s.p < len(s.b); s.p++ {
		switch s.b[s.p] {
		case '\\':
			s.p++
		case '"':
			s.p++
			var plain string
			s.bad = json.Unmarshal(s.b[from-1:s.p], &plain) != nil
			return append([]byte{}, plain...)
		}
	}
	s.bad = true
	return nil
}

// number reads a number's text.
func (s *scanner) number() []byte {
	s.space()
	from := s.p
	for s.p < len(s.b) {
		switch c := s.b[s.p]; {
		case c >= '0' && c <= '9', c == '.', c == '-', c == '+', c == 'e', c == 'E':
			s.p++
			continue
		}
		break
	}
	if s.p == from {
		s.bad = true
	}
	return s.b[from:s.p]
}

// integer reads a whole number, or a null as 0.
func (s *scanner) integer() int64 {
	if s.null() {
		return 0
	}
	return s.scaled(s.number(), 0)
}

// millis reads a number of seconds, as milliseconds.
func (s *scanner) millis() int64 {
	if s.null() {
		return 0
	}
	return s.scaled(s.number(), 3)
}

// scaled is a number times a power of ten, without what is behind the point then.
func (s *scanner) scaled(text []byte, power int) int64 {
	v, negative, point, i := int64(0), false, false, 0
	if len(text) > 0 && text[0] == '-' {
		negative, i = true, 1
	}
	for ; i < len(text) && text[i] != 'e' && text[i] != 'E'; i++ {
		switch c := text[i]; {
		case c == '.' && !point:
			point = true
		case c >= '0' && c <= '9':
			if v > 1<<58 { // more digits than a time has
				if !point {
					power++
				}
				continue
			}
			v = v*10 + int64(c-'0')
			if point {
				power--
			}
		default:
			s.bad = true
			return 0
		}
	}
	if i < len(text) {
		power += s.exponent(text[i+1:])
	}
	for ; power > 0 && v < 1<<58; power-- {
		v *= 10
	}
	for ; power < 0 && v > 0; power++ {
		v /= 10
	}
	if negative {
		return -v
	}
	return v
}

func (s *scanner) exponent(text []byte) (e int) {
	negative := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		negative, text = text[0] == '-', text[1:]
	}
	for _, c := range text {
		if c < '0' || c > '9' || e > 100 {
			s.bad = true
			return 0
		}
		e = e*10 + int(c-'0')
	}
	if negative {
		return -e
	}
	return e
}

// skip passes a value of any kind.
func (s *scanner) skip() {
	s.space()
	if s.p >= len(s.b) || s.deep > deepest {
		s.bad = true
		return
	}
	s.deep++
	defer func() { s.deep-- }()
	switch s.b[s.p] {
	case '{':
		s.object(func([]byte) { s.skip() })
	case '[':
		s.array(s.skip)
	case '"':
		s.text()
	case 't', 'f', 'n':
		for s.p < len(s.b) && s.b[s.p] >= 'a' && s.b[s.p] <= 'z' {
			s.p++
		}
	default:
		s.number()
	}
}
