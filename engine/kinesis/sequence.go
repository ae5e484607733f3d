package kinesis

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A sequence is a sequence number: some 56 decimal digits, held in base 10¹⁹ with the most significant digits first, so
// that numbers compare place by place.
type sequence [3]uint64

const (
	limbDigits = 19
	mostDigits = 3 * limbDigits
)

// parseSequence reads decimal digits. ok is false for anything else, and for more digits than a sequence holds.
func parseSequence(text []byte) (s sequence, ok bool) {
	if len(text) == 0 || len(text) > mostDigits {
		return s, false
	}
	var bad uint64
	for limb := 2; limb >= 0 && len(text) > 0; limb-- {
		from := max(0, len(text)-limbDigits)
		part := text[from:]
		text = text[:from]
		var v uint64
		for ; len(part)%8 != 0; part = part[1:] {
			d := part[0] - '0'
			bad |= uint64(d | (d + 118)) // above 9 the highest bit of one is set
			v = v*10 + uint64(d)
		}
		for ; len(part) >= 8; part = part[8:] {
			d := binary.LittleEndian.Uint64(part) ^ 0x3030303030303030
			bad |= d | (d + 0x7676767676767676) // the same; digits carry nothing into the next byte
			v = v*1e8 + eight(d)
		}
		s[limb] = v
	}
	return s, bad&0x8080808080808080 == 0
}

// eight is the number of eight digits, a byte each, the first of which is the lowest byte.
func eight(d uint64) uint64 {
	d = d*10 + d>>8 // pairs, in every second byte
	const pairs = 0x000000ff000000ff
	return ((d&pairs)*(100+1_000_000<<32) + (d>>16&pairs)*(1+10_000<<32)) >> 32
}

// before says whether s is less than o.
func (s sequence) before(o sequence) bool {
	switch {
	case s[0] != o[0]:
		return s[0] < o[0]
	case s[1] != o[1]:
		return s[1] < o[1]
	}
	return s[2] < o[2]
}

// String is the decimal digits.
func (s sequence) String() string {
	text := fmt.Sprintf("%d%019d%019d", s[0], s[1], s[2])
	if text = strings.TrimLeft(text, "0"); text == "" {
		return "0"
	}
	return text
}

// A position is a place in a shard. Written down it is one of
//
//	""                          before the oldest record
//	"at:2026-01-02T03:04:05Z"   before the first record that arrived then or later
//	"4959…"                     after the record of this sequence number
//	"4959…/7"                   inside an aggregated record, after its user record 7 (they count from 0)
type position struct {
	at  time.Time // of the second form; zero: of another
	seq sequence  // of the last two; zero: of another
	sub int       // of the last: the number of a user record; -1: of another
}

const (
	atPrefix = "at:"
	whole    = -1 // a sub that is none
)

func parsePosition(text string) (position, error) {
	p := position{sub: whole}
	if text == "" {
		return p, nil
	}
	if at, ok := strings.CutPrefix(text, atPrefix); ok {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil || t.IsZero() {
			return p, fmt.Errorf("position %q: expected a time such as at:2026-01-02T03:04:05Z", text)
		}
		p.at = t
		return p, nil
	}
	number, sub, inside := strings.Cut(text, "/")
	var ok bool
	if p.seq, ok = parseSequence([]byte(number)); !ok || p.seq == (sequence{}) {
		return p, fmt.Errorf("position %q: expected a sequence number", text)
	}
	if inside {
		n, err := strconv.ParseUint(sub, 10, 31)
		if err != nil {
			return p, fmt.Errorf("position %q: expected the number of a user record after the slash", text)
		}
		p.sub = int(n)
	}
	return p, nil
}

// positionAt is the position before what arrives at t or later.
func positionAt(t time.Time) string { return atPrefix + t.UTC().Format(time.RFC3339Nano) }

// String is the position as it is written down.
func (p position) String() string {
	switch {
	case !p.at.IsZero():
		return positionAt(p.at)
	case p.seq == sequence{}:
		return ""
	case p.sub == whole:
		return p.seq.String()
	}
	return p.seq.String() + "/" + strconv.Itoa(p.sub)
}
