package dedupe

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		{100, size(100), true},
		{0, 0, false},
		{10, size(10), false},
		{90, size(90), false},
		{0, 0, false},
		{1, size(201), true}, // the deltas have outgrown the 100 they stand on
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
	if data, whole := save(t, d); len(data) != size(101) || !whole {
		t.Errorf("saved %d bytes, whole %v, expected %d, true", len(data), whole, size(101))
	}
	d.floor = 5000
	if data, whole := save(t, d); len(data) != size(0) || !whole {
		t.Errorf("after the last entry saved %d bytes, whole %v, expected %d, true", len(data), whole, size(0))
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
	good := golden(t, "testdata/state-v1.hex")[0]
	change := func(at int, b byte) []byte {
		c := bytes.Clone(good)
		c[at] = b
		return c
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":       {nil, "state of 0 bytes is cut short"},
		"half a header": {good[:9], "state of 9 bytes is cut short"},
		"half an entry": {good[:len(good)-1], fmt.Sprintf("state of %d bytes ends within an entry", len(good)-1)},
		"newer":         {change(0, 2), "state of version 2 and kind 1: this program reads version 1, kinds 0 and 1"},
		"other kind":    {change(1, 2), "state of version 1 and kind 2: this program reads version 1, kinds 0 and 1"},
		"other slot":    {change(headerBytes+7, 9), "state of slot 5 has a key of slot 9"},
	} {
		t.Run(name, func(t *testing.T) {
			err := bind(t, time.Hour).Load(5, bytes.NewReader(c.data))
			if err == nil || err.Error() != "dedupe: "+c.want {
				t.Errorf("got %v, expected dedupe: %s", err, c.want)
			}
		})
	}
}

// FuzzLoad: any bytes give an error or a state that can be used and saved again.
func FuzzLoad(f *testing.F) {
	for _, s := range golden(f, "testdata/state-v1.hex") {
		f.Add(s, s)
		f.Add(s, s[:len(s)-entryBytes])
	}
	f.Add([]byte{version, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, []byte{})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		d := bind(t, time.Hour)
		for _, section := range [][]byte{a, b} {
			if err := d.Load(5, bytes.NewReader(section)); err != nil {
				return
			}
		}
		n := (len(a) + len(b)) / entryBytes
		if s := &d.slots[5]; len(s.buckets) > max(least, 4*n) || s.used > n {
			t.Fatalf("%d entries became %d in %d buckets", n, s.used, len(s.buckets))
		}
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
