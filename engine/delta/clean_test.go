package delta

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/blob/mem"
)

// logObjects lists the log by short names: "3", "2.checkpoint", "_last_checkpoint".
func logObjects(t *testing.T, store *mem.Store) string {
	var all []string
	for info, err := range store.List(t.Context(), logPrefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimLeft(strings.TrimPrefix(info.Name, logPrefix), "0")
		all = append(all, strings.TrimSuffix(strings.TrimSuffix(name, ".parquet"), "json"))
	}
	return strings.Join(all, " ")
}

// daily makes a table with a commit a day, version 0 on the first, and a checkpoint of each second one.
func daily(t *testing.T, store *mem.Store, days int, configuration map[string]string) {
	for v := range days {
		actions := []action{added(string(rune('a' + v)))}
		if v == 0 {
			actions = []action{{Protocol: &Protocol{MinReader: 1, MinWriter: 2}}, {Metadata: &Metadata{ID: "t", SchemaString: tableSchema, PartitionBy: []string{"city"}, Configuration: configuration}}}
		}
		var data []byte
		for _, a := range actions {
			data = append(append(data, line(a)...), '\n')
		}
		put(t, store, entryName(int64(v)), string(data))
		if v > 0 && v%2 == 0 {
			if err := loaded(t, store, Latest).WriteCheckpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(day)
	}
}

// TestCleanLog: with a retention of 4 days, at the end of day 7 all before the checkpoint of day 2, the
// newest that is old enough at midnight, is deleted; it and all after it stay readable.
func TestCleanLog(t *testing.T) {
	for name, c := range map[string]struct {
		configuration map[string]string
		want          string
	}{
		"4 days":     {map[string]string{"delta.logRetentionDuration": "interval 4 days"}, "2.checkpoint 2. 3. 4.checkpoint 4. 5. 6.checkpoint 6. _last_checkpoint"},
		"2 days":     {map[string]string{"delta.logRetentionDuration": "interval 2 days"}, "4.checkpoint 4. 5. 6.checkpoint 6. _last_checkpoint"},
		"30 days":    {nil, ". 1. 2.checkpoint 2. 3. 4.checkpoint 4. 5. 6.checkpoint 6. _last_checkpoint"},
		"turned off": {map[string]string{"delta.logRetentionDuration": "interval 1 day", "delta.enableExpiredLogCleanup": "false"}, ". 1. 2.checkpoint 2. 3. 4.checkpoint 4. 5. 6.checkpoint 6. _last_checkpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := mem.New()
				daily(t, store, 7, c.configuration)
				time.Sleep(23 * time.Hour)
				s := loaded(t, store, Latest)
				if _, err := s.CleanLog(t.Context()); err != nil {
					t.Fatal(err)
				}
				got := logObjects(t, store)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("-want +got\n%s", diff)
				}
				if again := loaded(t, store, Latest); seen(again) != seen(s) {
					t.Errorf("the table is another now:\n%s", seen(again))
				}
			})
		})
	}
}

func TestCleanLogKeepsWhatIsNotItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New()
		daily(t, store, 5, map[string]string{"delta.logRetentionDuration": "interval 0 days"})
		for _, name := range []string{"00000000000000000001.crc", "00000000000000000000.00000000000000000001.compacted.json", "00000000000000000001.00000000000000000003.compacted.json",
			"00000000000000000099.crc", "notes.txt", "_commits/00000000000000000001.x.json", ".00000000000000000001.json.crc"} {
			put(t, store, logPrefix+name, "x")
		}
		if _, err := loaded(t, store, Latest).CleanLog(t.Context()); err != nil {
			t.Fatal(err)
		}
		const want = ".00000000000000000001.json.crc 4.checkpoint 4. 99.crc _commits/00000000000000000001.x. _last_checkpoint notes.txt"
		if got := logObjects(t, store); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// TestCheckpointForgetsWhatHasExpired: tombstones after delta.deletedFileRetentionDuration, txns after
// delta.setTransactionRetentionDuration, neither before.
func TestCheckpointForgetsWhatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UnixMilli()
		old := now - 2*day.Milliseconds()
		store := mem.New()
		logOf(t, store, []action{
			{Metadata: &Metadata{ID: "t", SchemaString: tableSchema, PartitionBy: []string{"city"}, Configuration: map[string]string{
				"delta.deletedFileRetentionDuration": "interval 1 day", "delta.setTransactionRetentionDuration": "interval 1 day",
			}}},
			{Remove: &Remove{Path: "old", DeletedMillis: old}}, {Remove: &Remove{Path: "new", DeletedMillis: now}},
			{Txn: &Txn{AppID: "old", Version: 1, UpdatedMillis: old}}, {Txn: &Txn{AppID: "new", Version: 1, UpdatedMillis: now}}, {Txn: &Txn{AppID: "undated", Version: 1}},
		})
		if err := loaded(t, store, Latest).WriteCheckpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		remove(t, store, entryName(0))
		s := loaded(t, store, Latest)
		var gone []string
		for _, d := range s.state.files.tombstones() {
			gone = append(gone, d.Path)
		}
		var apps []string
		for _, x := range s.Txns() {
			apps = append(apps, x.AppID)
		}
		if strings.Join(gone, " ") != "new" || len(apps) != 2 {
			t.Errorf("tombstones of %v, txns of %v", gone, apps)
		}
	})
}

// TestVersionAt: the version that was the newest at a time, by what commits say of themselves.
func TestVersionAt(t *testing.T) {
	store := mem.New()
	info := func(millis int64) action { return action{Info: jsonOf(CommitInfo{Millis: millis})} }
	logOf(t, store, []action{info(2000)}, []action{info(3000)}, []action{info(4000)})
	put(t, store, entryName(0), string(line(info(1000)))+"\n"+strings.Join(linesOf(t, store, 0), "\n")+"\n")
	for millis, want := range map[int64]int64{1000: 0, 1999: 0, 2000: 1, 3500: 2, 4000: 3, 99999999: 3} {
		if got, err := VersionAt(t.Context(), store, time.UnixMilli(millis)); err != nil || got != want {
			t.Errorf("at %d: version %d, %v, want %d", millis, got, err, want)
		}
	}
	const want = "has no version as old as 1970-01-01T00:00:00Z: the oldest that can be read, version 0, is younger"
	if _, err := VersionAt(t.Context(), store, time.UnixMilli(999)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("before all: %v", err)
	}
	if err := loaded(t, store, 2).WriteCheckpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	remove(t, store, entryName(0))
	if got, err := VersionAt(t.Context(), store, time.UnixMilli(2500)); err == nil {
		t.Errorf("version %d can't be read any more", got)
	}
	if got, err := VersionAt(t.Context(), store, time.UnixMilli(3000)); err != nil || got != 2 {
		t.Errorf("version %d, %v", got, err)
	}
}

func linesOf(t *testing.T, store *mem.Store, version int64) []string {
	data, err := store.Get(t.Context(), entryName(version))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

func TestProperties(t *testing.T) {
	m := Metadata{Configuration: map[string]string{
		"delta.appendOnly": "TRUE", "delta.checkpointInterval": "25", "delta.logRetentionDuration": "interval 2 weeks 1 day", "delta.enableExpiredLogCleanup": "false",
		"delta.deletedFileRetentionDuration": "36 hours", "delta.setTransactionRetentionDuration": "interval 1 hour", "delta.dataSkippingNumIndexedCols": "-1",
		"delta.dataSkippingStatsColumns": "id, `a,b`, c.d", "other": "x",
	}}
	got, err := m.Properties()
	want := Properties{
		AppendOnly: true, CheckpointInterval: 25, LogRetention: 15 * day, FileRetention: 36 * time.Hour, TxnRetention: time.Hour, IndexedColumns: -1,
		StatsColumns: []string{"id", "a,b", "c.d"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got\n%s", err, diff)
	}
	m.Configuration = map[string]string{"delta.appendOnly": "yes", "delta.checkpointInterval": "0", "delta.logRetentionDuration": "interval 1 month"}
	const wrong = `property delta.appendOnly = "yes": expected true or false
property delta.logRetentionDuration = "interval 1 month": expected an interval such as interval 30 days, in weeks, days, hours, minutes or seconds, below 100 years
property delta.checkpointInterval = "0": expected a whole number from 1 on`
	if _, err := m.Properties(); err == nil || err.Error() != wrong {
		t.Errorf("got %v", err)
	}
}
