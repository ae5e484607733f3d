package emulator_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/enginetest/corpus"
	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
)

func Example() {
	e := emulator.New(1, 0)
	for range 3 {
		e.Next()
	}
	event := e.Next()
	for table, r := range event.Records() {
		fmt.Printf("%s key %s: %s\n", table, r.Key, r.Value)
	}
	fmt.Println("to go on later: seed 1, event", e.Following())
	// Output:
	// pin key 3: {"index":3,"unique_id":"300eb588-9119-40b9-b550-9f10a222501d","title":"My Fabulous Patio: Restored Dashboard, Sage Wheels And More","description":"Here are our favorite camper van for students this fall. 16 unforgettable ideas for limited edition wheels that preschoolers will love. Step by step: cut the beads, paint it beig… ","poster_name":"Live Thrifty With Brian","follower_count":"14","tag_list":"Classic Cars 2021,Sports Car,Diesel Vans,Smart Classic Cars,Race Car 2022,Turbo Ideas,Orange Dashboard,Diesel Ideas,Turbo Off-road Tires","is_image_or_video":"image","image_src":"https://i.pinimg.com/originals/9b/2c/fb/9b2cfb8804ed295df07fa619474fb2a8.jpg","downloaded":1,"save_location":"Local save in /data/vehicles","category":"vehicles"}
	// geo key 3: {"ind":3,"timestamp":"2020-03-05T15:07:19","latitude":55.4222,"longitude":-176.364,"country":"United Kingdom"}
	// user key 3: {"ind":3,"first_name":"Nathan","last_name":"Hernandez","age":20,"date_joined":"2016-06-04T21:59:42"}
	// to go on later: seed 1, event 4
}

func take(seed, first int64, n int) []emulator.Event {
	e := emulator.New(seed, first)
	events := make([]emulator.Event, n)
	for i := range events {
		events[i] = e.Next()
	}
	return events
}

// text is all that is sent of an event.
func text(e emulator.Event) string {
	var b strings.Builder
	for table, r := range e.Records() {
		fmt.Fprintf(&b, "%s %s %d %s\n", table, r.Key, r.Dirt, r.Value)
	}
	return b.String()
}

func TestGoesOnWhereItWas(t *testing.T) {
	whole := take(7, 0, 3000)
	for i, e := range append(take(7, 0, 1234), take(7, 1234, 3000-1234)...) {
		if got, want := text(e), text(whole[i]); got != want {
			t.Fatalf("interrupted at 1234, event %d is\n%s\nnot\n%s", i, got, want)
		}
	}
	if text(whole[0]) == text(take(8, 0, 1)[0]) {
		t.Error("another seed gives the same events")
	}
}

func TestReplays(t *testing.T) {
	const n, window = 20_000, 2100
	seen, last, count := map[int64]string{}, map[int64]int64{}, 0
	for i, e := range take(1, 0, n) {
		first, again := seen[e.Ind]
		if again != e.Replay {
			t.Fatalf("event %d, index %d: replay %v, but seen before %v", i, e.Ind, e.Replay, again)
		}
		if !again {
			seen[e.Ind], last[e.Ind] = text(e), int64(i)
			continue
		}
		count++
		if again := text(e); again != first {
			t.Fatalf("event %d is\n%s\nand replays\n%s", i, again, first)
		}
		if back := int64(i) - last[e.Ind]; back > window {
			t.Errorf("event %d replays one %d events back", i, back)
		}
	}
	within(t, "replays", count, n, 0.15, 0.01)
}

// A replay may be of an event from before an interruption.
func TestReplaysWhatWasBefore(t *testing.T) {
	if !slices.ContainsFunc(take(1, 5000, 100), func(e emulator.Event) bool { return e.Replay && e.Ind < 5000 }) {
		t.Error("no event of 100 replays one from before the start")
	}
}

func within(t *testing.T, what string, count, of int, want, tolerance float64) {
	t.Helper()
	if got := float64(count) / float64(of); got < want-tolerance || got > want+tolerance {
		t.Errorf("%s: %d of %d is %.4f, want %.4f ± %.4f", what, count, of, got, want, tolerance)
	}
}

func TestDirt(t *testing.T) {
	const n = 40_000
	counts := map[string]int{}
	for _, e := range take(3, 0, n) {
		if len(e.Geo) == 0 {
			counts["without geo"]++
		}
		if len(e.User) == 0 {
			counts["without user"]++
		}
		for table, r := range e.Records() {
			sound := json.Valid(r.Value) && utf8.Valid(r.Value)
			switch {
			case r.Dirt == emulator.NotJSON:
				counts["not JSON"]++
			case r.Dirt == emulator.WrongTopic:
				counts["wrong topic"]++
				if table != emulator.UserTable || string(r.Value) != string(e.Pin[0].Value) {
					t.Fatalf("%s holds %s", table, r.Value)
				}
			case string(r.Key) != fmt.Sprint(e.Ind):
				t.Fatalf("index %d has key %s", e.Ind, r.Key)
			}
			if sound == (r.Dirt == emulator.NotJSON) {
				t.Fatalf("dirt %d, but JSON in UTF-8 is %v: %s", r.Dirt, sound, r.Value)
			}
			if strings.Contains(string(r.Value), "\n") {
				t.Fatalf("more than one line: %s", r.Value)
			}
		}
	}
	for _, what := range []string{"without geo", "without user", "not JSON", "wrong topic"} {
		within(t, what, counts[what], n, 0.002, 0.001)
	}
}

// The tally is what one finds who looks at the bytes alone.
func TestTally(t *testing.T) {
	var got emulator.Tally
	want := map[string]*emulator.Count{"pin": {}, "geo": {}, "user": {}}
	seen := map[string]bool{}
	events := append(take(5, 0, 20_000), take(5, 19_500, 2000)...) // the second sender did not know how far the first had come
	for _, e := range events {
		got.Add(e)
		for table, r := range e.Records() {
			count(want[table], table, r.Value, seen)
		}
	}
	if diff := cmp.Diff([]emulator.Count{*want["pin"], *want["geo"], *want["user"]}, []emulator.Count{got.Pin, got.Geo, got.User}); diff != "" {
		t.Errorf("tally (-bytes +tally):\n%s", diff)
	}
	for table, c := range want {
		if c.Rows+c.Duplicates+c.Quarantined() != c.Records || c.Duplicates == 0 || c.NotJSON == 0 {
			t.Errorf("%s: %+v", table, c)
		}
	}
}

func count(c *emulator.Count, table string, value []byte, seen map[string]bool) {
	var row struct{ Index, Ind *int64 }
	c.Records++
	if !utf8.Valid(value) || json.Unmarshal(value, &row) != nil {
		c.NotJSON++
		return
	}
	index := row.Ind
	if table == "pin" {
		index = row.Index
	}
	if index == nil {
		c.WrongTopic++
		return
	}
	key := fmt.Sprint(table, *index)
	if seen[key] {
		c.Duplicates++
		return
	}
	seen[key] = true
	c.Rows++
}

// shapes say what every value of a column looks like, in the emulator's rows and in the real ones.
var shapes = map[string]map[string]string{
	"pin": {
		"index": `\d+`, "unique_id": `"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`,
		"title": `"(?s:.{4,200})"`, "description": `"(?s:.{3,190})"`, "poster_name": `"(?s:.{1,100})"`,
		"follower_count": `"(\d+[kM]?|User Info Error)"`, "tag_list": `"(?s:.{33,300})"`,
		"is_image_or_video": `"(image|video|multi-video\(story page format\))"`,
		"image_src":         `"(Image src error\.|https://i\.pinimg\.com/(videos/thumbnails/)?originals/../../../[0-9a-f]{32}(\.0000001)?\.(jpg|png|webp|gif))"`,
		"downloaded":        `[01]`, "save_location": `"Local save in /data/[a-z-]+"`,
		"category": `"(art|beauty|christmas|diy-and-crafts|education|event-planning|finance|home-decor|mens-fashion|quotes|tattoos|travel|vehicles)"`,
	},
	"geo": {
		"ind": `\d+`, "timestamp": `"20(17|18|19|20|21|22)[-:]\d\d[-:]\d\d[T ]\d\d:\d\d:\d\d"`,
		"latitude": `-?[0-8]?\d(\.\d{1,7})?`, "longitude": `-?(1[0-7])?\d{1,2}(\.\d{1,7})?`, "country": `"[A-Z].{3,51}"`,
	},
	"user": {
		"ind": `\d+`, "first_name": `"[A-Z][a-z]+"`, "last_name": `"[A-Z][A-Za-z']+"`, "age": `[2-5]\d|60`,
		"date_joined": `"201[567][-:]\d\d[-:]\d\d[T ]\d\d:\d\d:\d\d"`,
	},
}

func checkShape(t *testing.T, table string, line []byte) {
	t.Helper()
	var row map[string]json.RawMessage
	if err := json.Unmarshal(line, &row); err != nil {
		t.Fatalf("%s: %v: %s", table, err, line)
	}
	if len(row) != len(shapes[table]) {
		t.Fatalf("%s has %d columns, want %d: %s", table, len(row), len(shapes[table]), line)
	}
	for column, shape := range shapes[table] {
		if !regexp.MustCompile(`^(` + shape + `)$`).Match(row[column]) {
			t.Errorf("%s.%s is %s, want %s", table, column, row[column], shape)
		}
	}
}

func TestShapes(t *testing.T) {
	for _, e := range take(2, 0, 300) {
		for table, r := range e.Records() {
			if r.Dirt == emulator.Sound {
				checkShape(t, table, r.Value)
			}
		}
	}
}

func TestRealRowsHaveTheShapes(t *testing.T) {
	for _, table := range []string{"pin", "geo", "user"} {
		rows := json.NewDecoder(corpus.Open(t, "pinterest", table+".ndjson"))
		for n := 0; rows.More() && n < 200; n++ {
			var line json.RawMessage
			if err := rows.Decode(&line); err != nil {
				t.Fatal(err)
			}
			checkShape(t, table, line)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	e, size := emulator.New(1, 0), 0
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range e.Next().Records() {
			size += len(r.Value)
		}
	}
	b.SetBytes(int64(size / b.N))
}
