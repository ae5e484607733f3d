package codec_test

import (
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/codec"
)

func TestExcerpt(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `""`},
		{"short", `"short"`},
		{"a\n\"\xff\u00a0", `"a\n\"\xff\u00a0"`},
		{strings.Repeat("x", 40), `"` + strings.Repeat("x", 40) + `"`},
		{strings.Repeat("x", 41), `"` + strings.Repeat("x", 40) + `"…`},
		{strings.Repeat("x", 38) + "😀" + "x", `"` + strings.Repeat("x", 38) + `"…`},
		{strings.Repeat("\x80", 50), `"` + strings.Repeat(`\x80`, 40) + `"…`},
	} {
		if got := codec.Excerpt([]byte(c.in)); got != c.want {
			t.Errorf("%q: got %s, want %s", c.in, got, c.want)
		}
	}
}
