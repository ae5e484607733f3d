package dedupe

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

func bind(t testing.TB, within time.Duration) *dedupe {
	op, _, err := Config{By: []string{"id"}, Within: within}.Bind(optest.Schema("id: string"))
	if err != nil {
		t.Fatal(err)
	}
	return op.(*dedupe)
}

// key is the n-th key of slot 5.
func key(n int) column.Key {
	return column.Key{Hi: 5<<56 | uint64(n), Lo: uint64(n) * 0x9e3779b97f4a7c15}
}

func save(t testing.TB, d *dedupe) (data []byte, whole bool) {
	var b bytes.Buffer
	whole, err := d.Save(5, &b)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), whole
}

func size(entries int) int { return headerBytes + entries*entryBytes }

// wholeSize is that of slot 5 as it is now.
func wholeSize(d *dedupe, entries int) int {
	return tableBytes + len(d.slots[5].buckets) + entries*entryBytes
}

// TestSaveCostsWhatChanged: a section has what was kept since the last, until whole is cheaper.
func TestSaveCostsWhatChanged(t *testing.T) {
	d := bind(t, time.Hour)
	next := 0
	for _, c := range []struct {
		keep  int
		size  int
		whole bool
	}{
		{0, 0, false},
		{100, tableBytes + 18 + 100*entryBytes, true}, // in 18 buckets
		{0, 0, false},
		{10, size(10), false},
		{90, size(90), false},
		{0, 0, false},
		{1, tableBytes + 41 + 201*entryBytes, true}, // the deltas have outgrown the 100 they stand on
		{1, size(1), false},
	} {
		for range c.keep {
			d.keep(key(next), engine.Time(next), engine.MinTime)
			next++
		}
		data, whole := save(t, d)
		if len(data) != c.size || whole != c.whole {
			t.Errorf("with %d keys: saved %d bytes, whole %v, expected %d, %v", next, len(data), whole, c.size, c.whole)
		}
	}
}

// TestSaveBoundsTheChain: now and then a slot is written whole though little of it changed.
func TestSaveBoundsTheChain(t *testing.T) {
	d := bind(t, time.Hour)
	for n := range 1000 {
		d.keep(key(n), 0, engine.MinTime)
	}
	save(t, d)
	deltas := 0
	for n := 1000; ; n++ {
		d.keep(key(n), 0, engine.MinTime)
		if _, whole := save(t, d); whole {
			break
		}
		deltas++
	}
	if deltas != maxDeltas(5) {
		t.Errorf("slot 5 was written whole after %d deltas, expected %d", deltas, maxDeltas(5))
	}
}

// TestSaveForgets: what no row can see any more goes from memory and from what is saved.
func TestSaveForgets(t *testing.T) {
	d := bind(t, time.Hour)
	for n := range 1000 {
		d.keep(key(n), engine.Time(n), engine.MinTime)
	}
	save(t, d)
	d.floor = 900
	d.keep(key(1000), 1000, engine.MinTime)
	if data, whole := save(t, d); len(data) != wholeSize(d, 101) || !whole {
		t.Errorf("saved %d bytes, whole %v, expected %d, true", len(data), whole, wholeSize(d, 101))
	}
	d.floor = 5000
	if data, whole := save(t, d); len(data) != tableBytes || !whole {
		t.Errorf("after the last entry saved %d bytes, whole %v, expected %d, true", len(data), whole, tableBytes)
	}
	if s := &d.slots[5]; len(s.buckets) != 0 {
		t.Errorf("an empty slot holds %d buckets", len(s.buckets))
	}
	if data, whole := save(t, d); len(data) != 0 || whole {
		t.Errorf("an empty slot saved %d bytes, whole %v", len(data), whole)
	}
}

// TestLoadForgets: a delta's floor holds for what was loaded before it.
func TestLoadForgets(t *testing.T) {
	d := bind(t, time.Hour)
	for n := range 100 {
		d.keep(key(n), engine.Time(n), engine.MinTime)
	}
	whole, _ := save(t, d)
	d.slots[5].floor = 60
	d.keep(key(100), 100, engine.MinTime)
	delta, _ := save(t, d)
	again := bind(t, time.Hour)
	for _, section := range [][]byte{whole, delta} {
		if err := again.Load(5, bytes.NewReader(section)); err != nil {
			t.Fatal(err)
		}
	}
	again.slots[5].grow(nil)
	if got := again.slots[5].used; got != 41 {
		t.Errorf("%d entries are left, expected those from 60 to 100", got)
	}
}

// TestMemory: at most 48 bytes a key, and some more a slot, whatever the number of keys.
func TestMemory(t *testing.T) {
	var s table
	s.floor = engine.MinTime
	for n := range 20_000 {
		if s.full() {
			s.grow(nil)
		}
		s.add(entry{key(n).Hi | taken, rest{key(n).Lo, 0}})
		if bytes := len(s.buckets) * width * 24; bytes > 48*s.used+48*width {
			t.Fatalf("%d keys hold %d bytes, %d a key", s.used, bytes, bytes/s.used)
		}
	}
}

// TestLoadsEveryVersion opens what each version of the program wrote.
func TestLoadsEveryVersion(t *testing.T) {
	files, err := filepath.Glob("testdata/state-v*.hex")
	if err != nil || len(files) != version {
		t.Fatalf("found %d files of old states, expected %d: %v", len(files), version, err)
	}
	for _, file := range files {
		d := bind(t, time.Hour)
		for _, section := range golden(t, file) {
			if err := d.Load(5, bytes.NewReader(section)); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		for n := range 6 {
			if n != 3 && d.keep(key(n), engine.Time(n), engine.MinTime) {
				t.Errorf("%s: key %d was forgotten", file, n)
			}
		}
		if !d.keep(key(3), 3, engine.MinTime) {
			t.Errorf("%s: key 3, which was never kept, is there", file)
		}
	}
}

// TestLoadsWhatShrank: a table may have kept the places of many rows when few are left. It is loaded all the same.
func TestLoadsWhatShrank(t *testing.T) {
	for many := 1; many < 300; many++ {
		for _, left := range []int{1, 4, 7, many/4 + 1, many/2 + 1} {
			d := bind(t, time.Hour)
			s := &d.slots[5]
			for n := range many {
				if s.full() {
					s.grow(nil)
				}
				s.add(entry{key(n).Hi | taken, rest{key(n).Lo, engine.Time(n)}})
			}
			s.floor, s.saved.deltas = engine.Time(max(0, many-left)), maxDeltas(5)
			s.grow(nil)
			data, _ := save(t, d)
			if err := bind(t, time.Hour).Load(5, bytes.NewReader(data)); err != nil {
				t.Fatalf("%d rows, of which %d are left: %v", many, left, err)
			}
		}
	}
}

// golden reads sections: hexadecimal, a line each; lines that begin with # are comments.
func golden(t testing.TB, file string) (sections [][]byte) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(line), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		sections = append(sections, b)
	}
	return sections
}

// TestWritesTheVersion: the newest old state is what this program writes.
func TestWritesTheVersion(t *testing.T) {
	d := bind(t, time.Hour)
	d.floor = -7
	var got [][]byte
	for _, n := range []int{0, 1, 2, -1, 4, 5, -1} {
		if n < 0 {
			data, _ := save(t, d)
			got = append(got, data)
			continue
		}
		d.keep(key(n), engine.Time(n), engine.MinTime)
	}
	if want := golden(t, fmt.Sprintf("testdata/state-v%d.hex", version)); fmt.Sprintf("%x", got) != fmt.Sprintf("%x", want) {
		t.Errorf("wrote\n%x\nexpected\n%x\nif that is meant, raise the version and keep the old file", got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	sections := golden(t, "testdata/state-v2.hex")
	whole, delta := sections[0], sections[1]
	const counts, first = tableBytes, tableBytes + 2 // of the two buckets: 2 and 1 entries
	change := func(good []byte, at int, b byte) []byte {
		c := bytes.Clone(good)
		c[at] = b
		return c
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":               {nil, "state of 0 bytes is cut short"},
		"half a header":         {whole[:9], "state of 9 bytes is cut short"},
		"half a table's header": {whole[:20], "state of 20 bytes is cut short"},
		"no counts":             {whole[:tableBytes], "state of 32 bytes is cut short"},
		"half an entry":         {whole[:len(whole)-1], fmt.Sprintf("state of %d bytes is cut short", len(whole)-1)},
		"an entry less":         {whole[:len(whole)-entryBytes], fmt.Sprintf("state of %d bytes is cut short", len(whole)-entryBytes)},
		"a byte more":           {append(bytes.Clone(whole), 0), "state has bytes behind its 3 entries"},
		"half a delta's entry":  {delta[:len(delta)-1], fmt.Sprintf("state of %d bytes ends within an entry", len(delta)-1)},
		"newer":                 {change(whole, 0, 3), "state of version 3 and kind 1: this program reads versions 1 and 2, kinds 0 and 1"},
		"version 0":             {change(whole, 0, 0), "state of version 0 and kind 1: this program reads versions 1 and 2, kinds 0 and 1"},
		"other kind":            {change(whole, 1, 2), "state of version 2 and kind 2: this program reads versions 1 and 2, kinds 0 and 1"},
		"other slot":            {change(whole, first+7, 9), "state of slot 5 has a key of slot 9"},
		"a delta's other slot":  {change(delta, headerBytes+7, 9), "state of slot 5 has a key of slot 9"},
		"endless entries":       {change(whole, 23, 0xff), "state has a table of 2 buckets for 18374686479671623683 entries, which can't be"},
		"too full":              {change(whole, 24, 0), "state has a table of 0 buckets for 3 entries, which can't be"},
		"endless buckets":       {change(whole, 31, 0xff), "state has a table of 18374686479671623682 buckets for 3 entries, which can't be"},
		"too many buckets":      {change(whole, 24, 6), "state has a table of 6 buckets for 3 entries, which can't be"},
		"nine in a bucket":      {change(whole, counts, 9), "state has a bucket of 9 entries, which can't be"},
		"an entry uncounted":    {change(whole, counts, 1), "state has 2 entries in its buckets, its header says 3"},
		"an entry out of place": {change(whole, first+2*entryBytes+15, 0x01), "state of slot 5 has an entry in bucket 1 that no search finds there"},
	} {
		t.Run(name, func(t *testing.T) {
			err := bind(t, time.Hour).Load(5, bytes.NewReader(c.data))
			if err == nil || err.Error() != "dedupe: "+c.want {
				t.Errorf("got %v, expected dedupe: %s", err, c.want)
			}
		})
	}
}

// TestLoadIsTheTable: what is loaded is the table that was saved, place by place, also where a bucket has overflown into
// the next and the last into the first.
func TestLoadIsTheTable(t *testing.T) {
	for name, next := range map[string]func(n int) uint64{
		"spread":         func(n int) uint64 { return key(n).Lo },
		"all at home 0":  func(n int) uint64 { return uint64(n) },
		"all at the end": func(n int) uint64 { return ^uint64(n) },
	} {
		d := bind(t, time.Hour)
		for n := range 30_000 {
			if name != "spread" && n == 200 {
				break // a search goes through all of them
			}
			d.keep(column.Key{Hi: 5<<56 | uint64(n), Lo: next(n)}, engine.Time(n-100), engine.MinTime)
		}
		data, whole := save(t, d)
		again := bind(t, time.Hour)
		if err := again.Load(5, iotest.OneByteReader(bytes.NewReader(data))); err != nil || !whole {
			t.Fatalf("%s: whole %v: %v", name, whole, err)
		}
		got, want := &again.slots[5], &d.slots[5]
		if !slices.Equal(got.buckets, want.buckets) || got.used != want.used || got.newest != want.newest || got.saved != want.saved {
			t.Errorf("%s: loaded another table: %d entries in %d buckets up to %d, want %d in %d up to %d", name, got.used, len(got.buckets), got.newest, want.used, len(want.buckets), want.newest)
		}
	}
}

// TestExpect: who is told how much comes makes room for it once; what is loaded is the same, also where the hint was
// wrong.
func TestExpect(t *testing.T) {
	d := bind(t, time.Hour)
	var sections [][]byte
	size := int64(0)
	for n := range 50_000 {
		d.keep(key(n), engine.Time(n), engine.MinTime)
		if n%500 == 0 && n >= 30_000 {
			data, _ := save(t, d)
			sections, size = append(sections, data), size+int64(len(data))
		}
	}
	data, _ := save(t, d)
	sections, size = append(sections, data), size+int64(len(data))
	want := d.slots[5].visible(engine.MinTime)
	for name, expect := range map[string]int64{"the truth": size, "nothing": 0, "half": size / 2, "the first": int64(len(sections[0])), "one": 24, "twice": 2 * size} {
		again := bind(t, time.Hour)
		if expect > 0 {
			again.Expect(5, expect)
		}
		for i, s := range sections {
			if err := again.Load(5, bytes.NewReader(s)); err != nil {
				t.Fatal(err)
			}
			if n := len(again.slots[5].buckets); name == "the truth" && n != roomyFor(int(size/entryBytes)) {
				t.Fatalf("section %d: %d buckets, expected %d", i, n, roomyFor(int(size/entryBytes)))
			}
		}
		s := &again.slots[5]
		if s.used != 50_000 || !maps.Equal(s.visible(engine.MinTime), want) {
			t.Errorf("%s was expected: %d entries, want those of 50,000 keys", name, s.used)
		}
		findsAll(t, again)
	}
}

// FuzzLoad: any bytes give an error or a state that can be used and saved again.
func FuzzLoad(f *testing.F) {
	for v := 1; v <= version; v++ {
		for _, s := range golden(f, fmt.Sprintf("testdata/state-v%d.hex", v)) {
			f.Add(s, s, false)
			f.Add(s, s[:len(s)-entryBytes], true)
		}
	}
	f.Add([]byte{1, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, []byte{}, true)
	f.Fuzz(func(t *testing.T, a, b []byte, expect bool) {
		d := bind(t, time.Hour)
		if expect {
			d.Expect(5, int64(len(a)+len(b)))
		}
		for _, section := range [][]byte{a, b} {
			if err := d.Load(5, bytes.NewReader(section)); err != nil {
				return
			}
		}
		n := (len(a) + len(b)) / entryBytes
		if s := &d.slots[5]; len(s.buckets) > mostFor(n) || s.used > n {
			t.Fatalf("%d entries became %d in %d buckets", n, s.used, len(s.buckets))
		}
		findsAll(t, d)
		d.keep(key(1), engine.MaxTime, engine.MinTime) // no floor is above it
		if d.keep(key(1), engine.MaxTime, engine.MinTime) {
			t.Fatal("a row was kept twice")
		}
		first, whole := save(t, d)
		if again := bind(t, time.Hour); whole {
			if err := again.Load(5, bytes.NewReader(first)); err != nil || again.slots[5].used != d.slots[5].used {
				t.Fatalf("saved %d entries, loaded %d: %v", d.slots[5].used, again.slots[5].used, err)
			}
		}
	})
}

// findsAll says that each entry of slot 5 is found where it is searched.
func findsAll(t *testing.T, d *dedupe) {
	t.Helper()
	s := &d.slots[5]
	for i := range len(s.buckets) * width {
		e := s.entry(i)
		if e.tag == 0 {
			continue
		}
		if _, found := s.has(column.Key{Hi: e.tag&^taken | 5<<56, Lo: e.lo}, e.at, engine.MinTime, 0); !found {
			t.Fatalf("the entry at place %d is not found", i)
		}
	}
}
