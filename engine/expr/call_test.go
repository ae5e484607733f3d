package expr

import "testing"

// TestParseCall: what a call prints parses to the same call; what is none says where and why.
func TestParseCall(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"count()", "count()"},
		{"Count(*)", "count()"},
		{" count ( DISTINCT user_name ) ", "count(DISTINCT user_name)"},
		{"sum(a + b) filter (where x > 3 and y)", "sum((a + b)) FILTER (WHERE ((x > 3) AND y))"},
		{"quantile(x, 0.5)", "quantile(x, 0.5)"},
		{`max("count")`, "max(count)"},
		{"sum(", "at 4: expected a value, found the end"},
		{"sum(x", "at 5: expected an operator, a comma or ), found the end"},
		{"sum", "at 0: expected an aggregate, as count() is, found sum"},
		{"", "at 0: expected an aggregate, as count() is, found the end"},
		{"sum(x) + 1", "at 7: expected FILTER (WHERE …) or the end, found +"},
		{"count(distinct *)", "at 15: expected a value, found *"},
		{"sum(x) filter x > 1", "at 14: expected (, found x"},
		{"sum(x) filter (x > 1)", "at 15: expected WHERE, found x"},
		{"sum(x) filter (where x > 1", "at 26: expected an operator or ), found the end"},
		{"sum(x) filter (where)", "at 20: expected a value, found )"},
		{"not(x)", "at 0: expected an aggregate, as count() is, found not; for a column of that name write \"not\""},
		{"sum('x", "at 4: the text that begins here has no closing '"},
	} {
		call, err := ParseCall(c.src)
		if err != nil {
			if got := err.Error(); got != c.want {
				t.Errorf("%q: error %s\nexpected %s", c.src, got, c.want)
			}
			continue
		}
		if got := call.String(); got != c.want {
			t.Errorf("%q: %s, expected %s", c.src, got, c.want)
		}
		if again, err := ParseCall(c.want); err != nil || again.String() != c.want {
			t.Errorf("%q: printed %s, which does not parse to itself: %v", c.src, c.want, err)
		}
	}
}
