package window

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

const stateSchema = "id: string, k: struct<a: int!, b: array<decimal(20,2)>>, v: int"

const (
	paned    = "{tumble: 1m, by: [id, k], aggregates: {n: count(), s: sum(v), d: median(v)}}"
	silently = "{session: {gap: 1m}, by: [id, k], aggregates: {n: count(), s: sum(v), d: median(v)}}"
)

func bind(t testing.TB, yaml string) *operator {
	t.Helper()
	op, _, err := optest.Decode(New(), yaml).Bind(optest.Schema(stateSchema))
	if err != nil {
		t.Fatal(err)
	}
	return op.(*operator)
}

// feed applies rows whose keys are all in slot 5, and time.
func feed(t testing.TB, o *operator, upto engine.Time, rows ...string) {
	t.Helper()
	b := optest.Batch(optest.Schema(stateSchema), rows...)
	b.Upto = upto
	b.Keys = make([]column.Key, len(rows))
	column.NewHasher(1).Keys(b.Keys, b.Columns[:2], nil, b.Rows)
	for i := range b.Keys {
		b.Keys[i].Hi = b.Keys[i].Hi&(1<<56-1) | 5<<56
	}
	if err := o.Apply(context.Background(), b, optest.Discard{}); err != nil {
		t.Fatal(err)
	}
}

func save(t testing.TB, o *operator) (data []byte, whole bool) {
	t.Helper()
	var b bytes.Buffer
	whole, err := o.Save(5, &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), whole
}

func golden(t testing.TB, path string) (sections [][]byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		sections = append(sections, b)
	}
	return sections
}

// sections are a whole section and a delta.
func sections(t testing.TB, yaml string) [][]byte {
	o := bind(t, yaml)
	feed(t, o, engine.MinTime,
		`{"id": "a", "k": {"a": 1, "b": [1.5, null]}, "v": 7, "@at": "2024-05-01T10:00:00Z"}`,
		`{"id": "a", "k": {"a": 1, "b": [1.5, null]}, "v": 8, "@at": "2024-05-01T10:02:00Z"}`,
		`{"k": null, "v": 9, "@at": "2024-05-01T10:00:00Z"}`)
	first, _ := save(t, o)
	feed(t, o, engine.TimeOf(mustTime("2024-05-01T09:59:00Z")),
		`{"id": "a", "k": {"a": 1, "b": [1.5, null]}, "v": 7, "@at": "2024-05-01T10:01:00Z"}`,
		`{"id": "a", "k": {"a": 1, "b": [1.5, null]}, "v": -1, "@at": "2024-05-01T10:00:30Z"}`,
		`{"id": "b", "v": 9, "@at": "2024-05-01T10:00:00Z"}`)
	second, _ := save(t, o)
	return [][]byte{first, second}
}

// TestWritesTheVersion: the newest old state is what this program writes.
func TestWritesTheVersion(t *testing.T) {
	for name, yaml := range map[string]string{"panes": paned, "sessions": silently} {
		path := fmt.Sprintf("testdata/%s-v%d.hex", name, version)
		got := sections(t, yaml)
		if os.Getenv("UPDATE_STATE") != "" {
			text := "# Slot 5, whole; then a delta.\n"
			for _, s := range got {
				text += hex.EncodeToString(s) + "\n"
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(golden(t, path), got); diff != "" {
			t.Errorf("%s: wrote another state than %s (-golden +got); if that is meant, raise the version and keep the old file:\n%s", name, path, diff)
		}
	}
}

// TestReadsOldVersions: what was saved gives the results that it stands for.
func TestReadsOldVersions(t *testing.T) {
	for name, yaml := range map[string]string{"panes": paned, "sessions": silently} {
		want := map[string][]string{
			"panes": {
				`{"id":"a","k":{"a":1,"b":[1.50,null]},"window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:01:00.000000Z","n":2,"s":6,"d":3}`,
				`{"id":"a","k":{"a":1,"b":[1.50,null]},"window_start":"2024-05-01T10:01:00.000000Z","window_end":"2024-05-01T10:02:00.000000Z","n":1,"s":7,"d":7}`,
				`{"id":"a","k":{"a":1,"b":[1.50,null]},"window_start":"2024-05-01T10:02:00.000000Z","window_end":"2024-05-01T10:03:00.000000Z","n":1,"s":8,"d":8}`,
				`{"id":"b","k":null,"window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:01:00.000000Z","n":1,"s":9,"d":9}`,
				`{"id":null,"k":null,"window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:01:00.000000Z","n":1,"s":9,"d":9}`,
			},
			"sessions": {
				`{"id":"a","k":{"a":1,"b":[1.50,null]},"window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:02:00.000000Z","n":3,"s":13,"d":7}`,
				`{"id":"a","k":{"a":1,"b":[1.50,null]},"window_start":"2024-05-01T10:02:00.000000Z","window_end":"2024-05-01T10:03:00.000000Z","n":1,"s":8,"d":8}`,
				`{"id":"b","k":null,"window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:01:00.000000Z","n":1,"s":9,"d":9}`,
				`{"id":null,"k":null,"window_start":"2024-05-01T10:00:00.000000Z","window_end":"2024-05-01T10:01:00.000000Z","n":1,"s":9,"d":9}`,
			},
		}[name]
		for v := 1; v <= version; v++ {
			o := bind(t, yaml)
			for _, s := range golden(t, fmt.Sprintf("testdata/%s-v%d.hex", name, v)) {
				if err := o.Load(5, bytes.NewReader(s)); err != nil {
					t.Fatal(err)
				}
			}
			var got record
			b := optest.Batch(optest.Schema(stateSchema))
			b.Upto = engine.MaxTime
			if err := o.Apply(context.Background(), b, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sortedLines(want), sortedLines(got.rows)); diff != "" {
				t.Errorf("%s, version %d (-want +got):\n%s", name, v, diff)
			}
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	change := func(good []byte, at int, b byte) []byte {
		c := bytes.Clone(good)
		c[at] = b
		return c
	}
	panes, sessions := sections(t, paned), sections(t, silently)
	for name, c := range map[string]struct {
		yaml string
		data []byte
		want string
	}{
		"nothing":         {paned, nil, "state of 0 bytes is cut short"},
		"half a header":   {paned, panes[0][:9], "state of 9 bytes is cut short"},
		"half a run":      {paned, panes[0][:30], "state of 30 bytes is cut short"},
		"half a group":    {paned, panes[0][:50], "state of 50 bytes is cut short"},
		"newer":           {paned, change(panes[0], 0, 2), "state of version 2 and kind 1: this program reads version 1, kinds 0 and 1"},
		"other kind":      {paned, change(panes[0], 1, 2), "state of version 1 and kind 2: this program reads version 1, kinds 0 and 1"},
		"no group":        {paned, change(panes[0], 40, 0), "state has 0 groups from 1714557600000000 to 1714557660000000, which can't be"},
		"backwards":       {paned, change(panes[0], 39, 0x80), "state has 2 groups from 1714557600000000 to -9221657479194775808, which can't be"},
		"overlap":         {paned, change(panes[0], 24, 1), "state has a pane from 1714557600000001 to 1714557660000000, which can't be"},
		"other slot":      {paned, change(panes[0], headerBytes+runBytes+7, 9), "state of slot 5 has a key of slot 9"},
		"delta alone":     {paned, panes[1], "state has a group that does not go on with what was saved before"},
		"session alone":   {silently, change(sessions[1], headerBytes+runBytes+16, 0), "state has a session that goes on with 0 others"},
		"a short session": {silently, change(sessions[0], 34, sessions[0][34]-1), "state has a session from 1714557600000000 to 1714557659934464, which is shorter than its gap"},
	} {
		t.Run(name, func(t *testing.T) {
			err := bind(t, c.yaml).Load(5, bytes.NewReader(c.data))
			if err == nil || err.Error() != "window: "+c.want {
				t.Errorf("got %v, expected window: %s", err, c.want)
			}
		})
	}
	o := bind(t, paned)
	for i, want := range []string{"<nil>", "window: state of slot 5 is whole, and sections came before it"} {
		if err := o.Load(5, bytes.NewReader(panes[0])); fmt.Sprint(err) != want {
			t.Errorf("load %d gave %v, expected %s", i, err, want)
		}
	}
}

// TestSaveCostsWhatChanged: a section has the groups that changed since the last, until whole is cheaper; where nothing
// changed there is none.
func TestSaveCostsWhatChanged(t *testing.T) {
	for name, yaml := range map[string]string{"panes": paned, "sessions": silently} {
		o := bind(t, yaml)
		row := func(id int) string {
			return fmt.Sprintf(`{"id": "%d", "v": 1, "@at": "2024-05-01T10:00:00Z"}`, id)
		}
		var rows []string
		for id := range 100 {
			rows = append(rows, row(id))
		}
		feed(t, o, engine.MinTime, rows...)
		first, whole := save(t, o)
		if !whole || len(first) < 100*groupBytes {
			t.Errorf("%s: 100 groups were saved in %d bytes, whole %v", name, len(first), whole)
		}
		if b, whole := save(t, o); len(b) > 0 || whole {
			t.Errorf("%s: nothing changed and %d bytes were saved, whole %v", name, len(b), whole)
		}
		feed(t, o, engine.MinTime, row(7))
		if b, whole := save(t, o); len(b) == 0 || len(b) > headerBytes+runBytes+groupBytes+40 || whole || b[headerBytes+runBytes+16] != 0 {
			t.Errorf("%s: a group changed and %d bytes were saved, whole %v", name, len(b), whole)
		}
		feed(t, o, engine.TimeOf(mustTime("2024-05-01T11:00:00Z")))
		if b, whole := save(t, o); len(b) != headerBytes || !whole {
			t.Errorf("%s: all windows closed and %d bytes were saved, whole %v", name, len(b), whole)
		}
		if b, whole := save(t, o); len(b) > 0 || whole {
			t.Errorf("%s: there was nothing left and %d bytes were saved, whole %v", name, len(b), whole)
		}
	}
}

// TestSaveBoundsTheChain: now and then a slot is written whole though little of it changed.
func TestSaveBoundsTheChain(t *testing.T) {
	o := bind(t, paned)
	var rows []string
	for id := range 2000 {
		rows = append(rows, fmt.Sprintf(`{"id": "%d", "v": 1}`, id))
	}
	feed(t, o, engine.MinTime, rows...)
	save(t, o)
	for deltas := 0; ; deltas++ {
		feed(t, o, engine.MinTime, `{"id": "7"}`)
		if _, whole := save(t, o); whole {
			if deltas != maxDeltas(5) {
				t.Errorf("slot 5 was written whole after %d deltas, expected %d", deltas, maxDeltas(5))
			}
			return
		}
	}
}

// FuzzLoad: any bytes give an error or a state that can be used and saved again.
func FuzzLoad(f *testing.F) {
	for _, yaml := range []string{paned, silently} {
		s := sections(f, yaml)
		f.Add(s[0], s[1], yaml == paned)
		f.Add(s[0], s[1][:len(s[1])-3], yaml == paned)
	}
	f.Fuzz(func(t *testing.T, a, b []byte, panes bool) {
		yaml := silently
		if panes {
			yaml = paned
		}
		o := bind(t, yaml)
		for _, section := range [][]byte{a, b} {
			if err := o.Load(5, bytes.NewReader(section)); err != nil {
				return
			}
		}
		feed(t, o, o.floor, `{"id": "a", "k": {"a": 1, "b": [1.5, null]}, "v": 7, "@at": "2024-05-01T10:00:30Z"}`, `{"v": 7, "@at": "2024-05-01T10:00:30Z"}`)
		first, _ := save(t, o)
		if again := bind(t, yaml); len(first) > 0 && first[1] == 1 {
			if err := again.Load(5, bytes.NewReader(first)); err != nil {
				t.Fatalf("what was saved after it is refused: %v", err)
			}
		}
		o.Largest(3)
		feed(t, o, engine.MaxTime)
	})
}

// TestStateBytes: a key and a pane take at most 64 bytes for count and sum, the key aside.
func TestStateBytes(t *testing.T) {
	for _, n := range []int{100_000, 140_000, 250_000, 500_000} {
		o := bind(t, "{tumble: 1m, by: [v], aggregates: {n: count(), s: sum(v)}}")
		values := column.New(column.Of(column.Int)).(*column.Ints)
		for i := range n {
			values.Append(int32(i))
			if values.Len() < 1000 {
				continue
			}
			b := optest.Batch(optest.Schema(stateSchema))
			b.Rows, b.Columns[2] = values.Len(), values
			b.At, b.Mark, b.Offset = make([]engine.Time, b.Rows), make([]engine.Time, b.Rows), make([]engine.Offset, b.Rows)
			if err := o.Apply(context.Background(), b, optest.Discard{}); err != nil {
				t.Fatal(err)
			}
			values.Reset()
		}
		key := int64(o.store.(*panes).list[0].values[0].Size())
		each := float64(o.StateBytes()-key) / float64(n)
		t.Logf("%d groups: %.1f bytes each and %.1f of the key", n, each, float64(key)/float64(n))
		if each > 64 {
			t.Errorf("%d groups take %.1f bytes each, and %d of the keys", n, each, key)
		}
	}
}

// TestLargest: the keys with the most state come first, whatever saves come between.
func TestLargest(t *testing.T) {
	for name, yaml := range map[string]string{"panes": paned, "sessions": silently} {
		o := bind(t, yaml)
		var rows []string
		for i := range 600 {
			rows = append(rows, fmt.Sprintf(`{"id": "%d", "v": %d, "@at": "2024-05-01T10:00:00Z"}`, min(i%200, 3+i%190), i*1000))
		}
		for range 50 {
			rows = append(rows, `{"id": "large", "v": 123456789, "@at": "2024-05-01T10:00:00Z"}`)
		}
		feed(t, o, engine.MinTime, rows...)
		got := o.Largest(2)
		if len(got) != 2 || got[0].Key != `{"id":"large","k":null}` || got[0].Bytes <= got[1].Bytes {
			t.Errorf("%s: the largest are %v", name, got)
		}
		first, _ := save(t, o)
		feed(t, o, engine.MinTime, rows[0])
		o.Largest(2)
		second, whole := save(t, o)
		if whole || len(second) == 0 || len(second) > len(first)/10 {
			t.Errorf("%s: a look at the largest made a delta of %d bytes, whole %v, behind %d", name, len(second), whole, len(first))
		}
	}
}

// TestSessionsForget: what sessions that have ended held is given back, and those that go on keep their keys.
func TestSessionsForget(t *testing.T) {
	o := bind(t, "{session: {gap: 1m}, by: id, aggregates: {n: count(), s: sum(v)}}")
	var got record
	const users, rounds = 500, 40
	for round := range rounds {
		at := time.Unix(int64(round)*50, 0).UTC().Format(time.RFC3339)
		rows := []string{fmt.Sprintf(`{"id": "goes on", "v": 1, "@at": %q}`, at)}
		for user := range users {
			rows = append(rows, fmt.Sprintf(`{"id": "%d.%d", "v": %d, "@at": %q}`, round, user, user, at))
		}
		b := optest.Batch(optest.Schema(stateSchema), rows...)
		b.Upto = engine.Time(round) * 50e6
		if err := o.Apply(context.Background(), b, &got); err != nil {
			t.Fatal(err)
		}
	}
	s := o.store.(*sessions)
	if n, m := s.rowCount(), len(s.all); n > 5*users || m > 5*users {
		t.Errorf("of %d sessions, at most 3 in %d alive, %d keys and %d groups are held", users*rounds, users, n, m)
	}
	end := optest.Batch(optest.Schema(stateSchema))
	end.Upto = engine.MaxTime
	if err := o.Apply(context.Background(), end, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for round := range rounds {
		for user := range users {
			want[fmt.Sprintf(`{"id":"%d.%d",%s"n":1,"s":%d}`, round, user, naiveWindow{start: engine.Time(round) * 50e6, end: engine.Time(round)*50e6 + 60e6}.bounds(), user)] = true
		}
	}
	want[fmt.Sprintf(`{"id":"goes on",%s"n":%d,"s":%d}`, naiveWindow{start: 0, end: (rounds-1)*50e6 + 60e6}.bounds(), rounds, rounds)] = true
	for _, row := range got.rows {
		if !want[row] {
			t.Fatalf("there is a row %s", row)
		}
		delete(want, row)
	}
	if len(want) > 0 {
		t.Errorf("%d rows are missing", len(want))
	}
}
