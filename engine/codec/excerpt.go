package codec

import (
	"fmt"
	"unicode/utf8"
)

// excerptLimit is the most bytes of a record that the detail of a Reject quotes.
const excerptLimit = 40

// Excerpt quotes the beginning of b for people: at most 40 bytes, cut between characters, with what is
// not printable escaped.
func Excerpt(b []byte) string {
	if len(b) <= excerptLimit {
		return fmt.Sprintf("%q", b)
	}
	end := excerptLimit
	for i := range utf8.UTFMax {
		if utf8.RuneStart(b[excerptLimit-i]) {
			end = excerptLimit - i
			break
		}
	}
	return fmt.Sprintf("%q…", b[:end])
}
