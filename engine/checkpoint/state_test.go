package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/blob/mem"
)

func someSections() []engine.Section {
	return []engine.Section{
		{Operator: "once/dedupe", Slot: 0, Whole: true, Data: []byte("all of it")},
		{Operator: "once/dedupe", Slot: 255, Data: []byte{0, 1, 2}},
		{Operator: "twice/dedupe", Slot: 7, Whole: true, Data: []byte{}},
	}
}

// encoded is a state object as it is stored.
func encoded(t testing.TB, sections []engine.Section) []byte {
	t.Helper()
	parts, err := encodeState(sections)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Join(parts, nil)
}

// readAll opens an object of these bytes and reads all its sections.
func readAll(t testing.TB, data []byte) ([]engine.Section, error) {
	t.Helper()
	store := mem.New()
	if err := store.Put(t.Context(), "x", data); err != nil {
		t.Fatal(err)
	}
	o, err := New(store).OpenState(t.Context(), engine.StateRef{Name: "x", Size: int64(len(data))})
	if err != nil {
		return nil, err
	}
	return readSections(t, o)
}

func readSections(t testing.TB, o engine.State) ([]engine.Section, error) {
	sections := append([]engine.Section{}, o.Sections()...)
	numbers := make([]int, len(sections))
	for i := range numbers {
		numbers[i] = i
	}
	err := o.Read(t.Context(), numbers, func(n int, r io.Reader) (err error) {
		sections[n].Data, err = io.ReadAll(r)
		if sections[n].Size != int64(len(sections[n].Data)) {
			err = fmt.Errorf("section %d has %d bytes, the list says %d", n, len(sections[n].Data), sections[n].Size)
		}
		sections[n].Size = 0
		return err
	})
	return sections, err
}

func golden(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestStateOfEveryVersion reads an object as each version of the program wrote it.
func TestStateOfEveryVersion(t *testing.T) {
	for version := 1; version <= stateVersion; version++ {
		got, err := readAll(t, golden(t, fmt.Sprintf("testdata/state-v%d.hex", version)))
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if diff := cmp.Diff(someSections(), got); diff != "" {
			t.Errorf("version %d: %s", version, diff)
		}
	}
}

// TestWritesTheVersion: the newest old object is what this program writes.
func TestWritesTheVersion(t *testing.T) {
	want := golden(t, fmt.Sprintf("testdata/state-v%d.hex", stateVersion))
	if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(encoded(t, someSections()))); diff != "" {
		t.Errorf("the object is written otherwise (-was +is): raise the version\n%s", diff)
	}
}

// TestDamagedBytes: in an object of either version no byte may differ, and none may be missing.
func TestDamagedBytes(t *testing.T) {
	for _, good := range [][]byte{golden(t, "testdata/state-v1.hex"), encoded(t, someSections())} {
		for i := range good {
			bad := append([]byte{}, good...)
			bad[i] ^= 0x10
			if _, err := readAll(t, bad); err == nil {
				t.Errorf("byte %d was changed and nobody noticed", i)
			}
			if _, err := readAll(t, good[:i]); err == nil {
				t.Errorf("an object cut off at byte %d was taken", i)
			}
		}
	}
}

// large gives sections of an object that is not read whole, and whose directory is longer than what is read first.
func large() []engine.Section {
	rnd := rand.New(rand.NewPCG(1, 2))
	sections := []engine.Section{}
	for n := range 2000 {
		data := make([]byte, rnd.IntN(5000))
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		sections = append(sections, engine.Section{Operator: strings.Repeat("x", n%40) + "/dedupe", Slot: n % 256, Whole: n%3 == 0, Data: data})
	}
	return sections
}

// TestLargeState: a large object is streamed into the store and out of it, in few calls, all of it or a part.
func TestLargeState(t *testing.T) {
	store := fault.New(mem.New(), nil)
	s := New(store)
	want := large()
	ref, err := s.WriteState(t.Context(), 3, want)
	if err != nil {
		t.Fatal(err)
	}
	before := len(store.Calls())
	o, err := s.OpenState(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readSections(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encoded(t, want), encoded(t, got)) {
		t.Fatal("what was read is not what was written")
	}
	if n := len(store.Calls()) - before; n > 5 {
		t.Errorf("%d calls to read %d bytes: %v", n, ref.Size, store.Calls()[before:])
	}
	seen := []int{}
	part := []int{0, 1, 5, 900, 1999}
	err = o.Read(t.Context(), part, func(n int, r io.Reader) error {
		seen = append(seen, n)
		b := make([]byte, 3) // and leave the rest
		if _, err := io.ReadFull(r, b); len(want[n].Data) >= 3 && (err != nil || !bytes.Equal(b, want[n].Data[:3])) {
			t.Errorf("section %d begins with %x, want %x: %v", n, b, want[n].Data[:3], err)
		}
		return nil
	})
	if diff := cmp.Diff(part, seen); diff != "" || err != nil {
		t.Errorf("read %v: %v", seen, err)
	}
}

// TestLargeStateDamaged: what is wrong with a section is told with its operator and slot, whatever the operator made
// of it; what is wrong with the directory, before anything is read.
func TestLargeStateDamaged(t *testing.T) {
	sections := large()
	good := encoded(t, sections)
	at := stateHead
	for _, s := range sections[:1000] {
		at += len(s.Data)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"a bit in a section":    {flip(good, at), fmt.Sprintf("operator %s, slot %d: the checksum does not fit", sections[1000].Operator, sections[1000].Slot)},
		"a bit in the list":     {flip(good, len(good)-100), "the checksum of its directory does not fit"},
		"the length of a list":  {flip(good, len(good)-14), "it says that its directory has"},
		"the end":               {flip(good, len(good)-1), "it does not end as one"},
		"another's end":         {append(good[:len(good):len(good)], good[len(good)-100:]...), "the state object is damaged"},
		"a byte more in front":  {append([]byte{0}, good...), "the state object is damaged"},
		"the first byte gone":   {good[1:], "the state object is damaged"},
		"nothing but its end":   {good[len(good)-stateFoot:], "the state object is damaged"},
		"a newer version's end": {append(append([]byte("MRST\x03"), good[5:len(good)-1]...), '3'), "the state object is of version 3, this program reads 1 and 2"},
	} {
		_, err := readAll(t, c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// TestEncodeRefuses: what the format can't say is an error, not something else.
func TestEncodeRefuses(t *testing.T) {
	for name, s := range map[string]engine.Section{
		"a long id": {Operator: strings.Repeat("x", 1<<16)}, "slot 256": {Slot: 256}, "slot -1": {Slot: -1},
	} {
		if _, err := New(mem.New()).WriteState(t.Context(), 1, []engine.Section{s}); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// FuzzState: whatever the bytes, with checksums that fit, reading gives an error or sections that come back as they
// were.
func FuzzState(f *testing.F) {
	good := encoded(f, someSections())
	f.Add(good[:len(good)-12], uint8(2))
	f.Add([]byte("MRST\x01"), uint8(1))
	f.Add(golden(f, "testdata/state-v1.hex"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, version uint8) {
		if b = b[:len(b):len(b)]; version == 1 {
			b = binary.LittleEndian.AppendUint32(b, castagnoli(b))
		} else if len(b) >= stateHead+8 {
			from := max(stateHead, len(b)-8-int(min(1<<20, binary.LittleEndian.Uint64(b[len(b)-8:]))))
			b = append(binary.LittleEndian.AppendUint32(b, castagnoli(b[from:])), stateEnd...)
		}
		sections, err := readAll(t, b)
		if err != nil {
			return
		}
		again, err := readAll(t, encoded(t, sections))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sections, again); diff != "" {
			t.Error(diff)
		}
	})
}

// TestWriteStateCopiesNothing: an epoch's state is in memory once while it is written.
func TestWriteStateCopiesNothing(t *testing.T) {
	store, err := file.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sections := []engine.Section{{Operator: "s/dedupe", Whole: true, Data: make([]byte, 16<<20)}, {Operator: "s/dedupe", Slot: 1, Data: make([]byte, 16<<20)}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := New(store).WriteState(t.Context(), 1, sections); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated to write 32 MiB", n)
	}
}

// TestCrashInUpload: a large state object that a crash or a failure cuts off is there whole or not at all, and goes with
// the next collection, because no checkpoint names it.
func TestCrashInUpload(t *testing.T) {
	sections := []engine.Section{{Operator: "s/dedupe", Whole: true, Data: make([]byte, 3<<20)}, {Operator: "s/dedupe", Slot: 1, Data: make([]byte, 3<<20)}}
	for _, kind := range []fault.Kind{fault.CrashBefore, fault.CrashAfter, fault.FailBefore, fault.FailAfter} {
		n := 1
		for ; ; n++ {
			inner := mem.New()
			if _, err := New(fault.New(inner, fault.At(n, fault.Fault{Kind: kind}))).WriteState(t.Context(), 4, sections); err == nil {
				break
			}
			for name, data := range inner.Snapshot() {
				o, err := New(inner).OpenState(t.Context(), engine.StateRef{Name: name, Size: int64(len(data))})
				if err == nil {
					_, err = readSections(t, o)
				}
				if err != nil {
					t.Errorf("fault %d at call %d left a part: %v", kind, n, err)
				}
			}
			s := New(inner)
			if err := s.Write(t.Context(), checkpointOf(4, "next")); err != nil {
				t.Fatal(err)
			}
			if err := s.Collect(t.Context(), 4); err != nil || len(inner.Snapshot()) != 1 {
				t.Errorf("fault %d at call %d: %d objects are left: %v", kind, n, len(inner.Snapshot()), err)
			}
		}
		if n < 6 {
			t.Errorf("fault %d: an upload of %d calls: it was not written in pieces", kind, n-1)
		}
	}
}
