package window_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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

// The median of followers by day in Berlin, whose clocks were put back on the first of these.
func Example_day() {
	config := optest.Decode(window.New(), `{day: {zone: Europe/Berlin}, aggregates: {followers: median(followers)}}`)
	optest.Print(config, "followers: int",
		`{"followers": 10, "@at": "2024-10-26T22:00:00Z"}`, // midnight
		`{"followers": 30, "@at": "2024-10-27T22:59:59Z"}`, // 25 hours later
		`{"followers": 20, "@at": "2024-10-27T23:00:00Z", "@mark": "2024-10-29T00:00:00Z"}`)
	// Output:
	// columns window_start: timestamp!, window_end: timestamp!, followers: double
	// row {"window_start":"2024-10-26T22:00:00.000000Z","window_end":"2024-10-27T23:00:00.000000Z","followers":20}
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

var (
	_ engine.Waiting = window.Config{}
	_ engine.Whole   = window.Config{}
)

func TestConforms(t *testing.T) {
	var rows []string
	for i := range 300 {
		mark := ""
		if i > 20 {
			mark = fmt.Sprintf(`, "@mark": "1970-01-01T00:%02d:%02dZ"`, (i-20)/60, (i-20)%60)
		}
		rows = append(rows, fmt.Sprintf(`{"id": "%d", "v": %d%s}`, i*i%7, i%5, mark), fmt.Sprintf(`{"v": %d, "@at": "1970-01-01T00:%02d:%02dZ"%s}`, i, i/60, i%60, mark))
	}
	for i := range rows { // row i of a batch is at second i, which a scattered batch keeps
		if !strings.Contains(rows[i], "@at") {
			rows[i] = strings.TrimSuffix(rows[i], "}") + fmt.Sprintf(`, "@at": "1970-01-01T00:%02d:%02dZ"}`, i/2/60, i/2%60)
		}
	}
	for _, kind := range []string{"tumble: 7s", "hop: {size: 9s, every: 2s}", "session: {gap: 3s}", "minute:"} {
		for _, by := range []string{"[id, v]", "[]", "id"} {
			config := optest.Decode(window.New(), fmt.Sprintf(`{%s, by: %s, aggregates: {n: count(), d: "max(v) filter (where v > 1)", q: sum(10 / v)}}`, kind, by))
			optest.Conform(t, config, "id: string, v: long", rows...)
		}
	}
}

// TestAll: the window of everything gives its results at the end of the input, or at each commit.
func TestAll(t *testing.T) {
	rows := []string{`{"v": 1}`, `{"v": 2}`, `{"v": 9, "@at": "2050-01-01T00:00:00Z"}`}
	for emit, want := range map[string][]string{
		"close":   {`row {"n":6,"s":24}`},
		"changes": {`row {"n":3,"s":12}`, `row {"n":6,"s":24}`},
	} {
		config := optest.Decode(window.New(), `{all: , aggregates: {n: count(), s: sum(v)}, emit: `+emit+`}`)
		if config.Waits() {
			t.Error("the window of everything waits for time")
		}
		var all []*engine.Batch
		for i, upto := range []engine.Time{1e6, engine.MaxTime} {
			b := optest.Batch(optest.Schema("v: int"), rows...)
			b.Upto, b.Barrier = upto, engine.Epoch(i+1)
			quiet := optest.Batch(optest.Schema("v: int"))
			quiet.Upto, quiet.Barrier, quiet.Quiet = upto, engine.Epoch(i+1), true
			all = append(all, b, quiet)
		}
		if diff := cmp.Diff(want, optest.Run(config, all...)); diff != "" {
			t.Errorf("emit %s: %s", emit, diff)
		}
	}
}

// TestManyResults: they leave in batches of bounded size, with what was promised so far, and time is passed on behind them.
func TestManyResults(t *testing.T) {
	config := optest.Decode(window.New(), `{tumble: 10h, by: v, aggregates: {n: count()}}`)
	op, out, err := config.Bind(optest.Schema("v: int"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for v := range 10_000 {
		rows = append(rows, fmt.Sprintf(`{"v": %d}`, v))
	}
	b := optest.Batch(optest.Schema("v: int"), rows...)
	b.Upto = 5e6
	var sink optest.Sink
	optest.Apply(op, b, out, &sink)
	last := optest.Batch(optest.Schema("v: int"))
	last.Upto = 1e12
	g := &gathered{}
	if err := op.Apply(t.Context(), last, g); err != nil {
		t.Fatal(err)
	}
	if want := []string{"4096 upto 5000000", "4096 upto 5000000", "1808 upto 5000000", "0 upto 1000000000000"}; !cmp.Equal(g.batches, want) {
		t.Errorf("got batches %v, expected %v", g.batches, want)
	}
}

type gathered struct {
	optest.Discard
	batches []string
}

func (g *gathered) Rows(b *engine.Batch) error {
	g.batches = append(g.batches, fmt.Sprintf("%d upto %d", b.Count(), b.Upto))
	for row := range b.Sel.All(b.Rows) {
		if b.At[row] < b.Upto || b.At[row] >= 1e12 || b.Mark[row] != engine.MinTime {
			g.batches = append(g.batches, fmt.Sprintf("row %d at %d, mark %d", row, b.At[row], b.Mark[row]))
		}
	}
	return nil
}

// TestLate: a row of a window that has closed is let into none, should one come.
func TestLate(t *testing.T) {
	for _, kind := range []string{"tumble: 1m", "hop: {size: 2m, every: 1m}", "session: {gap: 1m}", "hour:"} {
		config := optest.Decode(window.New(), fmt.Sprintf(`{%s, aggregates: {n: count()}}`, kind))
		first := optest.Batch(optest.Schema("v: int"), `{"v": 1, "@at": "2024-05-01T10:00:00Z"}`)
		first.Upto = engine.TimeOf(time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC))
		second := optest.Batch(first.Schema, `{"v": 2, "@at": "2024-05-01T10:00:00Z"}`, `{"v": 3, "@at": "2024-05-01T12:00:00Z"}`)
		second.Upto = first.Upto
		end := optest.Batch(first.Schema)
		end.Upto = engine.MaxTime
		var got []string
		for _, line := range optest.Run(config, first, second, end) {
			if !strings.HasPrefix(line, "row") {
				got = append(got, line)
			} else if !strings.Contains(line, `"n":1`) {
				t.Errorf("%s: %s", kind, line)
			}
		}
		want := []string{`quarantine late: its window has closed: event time had come to 2024-05-01T12:00:00.000000Z {"v":2}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}
