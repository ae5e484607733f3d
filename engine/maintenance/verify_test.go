package maintenance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/maintenance"
)

// proven is a table with partitions, of three epochs whose ledgers say how many rows there are, optimized once.
func proven(t *testing.T) *mem.Store {
	t.Helper()
	store := mem.New()
	w := write(t, store, "p", "id: long!, city: string, at: timestamp, x: double, tags: array<string>", "city")
	n := 0
	for epoch := range 3 {
		var rows []string
		for range 4 {
			rows = append(rows, fmt.Sprintf(`{"id":%d,"city":"city %d","at":"2024-01-01T00:%02d:00.000001Z","x":%d.5,"tags":["%d",null]}`, n, n%2, n, -n, n))
			n++
		}
		p := w.seal(append(rows, fmt.Sprintf(`{"id":%d,"city":null,"at":null,"x":null,"tags":null}`, n))...)
		n++
		if _, err := w.table.Commit(t.Context(), p, engine.CommitInfo{Pipeline: "p", Epoch: p.Epoch, Ledger: engine.Count{In: int64(n), Out: int64(n)}}); err != nil {
			t.Fatal(err)
		}
		w.prev = p.Epoch
		if epoch == 1 {
			if _, err := optimize().Run(t.Context(), table(store)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return store
}

func verify(store *mem.Store) (maintenance.Verified, error) {
	return maintenance.Verify(context.Background(), table(store))
}

// TestVerify: a table that is what it says is proved to be.
func TestVerify(t *testing.T) {
	v, err := verify(proven(t))
	if err != nil {
		t.Fatal(err)
	}
	if v.Rows != 15 || v.Ledger == nil || *v.Ledger != 15 || v.Epochs != 3 || v.Files != 6 || len(v.Others) != 0 || len(v.Unprovable) != 0 {
		t.Errorf("%+v", v)
	}
}

// TestVerifyFinds: each thing that is not so is found, and named.
func TestVerifyFinds(t *testing.T) {
	firstFile := func(t *testing.T, s *mem.Store) string { return dataFiles(t, s)[0] }
	live := func(t *testing.T, s *mem.Store) string {
		name, err := load(t, s).Files()[0].Name()
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s *mem.Store)
		want  string
	}{
		"a gap": {func(t *testing.T, s *mem.Store) {
			if _, err := maintenance.Checkpoint(t.Context(), table(s)); err != nil { // so that it can be read
				t.Fatal(err)
			}
			del(t, s, entry(2))
		}, "version 2 is missing from the log, which goes from 0 to"},
		"a file that is gone":    {func(t *testing.T, s *mem.Store) { del(t, s, live(t, s)) }, "is gone"},
		"a file that was cut":    {func(t *testing.T, s *mem.Store) { put(t, s, live(t, s), "PAR1") }, "has 4 bytes, the log says"},
		"rows that are not true": {func(t *testing.T, s *mem.Store) { edit(t, s, `\"numRecords\":2`, `\"numRecords\":3`) }, "rows, the log says 3"},
		"a least that is not":    {func(t *testing.T, s *mem.Store) { edit(t, s, `\"minValues\":{\"id\":10`, `\"minValues\":{\"id\":11`) }, "has 10 in column id, the log says that the least is 11"},
		"a greatest that is not": {func(t *testing.T, s *mem.Store) { edit(t, s, `\"maxValues\":{\"id\":13`, `\"maxValues\":{\"id\":12`) }, "has 13 in column id, the log says that the greatest is 12"},
		"a time that is not":     {func(t *testing.T, s *mem.Store) { edit(t, s, `T00:13:00`, `T00:12:59`) }, `has "2024-01-01T00:13:00.000001Z" in column at, the log says that the greatest is`},
		"nulls that are not": {func(t *testing.T, s *mem.Store) {
			edit(t, s, `\"nullCount\":{\"id\":0,\"at\":0`, `\"nullCount\":{\"id\":0,\"at\":1`)
		}, "has 0 nulls in column at, the log says 1"},
		"a chain that is broken": {func(t *testing.T, s *mem.Store) { edit(t, s, `"prevEpochId":"1"`, `"prevEpochId":"0"`) }, "is epoch 2 of millrace/p/line/t and was made to follow epoch 0; the log has epoch 1 before it"},
		"rows that are lost":     {func(t *testing.T, s *mem.Store) { edit(t, s, `\"out\":15`, `\"out\":16`) }, "it has 15 rows, and its pipelines have written 16"},
		"a file twice": {func(t *testing.T, s *mem.Store) {
			a := *load(t, s).Files()[0]
			a.Path = strings.Replace(a.Path, "=", "%3D", 1)
			put(t, s, entry(7), `{"commitInfo":{"operation":"COPY"}}`+"\n"+fmt.Sprintf(`{"add":{"path":%q,"size":%d,"partitionValues":{"city":"city 0"},"dataChange":true}}`, "./"+a.Path, a.Size)+"\n")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := proven(t)
			_ = firstFile
			c.spoil(t, s)
			v, err := verify(s)
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%+v, %v", v, err)
			}
			if c.want == "" && err == nil {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestVerifyFindsInTypes: statistics of columns with digits and parts are compared as well.
func TestVerifyFindsInTypes(t *testing.T) {
	const schema = "id: long!, b: byte, price: decimal(10,2), at: timestamp_ntz, who: struct<name: string, at: struct<n: short>>"
	typed := func(t *testing.T) *mem.Store {
		s := mem.New()
		write(t, s, "p", schema).rows(
			`{"id":1,"b":-3,"price":-1.50,"at":"2026-01-02T03:04:05.000001","who":{"name":"a","at":{"n":7}}}`,
			`{"id":2,"b":5,"price":100.00,"who":{"name":null,"at":{"n":9}}}`, `{"id":3,"who":{"name":"c"}}`, `{"id":4}`)
		return s
	}
	if v, err := verify(typed(t)); err != nil {
		t.Fatalf("%+v, %v", v, err)
	}
	for from, to := range map[string]struct{ text, want string }{
		`\"b\":-3`:       {`\"b\":-2`, "has -3 in column b, the log says that the least is -2"},
		`\"price\":-1.5`: {`\"price\":-1.4`, "has -1.50 in column price, the log says that the least is -1.4"},
		`\"price\":100`:  {`\"price\":99`, "has 100.00 in column price, the log says that the greatest is 99"},
		`03:04:05.000`:   {`03:04:06.000`, `has "2026-01-02T03:04:05.000001" in column at, the log says that the least is`},
		`\"n\":7`:        {`\"n\":8`, "has 7 in column who.at.n, the log says that the least is 8"},
		`\"name\":\"c\"`: {`\"name\":\"b\"`, `has "c" in column who.name, the log says that the greatest is "b"`},
		`{\"name\":2,`:   {`{\"name\":1,`, "has 2 nulls in column who.name, the log says 1"},
		`{\"n\":2}}`:     {`{\"n\":3}}`, "has 2 nulls in column who.at.n, the log says 3"},
	} {
		s := typed(t)
		edit(t, s, from, to.text)
		if v, err := verify(s); err == nil || !strings.Contains(err.Error(), to.want) {
			t.Errorf("%s for %s: %+v, %v", to.text, from, v, err)
		}
	}
}

func entry(version int) string { return fmt.Sprintf("_delta_log/%020d.json", version) }

func del(t *testing.T, s *mem.Store, name string) {
	t.Helper()
	if err := s.Delete(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *mem.Store, name, data string) {
	t.Helper()
	if err := s.Put(t.Context(), name, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// edit changes a text in the newest entry of the log.
func edit(t *testing.T, s *mem.Store, from, to string) {
	t.Helper()
	v := load(t, s).Version()
	data, err := s.Get(t.Context(), entry(int(v)))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), from, to, 1)
	if changed == string(data) {
		t.Fatalf("no %s in\n%s", from, data)
	}
	put(t, s, entry(int(v)), changed)
}

// TestVerifyNamesOthers: who changed rows besides the pipelines is named, and the ledger not compared.
func TestVerifyNamesOthers(t *testing.T) {
	s := proven(t)
	a := load(t, s).Files()[0]
	put(t, s, entry(int(load(t, s).Version())+1), `{"commitInfo":{"operation":"DELETE","engineInfo":"Spark"}}`+"\n"+fmt.Sprintf(`{"remove":{"path":%q,"dataChange":true}}`, a.Path)+"\n")
	v, err := verify(s)
	if err != nil || v.Ledger != nil || len(v.Others) != 1 || !strings.Contains(v.Others[0], "DELETE by Spark") || len(v.Unprovable) != 1 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestVerifyDuplicates: by the span that the table names; what the table does not hold is not proved.
func TestVerifyDuplicates(t *testing.T) {
	row := func(id int, at string) string { return fmt.Sprintf(`{"id":%d,"at":"2024-01-01T%sZ"}`, id, at) }
	for name, c := range map[string]struct {
		dedupe     string
		rows       []string
		duplicates bool
		unproved   string
	}{
		"none":           {`{"by":["id"],"at":"at","within_us":60000000}`, []string{row(1, "00:00:00"), row(1, "00:01:00.000001"), row(2, "00:00:00")}, false, ""},
		"within":         {`{"by":["id"],"at":"at","within_us":60000000}`, []string{row(1, "00:01:00"), row(2, "00:00:00"), row(1, "00:00:00")}, true, ""},
		"no event time":  {`{"by":["id"],"within_us":60000000}`, []string{row(1, "00:00:00"), row(1, "00:00:00")}, false, "the event time of the rows is not in the table"},
		"another column": {`{"by":["key"],"at":"at","within_us":60000000}`, []string{row(1, "00:00:00")}, false, "the table has no column key"},
	} {
		store := mem.New()
		w := writeDeduped(t, store, "id: long!, at: timestamp!", c.dedupe)
		w.rows(c.rows...)
		v, err := verify(store)
		if c.duplicates != errors.Is(err, maintenance.ErrUntrue) || !c.duplicates && err != nil {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if found := slices.ContainsFunc(v.Unprovable, func(u string) bool { return strings.Contains(u, c.unproved) && c.unproved != "" }); found != (c.unproved != "") {
			t.Errorf("%s: %v", name, v.Unprovable)
		}
	}
}

// TestDedupeProperty: it says what holds of all rows: the shorter span when the span is changed, nothing when the key
// is, or when rows came before that nobody deduped.
func TestDedupeProperty(t *testing.T) {
	hour, minute, other := `{"by":["id"],"at":"at","within_us":3600000000}`, `{"by":["id"],"at":"at","within_us":60000000}`, `{"by":["at"],"at":"at","within_us":60000000}`
	for name, c := range map[string]struct{ first, second, want string }{
		"the same": {hour, hour, hour}, "shorter": {hour, minute, minute}, "longer": {minute, hour, minute}, "another key": {hour, other, ""}, "none any more": {hour, "", ""}, "none before": {"", hour, ""},
	} {
		store := mem.New()
		writeDeduped(t, store, "id: long!, at: timestamp!", c.first).rows(`{"id":1,"at":"2024-01-01T00:00:00Z"}`)
		writeDeduped(t, store, "id: long!, at: timestamp!", c.second).rows(`{"id":2,"at":"2024-01-01T00:00:00Z"}`)
		if got := load(t, store).Metadata().Configuration[delta.DedupeKey]; got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
