package maintenance_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/delta"
)

// TestOptimizeKeepsRows: on random tables, with partitions of every kind of name, nulls and columns that came
// later, the rows stay what they are, and each partition is one file.
func TestOptimizeKeepsRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store := mem.New()
		schemas := []string{"id: long!, city: string, x: double", "id: long!, city: string, x: double, tags: array<string>", "at: timestamp, id: long!, city: string"}
		city := rapid.SampledFrom([]string{"null", `"Oslo"`, `"a/b"`, `"100%"`, `"a=b"`, `"é ü"`, `" "`, `"\u0001"`})
		partitioned := rapid.Bool().Draw(rt, "partitioned")
		id := 0
		for range rapid.IntRange(1, 12).Draw(rt, "epochs") {
			schema := rapid.SampledFrom(schemas).Draw(rt, "schema")
			by := []string{"city"}
			if !partitioned {
				by = nil
			}
			w := write(t, store, "p", schema, by...)
			var rows []string
			for range rapid.IntRange(1, 6).Draw(rt, "rows") {
				id++
				row := fmt.Sprintf(`{"id":%d,"city":%s`, id, city.Draw(rt, "city"))
				if strings.Contains(schema, "x: double") {
					row += rapid.SampledFrom([]string{`,"x":1.5`, `,"x":null`, `,"x":-0.0`}).Draw(rt, "x")
				}
				if strings.Contains(schema, "tags") {
					row += rapid.SampledFrom([]string{`,"tags":[]`, `,"tags":null`, `,"tags":["a",null]`}).Draw(rt, "tags")
				}
				if strings.Contains(schema, "at:") {
					row += `,"at":"2024-02-29T12:00:00.123456Z"`
				}
				rows = append(rows, row+"}")
			}
			w.rows(rows...)
		}
		before, files := rowsOf(t, store), load(t, store).Files()
		done, err := optimize().Run(t.Context(), table(store))
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(before, rowsOf(t, store)); diff != "" {
			rt.Fatalf("-before +after\n%s", diff)
		}
		after, seen := load(t, store).Files(), map[string]bool{}
		for _, a := range after {
			key := "null"
			if v := a.PartitionValues["city"]; v != nil {
				key = *v
			}
			if seen[key] {
				rt.Errorf("partition %q has two files", key)
			}
			seen[key] = true
		}
		if int64(len(files)-len(after)) != done.FilesRemoved-done.FilesAdded {
			rt.Errorf("%d files became %d, it says %+v", len(files), len(after), done)
		}
	})
}

// TestOptimizeStats: the statistics of the new file are those of its rows, not of the files it was made of.
func TestOptimizeStats(t *testing.T) {
	store := mem.New()
	w := write(t, store, "p", "id: long!, city: string")
	w.rows(numbered(5, 7)...)
	w.rows(`{"id":-3,"city":null}`)
	if _, err := optimize().Run(t.Context(), table(store)); err != nil {
		t.Fatal(err)
	}
	files := load(t, store).Files()
	const want = `{"numRecords":3,"minValues":{"id":-3,"city":"city 0"},"maxValues":{"id":6,"city":"city 2"},"nullCount":{"id":0,"city":1}}`
	if len(files) != 1 || files[0].Stats != want {
		t.Errorf("%d files, stats %s", len(files), files[0].Stats)
	}
}

// TestIndexedColumns: statistics are of the columns that the table asks for, when rows are written and when they are
// put together.
func TestIndexedColumns(t *testing.T) {
	for property, c := range map[string]struct{ value, want string }{
		"delta.dataSkippingNumIndexedCols":  {"1", `{"numRecords":6,"minValues":{"id":0},"maxValues":{"id":5},"nullCount":{"id":0}}`},
		"delta.dataSkippingStatsColumns":    {"city", `{"numRecords":6,"minValues":{"city":"city 0"},"maxValues":{"city":"city 2"},"nullCount":{"city":0}}`},
		"delta.dataSkippingNumIndexedCols ": {"0", `{"numRecords":6,"minValues":{},"maxValues":{},"nullCount":{}}`},
	} {
		store := mem.New()
		write(t, store, "p", "id: long!, city: string") // makes the table
		entry := "_delta_log/00000000000000000000.json"
		data, err := store.Get(t.Context(), entry)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(data), `"configuration":{`, fmt.Sprintf(`"configuration":{%q:%q,`, strings.TrimSpace(property), c.value), 1)
		if err := store.Put(t.Context(), entry, []byte(changed)); err != nil {
			t.Fatal(err)
		}
		w := write(t, store, "p", "id: long!, city: string")
		w.rows(numbered(0, 6)...)
		if got := load(t, store).Files()[0].Stats; got != c.want {
			t.Errorf("%s = %s: %s", property, c.value, got)
		}
		w.rows(numbered(0, 6)...)
		if _, err := optimize().Run(t.Context(), table(store)); err != nil {
			t.Fatal(err)
		}
		if got, want := load(t, store).Files()[0].Stats, strings.Replace(c.want, `:6,`, `:12,`, 1); got != want {
			t.Errorf("%s = %s, put together: %s", property, c.value, got)
		}
	}
}

// TestOptimizeLeavesLargeFiles: a table in shape is left alone, and no commit is made.
func TestOptimizeLeavesLargeFiles(t *testing.T) {
	store := mem.New()
	w := write(t, store, "p", "id: long!, city: string")
	w.rows(numbered(0, 10)...)
	o := optimize()
	if done, err := o.Run(t.Context(), table(store)); err != nil || done.Commits != 0 || done.Version != 1 {
		t.Errorf("one file: %+v, %v", done, err)
	}
	w.rows(numbered(10, 20)...)
	o.TargetFile = 100 // both are larger
	if done, err := o.Run(t.Context(), table(store)); err != nil || done.Commits != 0 {
		t.Errorf("large files: %+v, %v", done, err)
	}
}

// TestOptimizeKilledAtEachCall: whatever becomes of any one call to the store, no row is lost or doubled; the
// next run finishes, and a vacuum takes what was left behind.
func TestOptimizeKilledAtEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := mem.New()
		w := write(t, base, "p", "id: long!, city: string", "city")
		for i := range 4 {
			w.rows(numbered(10*i, 10*i+10)...)
		}
		want := rowsOf(t, base)
		places := lake{}
		places.prepares(t, "p")
		calm := fault.New(base.Clone(), nil)
		if _, err := optimize().Run(t.Context(), table(calm)); err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= len(calm.Calls()); n++ {
			for _, kind := range []fault.Kind{fault.CrashBefore, fault.CrashAfter, fault.FailBefore, fault.FailAfter} {
				store := base.Clone()
				_, err := optimize().Run(t.Context(), table(fault.New(store, fault.At(n, fault.Fault{Kind: kind}))))
				if err != nil && !errors.Is(err, fault.ErrCrashed) && !errors.Is(err, fault.ErrInjected) {
					t.Errorf("call %v: %v", calm.Calls()[n-1], err)
				}
				if diff := cmp.Diff(want, rowsOf(t, store)); diff != "" {
					t.Fatalf("%d at %v: -want +got\n%s", kind, calm.Calls()[n-1], diff)
				}
				if _, err := optimize().Run(t.Context(), table(store)); err != nil {
					t.Fatal(err)
				}
				if files := load(t, store).Files(); len(files) != 3 {
					t.Errorf("%d at %v: %d files in the end", kind, calm.Calls()[n-1], len(files))
				}
				checkNothingLeft(t, store, places, want)
			}
		}
	})
}

// checkNothingLeft vacuums, long after, and looks whether just the table's files are left, and its rows.
func checkNothingLeft(t *testing.T, store *mem.Store, places lake, want []string) {
	t.Helper()
	v := vacuum(places)
	v.Retention, v.Unsafe = 1, true
	synctestSleep()
	if _, err := v.Run(t.Context(), table(store)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, rowsOf(t, store)); diff != "" {
		t.Fatalf("after vacuum: -want +got\n%s", diff)
	}
	if got := dataFiles(t, store); len(got) != len(load(t, store).Files()) {
		t.Errorf("left behind: %v", got)
	}
}

func dataFiles(t *testing.T, store blob.Store) []string {
	t.Helper()
	var names []string
	for info, err := range store.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(info.Name, "_delta_log/") {
			names = append(names, info.Name)
		}
	}
	return names
}

// TestOptimizeLosesToOthers: a group that another writer took first is left, its output deleted, and the rest
// is done.
func TestOptimizeLosesToOthers(t *testing.T) {
	store := mem.New()
	w := write(t, store, "p", "id: long!, city: string", "city")
	for i := range 3 {
		w.rows(numbered(3*i, 3*i+3)...)
	}
	want := rowsOf(t, store)
	raced := false
	racing := fault.New(store, func(c fault.Call) fault.Fault {
		if c.Op == "Writer.Close" && !raced {
			raced = true
			if _, err := optimize().Run(t.Context(), table(store)); err != nil {
				t.Error(err)
			}
		}
		return fault.Fault{}
	})
	done, err := optimize().Run(t.Context(), table(racing))
	if err != nil || done.Commits != 0 || done.Conflicts != 3 {
		t.Errorf("%+v, %v", done, err)
	}
	if diff := cmp.Diff(want, rowsOf(t, store)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if files, log := dataFiles(t, store), load(t, store).Files(); len(files) != 9+len(log) {
		t.Errorf("%d files are there, 9 old ones and %d in the log: the loser's were not deleted", len(files), len(log))
	}
}

// TestOptimizeRefuses: a file that is not what the log says, and a table that can't be written.
func TestOptimizeRefuses(t *testing.T) {
	store := mem.New()
	w := write(t, store, "p", "id: long!")
	w.rows(`{"id":1}`)
	w.rows(`{"id":2}`, `{"id":3}`)
	files := load(t, store).Files()
	first, _ := files[0].Name()
	second, _ := files[1].Name()
	data, err := store.Get(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), first, data); err != nil {
		t.Fatal(err)
	}
	if _, err := optimize().Run(t.Context(), table(store)); err == nil || !strings.Contains(err.Error(), "has 2 rows, the log says 1") {
		t.Errorf("got %v", err)
	}
	if _, err := optimize().Run(t.Context(), table(mem.New())); !errors.Is(err, delta.ErrNotTable) {
		t.Errorf("got %v", err)
	}
}

// TestTiered: of a table that gets a small file again and again, few are small at any time, and a byte is
// written again a few times only.
func TestTiered(t *testing.T) {
	store := mem.New()
	w := write(t, store, "p", "id: long!, city: string")
	o := optimize()
	o.Tiered = true
	var written, rewritten int64
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 300 {
		var rows []string
		for id := range 100 {
			rows = append(rows, fmt.Sprintf(`{"id":%d,"city":"%x%x"}`, 100*i+id, random.Uint64(), random.Uint64()))
		}
		p := w.seal(rows...)
		w.commit(p)
		written += p.Files[0].Size
		done, err := o.Run(t.Context(), table(store))
		if err != nil {
			t.Fatal(err)
		}
		rewritten += done.BytesAdded
		if n := len(load(t, store).Files()); int64(n) > 8+2*written/target {
			t.Fatalf("%d files after %d epochs", n, i+1)
		}
	}
	if rewritten > 5*written {
		t.Errorf("%d bytes were written, and %d again", written, rewritten)
	}
	t.Logf("%d bytes were written, and %d again", written, rewritten)
	if rows := rowsOf(t, store); len(rows) != 30000 || len(slices.Compact(rows)) != 30000 {
		t.Errorf("%d rows", len(rows))
	}
}
