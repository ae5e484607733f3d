package delta

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/blob/mem"
)

const tableSchema = `{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}},{"name":"city","type":"string","nullable":true,"metadata":{}}]}`

// logOf puts entries, each made of actions, behind a first one that makes the table.
func logOf(t interface{ Fatal(...any) }, store *mem.Store, entries ...[]action) {
	first := []action{
		{Protocol: &Protocol{MinReader: 1, MinWriter: 2}},
		{Metadata: &Metadata{ID: "t", Name: "cities", Format: Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: tableSchema, PartitionBy: []string{"city"}, Configuration: map[string]string{"a": "b"}, CreatedMillis: 7}},
	}
	for v, actions := range append([][]action{first}, entries...) {
		var b bytes.Buffer
		for _, a := range actions {
			b.Write(append(line(a), '\n'))
		}
		if err := store.Put(noContext, entryName(int64(v)), b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
}

func loaded(t interface{ Fatal(...any) }, store *mem.Store, version int64) *Snapshot {
	s, err := Load(noContext, store, version)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// seen is what a snapshot says of a table, in a form to compare.
func seen(s *Snapshot) string {
	var b strings.Builder
	b.WriteString(describe(s))
	for _, a := range s.Files() {
		fmt.Fprintf(&b, "%s\n", line(action{Add: settled(a)}))
	}
	for _, d := range s.state.files.tombstones() {
		fmt.Fprintf(&b, "%s\n", line(action{Remove: &Remove{Path: d.Path, DeletedMillis: d.DeletedMillis, Extended: d.Extended, PartitionValues: d.PartitionValues, Size: d.Size}}))
	}
	fmt.Fprintf(&b, "%s\n", line(action{Metadata: s.Metadata()}))
	return b.String()
}

// settled is the add as a checkpoint has it.
func settled(a *Add) *Add {
	c := *a
	c.DataChange = false
	if len(c.Tags) == 0 {
		c.Tags = nil
	}
	return &c
}

// aLog draws entries of adds, removes and txns, whose tombstones never expire.
func aLog(t *rapid.T) [][]action {
	value := rapid.OneOf(rapid.Just[*string](nil), rapid.Map(rapid.StringMatching(`[a-z%"é ]{0,5}`), func(s string) *string { return &s }))
	path := rapid.Map(rapid.IntRange(0, 20), func(i int) string { return fmt.Sprintf("city=%%25%d/f.parquet", i) })
	one := rapid.Custom(func(t *rapid.T) action {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return action{Txn: &Txn{AppID: rapid.StringMatching(`[a-c]`).Draw(t, "app"), Version: rapid.Int64().Draw(t, "version"), UpdatedMillis: rapid.Int64Range(0, 9).Draw(t, "updated")}}
		case 1:
			r := &Remove{Path: path.Draw(t, "path"), DeletedMillis: 1 << 50, DataChange: true}
			if r.Extended = rapid.Bool().Draw(t, "extended"); r.Extended {
				r.PartitionValues, r.Size = map[string]*string{"city": value.Draw(t, "city")}, rapid.Int64Range(1, 1<<40).Draw(t, "size")
			}
			return action{Remove: r}
		default:
			return action{Add: &Add{
				Path: path.Draw(t, "path"), PartitionValues: map[string]*string{"city": value.Draw(t, "city")}, Size: rapid.Int64().Draw(t, "size"),
				ModifiedMillis: rapid.Int64().Draw(t, "modified"), DataChange: true, Stats: rapid.SampledFrom([]string{"", `{"numRecords":5}`}).Draw(t, "stats"),
				Tags: rapid.SampledFrom([]map[string]*string{nil, {"k": new("v"), "n": nil}}).Draw(t, "tags"),
			}}
		}
	})
	return rapid.SliceOfN(rapid.SliceOfN(one, 0, 6), 1, 12).Draw(t, "log")
}

// TestCheckpointStandsForTheLog: what a checkpoint holds, and entries after it add, is what all entries add
// up to, for a reader and for a writer, which keeps no files.
func TestCheckpointStandsForTheLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store := mem.New()
		log := aLog(t)
		logOf(t, store, log...)
		want := loaded(t, store, Latest)
		at := rapid.Int64Range(0, int64(len(log))).Draw(t, "checkpoint")
		if err := loaded(t, store, at).WriteCheckpoint(noContext); err != nil {
			t.Fatal(err)
		}
		for v := range at {
			_ = store.Delete(noContext, entryName(v))
		}
		got := loaded(t, store, Latest)
		if diff := cmp.Diff(strings.Split(seen(want), "\n"), strings.Split(seen(got), "\n")); diff != "" {
			t.Fatalf("-log +checkpoint of %d\n%s", at, diff)
		}
		light := newState(false)
		if err := light.advance(noContext, store, Latest); err != nil {
			t.Fatal(err)
		}
		if len(light.txns) != len(want.Txns()) || light.metadata.ID != "t" || light.protocol.MinWriter != 2 {
			t.Fatalf("a writer sees %+v", light)
		}
	})
}

func added(path string) action {
	return action{Add: &Add{Path: path, PartitionValues: map[string]*string{"city": nil}, Size: 1}}
}

// smallTable has a file of each version's name, up to version 5, and checkpoints of versions 2 and 4.
func smallTable(t *testing.T) *mem.Store {
	store := mem.New()
	logOf(t, store, []action{added("1")}, []action{added("2")}, []action{added("3")}, []action{added("4")}, []action{added("5")})
	for _, v := range []int64{2, 4} {
		if err := loaded(t, store, v).WriteCheckpoint(noContext); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func names(s *Snapshot) string {
	var all []string
	for _, a := range s.Files() {
		all = append(all, a.Path)
	}
	return strings.Join(all, "")
}

// TestCheckpointsThatCanNotBeUsed: readers go on with an older checkpoint or with the entries, whatever the
// hint says; where that is impossible the error names what is broken.
func TestCheckpointsThatCanNotBeUsed(t *testing.T) {
	const c2, c4 = "_delta_log/00000000000000000002.checkpoint.parquet", "_delta_log/00000000000000000004.checkpoint.parquet"
	for name, c := range map[string]struct {
		change func(t *testing.T, s *mem.Store)
		err    string
	}{
		"as it is":               {func(*testing.T, *mem.Store) {}, ""},
		"no hint":                {func(t *testing.T, s *mem.Store) { remove(t, s, hintName) }, ""},
		"hint to an older":       {func(t *testing.T, s *mem.Store) { put(t, s, hintName, string(hint{Version: 2}.encode())) }, ""},
		"hint to none":           {func(t *testing.T, s *mem.Store) { put(t, s, hintName, string(hint{Version: 3}.encode())) }, ""},
		"hint beyond the log":    {func(t *testing.T, s *mem.Store) { put(t, s, hintName, string(hint{Version: 40}.encode())) }, ""},
		"hint broken":            {func(t *testing.T, s *mem.Store) { put(t, s, hintName, `{"version":4,"checksum":"x"}`) }, ""},
		"newest broken":          {func(t *testing.T, s *mem.Store) { put(t, s, c4, "PAR1") }, ""},
		"newest cut":             {func(t *testing.T, s *mem.Store) { cut(t, s, c4) }, ""},
		"both broken":            {func(t *testing.T, s *mem.Store) { put(t, s, c4, "PAR1"); put(t, s, c2, "") }, ""},
		"of another table":       {func(t *testing.T, s *mem.Store) { put(t, s, c4, notACheckpoint(t)) }, ""},
		"newest gone":            {func(t *testing.T, s *mem.Store) { remove(t, s, c4) }, ""},
		"no entries before":      {func(t *testing.T, s *mem.Store) { remove(t, s, entryName(0), entryName(1), entryName(3)) }, ""},
		"none, entries gone too": {func(t *testing.T, s *mem.Store) { remove(t, s, entryName(0), c2, c4, hintName) }, "the log begins at version 1, and no checkpoint has what came before"},
		"broken, entries gone too": {func(t *testing.T, s *mem.Store) { remove(t, s, entryName(0), entryName(1), c2); put(t, s, c4, "x") },
			"version 5 needs a checkpoint, older entries of the log are gone: checkpoint " + c4 + ": the checkpoint is broken"},
		"gap after it": {func(t *testing.T, s *mem.Store) { remove(t, s, entryName(0), entryName(3)); put(t, s, c4, "x") }, "version 3 is missing from the log, which goes up to version 5"},
		"v2 only": {func(t *testing.T, s *mem.Store) {
			remove(t, s, entryName(0), c2, c4, hintName)
			put(t, s, "_delta_log/00000000000000000004.checkpoint.8f0d.json", "{}")
		}, "00000000000000000004.checkpoint.8f0d.json is of table feature v2Checkpoint: not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			store := smallTable(t)
			c.change(t, store)
			s, err := Load(t.Context(), store, Latest)
			switch {
			case c.err == "" && (err != nil || s.Version() != 5 || names(s) != "12345"):
				t.Errorf("got %v, %v", s, err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("got %v, want %s", err, c.err)
			}
		})
	}
}

func remove(t *testing.T, s *mem.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := s.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}

func cut(t *testing.T, s *mem.Store, name string) {
	t.Helper()
	data, err := s.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, name, string(data[:len(data)-20]))
}

// notACheckpoint is a Parquet file with other columns.
func notACheckpoint(t *testing.T) string {
	type row struct{ ID int64 }
	return parquetOf(t, []row{{1}, {2}})
}

func parquetOf[T any](t *testing.T, rows []T) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestOldVersions: a version is read from the checkpoint before it; one that is gone names what is there.
func TestOldVersions(t *testing.T) {
	store := smallTable(t)
	remove(t, store, entryName(0), entryName(1))
	for version, want := range map[int64]string{2: "12", 3: "123", 4: "1234", 5: "12345"} {
		if got := names(loaded(t, store, version)); got != want {
			t.Errorf("version %d: files %s", version, got)
		}
	}
	for version, want := range map[int64]string{
		1: "version 1 is gone: the oldest that can be read is 2, that of the oldest checkpoint", 6: "there is no version 6, the newest is 5",
	} {
		if _, err := Load(t.Context(), store, version); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// TestMultipartCheckpoint: one of several files, as old writers made them, is read when all are there.
func TestMultipartCheckpoint(t *testing.T) {
	store := smallTable(t)
	var rows []checkpointRow
	err := loaded(t, store, 4).state.eachRow(someTime, func(r checkpointRow) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	remove(t, store, entryName(0), entryName(1), checkpointName(2), checkpointName(4))
	put(t, store, "_delta_log/00000000000000000004.checkpoint.0000000001.0000000003.parquet", "of another attempt")
	put(t, store, "_delta_log/00000000000000000004.checkpoint.0000000001.0000000002.parquet", parquetOf(t, rows[:3]))
	if s, err := Load(t.Context(), store, Latest); err == nil {
		t.Errorf("without its second part: %s", describe(s))
	}
	put(t, store, "_delta_log/00000000000000000004.checkpoint.0000000002.0000000002.parquet", parquetOf(t, rows[3:]))
	if got := names(loaded(t, store, Latest)); got != "12345" {
		t.Errorf("files %s", got)
	}
}

// TestAdvanceOverACleanedLog: a snapshot whose entries are gone meanwhile begins anew.
func TestAdvanceOverACleanedLog(t *testing.T) {
	store := smallTable(t)
	s := loaded(t, store, 1)
	remove(t, store, entryName(0), entryName(1), entryName(2))
	if err := s.Advance(t.Context()); err != nil || s.Version() != 5 || names(s) != "12345" {
		t.Errorf("version %d with files %s: %v", s.Version(), names(s), err)
	}
}

// FuzzCheckpoint: no bytes of a checkpoint make the reader panic.
func FuzzCheckpoint(f *testing.F) {
	store := mem.New()
	logOf(f, store, []action{added("1"), {Txn: &Txn{AppID: "x", Version: 1}}})
	s, err := Load(noContext, store, Latest)
	if err != nil {
		f.Fatal(err)
	}
	if err := s.WriteCheckpoint(noContext); err != nil {
		f.Fatal(err)
	}
	data, err := store.Get(noContext, checkpointName(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		store := mem.New()
		if err := store.Put(t.Context(), checkpointName(1), data); err != nil {
			t.Fatal(err)
		}
		for _, files := range []bool{true, false} {
			_ = newState(files).readCheckpoint(t.Context(), store, logCheckpoint{1, []string{checkpointName(1)}})
		}
	})
}
