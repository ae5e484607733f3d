package checkpoint

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
)

func someSections() []engine.Section {
	return []engine.Section{
		{Operator: "once/dedupe", Slot: 0, Whole: true, Data: []byte("all of it")},
		{Operator: "once/dedupe", Slot: 255, Data: []byte{0, 1, 2}},
		{Operator: "twice/dedupe", Slot: 7, Whole: true, Data: []byte{}},
	}
}

// TestStateOfVersion1 reads an object as version 1 wrote it, and writes the same bytes.
func TestStateOfVersion1(t *testing.T) {
	text, err := os.ReadFile("testdata/state-v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(encodeState(someSections()))); diff != "" {
		t.Errorf("the object is written otherwise (-was +is): raise the version\n%s", diff)
	}
	got, err := decodeState(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(someSections(), got); diff != "" {
		t.Error(diff)
	}
}

// TestDamagedState: no byte may differ, and none may be missing.
func TestDamagedState(t *testing.T) {
	good := encodeState(someSections())
	for i := range good {
		bad := append([]byte{}, good...)
		bad[i] ^= 0x10
		if _, err := decodeState(bad); err == nil {
			t.Errorf("byte %d was changed and nobody noticed", i)
		}
		if _, err := decodeState(good[:i]); err == nil {
			t.Errorf("an object cut off at byte %d was taken", i)
		}
	}
}

// FuzzState: whatever the bytes, with a checksum that fits, decoding gives an error or sections that come back
// as they were.
func FuzzState(f *testing.F) {
	good := encodeState(someSections())
	f.Add(good[:len(good)-4])
	f.Add([]byte("MRST\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = binary.LittleEndian.AppendUint32(b[:len(b):len(b)], castagnoli(b))
		sections, err := decodeState(b)
		if err != nil {
			return
		}
		again, err := decodeState(encodeState(sections))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sections, again); diff != "" {
			t.Error(diff)
		}
	})
}
