package window_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators/window"
)

// Posts by country and minute. A row with @mark comes after the watermark has reached that time.
func Example() {
	config := optest.Decode(window.New(), `
tumble: 1m
by: [country]
aggregates:
  posts: count()
  likes: sum(likes)
having: posts > 1`)
	optest.Print(config, "country: string, likes: int",
		`{"country": "de", "likes": 2, "@at": "2024-05-01T10:00:05Z"}`,
		`{"country": "fr", "likes": 7, "@at": "2024-05-01T10:00:10Z"}`,
		`{"country": "de", "likes": 1, "@at": "2024-05-01T10:01:00Z"}`, // the next minute
		`{"country": "de", "likes": 3, "@at": "2024-05-01T10:00:59Z"}`,
		`{"country": "fr", "likes": 9, "@at": "2024-05-01T10:02:20Z", "@mark": "2024-05-01T10:02:00Z"}`)
	// Output:
	// columns country: string, window_start: timestamp!, window_end: timestamp!, posts: long!, likes: long
	// drop filtered 1
	// row {"country":"de","window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:01:00.000000Z","posts":2,"likes":5}
	// drop filtered 1
}

// The sessions of a user, of whom nothing came for half an hour between them.
func Example_session() {
	config := optest.Decode(window.New(), `{session: {gap: 30m}, by: user, aggregates: {pages: count(), last: max(page)}}`)
	optest.Print(config, "user: string!, page: int",
		`{"user": "ada", "page": 1, "@at": "2024-05-01T10:00:00Z"}`,
		`{"user": "ada", "page": 3, "@at": "2024-05-01T10:50:00Z"}`, // another session so far
		`{"user": "ada", "page": 2, "@at": "2024-05-01T10:25:00Z"}`, // joins the two
		`{"user": "ada", "page": 4, "@at": "2024-05-01T11:20:00Z"}`, // exactly the gap later
		`{"user": "bob", "page": 1, "@at": "2024-05-01T12:20:00Z", "@mark": "2024-05-01T12:00:00Z"}`)
	// Output:
	// columns user: string!, window_start: timestamp!, window_end: timestamp!, pages: long!, last: int
	// row {"user":"ada","window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T11:20:00.000000Z","pages":3,"last":3}
	// row {"user":"ada","window_start":"2024-05-01T11:20:00.000000Z","window_end":"2024-05-01T11:50:00.000000Z","pages":1,"last":4}
}

// The largest number of followers by day in Berlin, whose clocks were put back on the first of these.
func Example_day() {
	config := optest.Decode(window.New(), `{day: {zone: Europe/Berlin}, aggregates: {followers: max(followers)}}`)
	optest.Print(config, "followers: int",
		`{"followers": 10, "@at": "2024-10-26T22:00:00Z"}`, // midnight
		`{"followers": 30, "@at": "2024-10-27T22:59:59Z"}`, // 25 hours later
		`{"followers": 20, "@at": "2024-10-27T23:00:00Z", "@mark": "2024-10-29T00:00:00Z"}`)
	// Output:
	// columns window_start: timestamp!, window_end: timestamp!, followers: int
	// row {"window_start":"2024-10-26T22:00:00.000000Z","window_end":"2024-10-27T23:00:00.000000Z","followers":30}
	// row {"window_start":"2024-10-27T23:00:00.000000Z","window_end":"2024-10-28T23:00:00.000000Z","followers":20}
}

// Windows of three minutes, one a minute.
func Example_hop() {
	config := optest.Decode(window.New(), `{hop: {size: 3m, every: 1m}, aggregates: {n: count(), v: sum(v)}}`)
	optest.Print(config, "v: int",
		`{"v": 1, "@at": "2024-05-01T10:00:00Z"}`,
		`{"v": 10, "@at": "2024-05-01T10:01:30Z"}`,
		`{"v": 100, "@at": "2024-05-01T10:02:00Z", "@mark": "2024-05-01T10:04:00Z"}`)
	// Output:
	// columns window_start: timestamp!, window_end: timestamp!, n: long!, v: long
	// row {"window_start":"2024-05-01T09:58:00.000000Z","window_end":"2024-05-01T10:01:00.000000Z","n":1,"v":1}
	// row {"window_start":"2024-05-01T09:59:00.000000Z","window_end":"2024-05-01T10:02:00.000000Z","n":2,"v":11}
	// row {"window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:03:00.000000Z","n":3,"v":111}
	// row {"window_start":"2024-05-01T10:01:00.000000Z","window_end":"2024-05-01T10:04:00.000000Z","n":2,"v":110}
}

func TestFaults(t *testing.T) {
	in := optest.Schema("id: string, k: int, m: map<string, int>, window_end: int")
	for yaml, want := range map[string][]string{
		`{aggregates: {n: count()}}`:                                                {`no kind of window: expected one of tumble, hop, session, minute, hour, day, week, month, quarter, year or all`},
		`{tumble: 1m, day: , aggregates: {n: count()}}`:                             {`day: a window is of one kind, and this is of kind tumble already`},
		`{hop: {size: 1m, every: 2m}, aggregates: {n: count()}}`:                    {`hop.every: windows of 1m0s that begin every 2m0s leave rows out: expected at most the size`},
		`{hop: {size: 1ms, every: 0s}, aggregates: {n: count()}}`:                   {`hop.every: expected a span of at least 1ms, found 0s`},
		`{session: {gap: 0.5ms}, aggregates: {n: count()}}`:                         {`session.gap: expected a span of at least 1ms, found 500µs`},
		`{day: {zone: Europe/Berln}, aggregates: {n: count()}}`:                     {`day.zone: no time zone "Europe/Berln" in the IANA database: expected a name such as Europe/Berlin (did you mean Europe/Berlin?)`},
		`{week: , by: [idd, k, k, m, window_end], aggregates: {n: count()}}`:        {`by.0: no column "idd" (did you mean id?)`, `by.2: column "k" is here twice`, `by.3: column "m" is of type map<string, int>, which no key is made of`, `by.4: column "window_end" has the name of one that windows give: rename it before`},
		`{all: , by: k, keep: 1h, aggregates: {}}`:                                  {`keep: goes with emit: changes; without it a window goes when its result has left`, `aggregates: nothing is aggregated`},
		`{all: , by: k, emit: changes, keep: 1h, aggregates: {k: count()}}`:         {`keep: goes with windows that end`, `aggregates.k: column "k" is here twice: windows give the columns of by and their start and end as well`},
		`{tumble: 1m, aggregates: {window_start: count(), b: sum(kk), c: summ(k)}}`: {`aggregates.window_start: column "window_start" is here twice: windows give the columns of by and their start and end as well`, `aggregates.b+4: no column "kk" (did you mean k?)`, `aggregates.c: no aggregate "summ" (did you mean sum?)`},
		`{tumble: 1m, aggregates: {a: count(id, k), b: sum(id)}}`:                   {`aggregates.a+8: the aggregate ends within parentheses: YAML has cut it at the comma, so put it in quotes`, `aggregates.b+4: sum: expected a number, found string`},
		`{tumble: 1m, aggregates: {n: count()}, having: n + 1}`:                     {`having: expected a condition, found an expression of type long`},
		`{tumble: 1m, aggregates: {n: count()}, having: k > 1}`:                     {`having: no column "k" (did you mean n?)`},
	} {
		t.Run(yaml, func(t *testing.T) {
			_, _, err := optest.Decode(window.New(), yaml).Bind(in)
			if err == nil {
				t.Fatal("nothing is wrong with it")
			}
			if diff := cmp.Diff(want, optest.FaultsOf(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

var _ engine.Waiting = window.Config{}
