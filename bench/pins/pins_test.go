package pins_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/bench/pins"
	"github.com/millrace-io/millrace/engine/enginetest/corpus"
	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
)

func Example() {
	distinct, err := pins.Generate(pins.Config{Records: 12, Seed: 1}, func(partition int, key, value []byte) error {
		fmt.Printf("%d %s %.40s…\n", partition, key[:8], value)
		return nil
	})
	fmt.Println(distinct, err)
	// Output:
	// 3 5f55b7cf {"index": 1, "unique_id": "5f55b7cf-0e2e…
	// 0 755e89ba {"index": 2, "unique_id": "755e89ba-6ed0…
	// 0 756e2b83 {"index": 3, "unique_id": "756e2b83-c835…
	// 1 8ea39b39 {"index": 4, "unique_id": "8ea39b39-55ef…
	// 2 8976d0f9 {"index": 5, "unique_id": "8976d0f9-5a06…
	// 3 077cab19 {"index": 6, "unique_id": "077cab19-b308…
	// 1 420df248 {"index": 7, "unique_id": "420df248-5b32…
	// 0 2962edd2 {"index": 8, "unique_id": "2962edd2-b714…
	// 1 8ea39b39 {"index": 4, "unique_id": "8ea39b39-55ef…
	// 0 d4d5bc48 {"index": 10, "unique_id": "d4d5bc48-fd0…
	// 2 3a0d6ec9 {"index": 11, "unique_id": "3a0d6ec9-b03…
	// 1 de71b865 {"index": 12, "unique_id": "de71b865-b3b…
	// 11 <nil>
}

// The records as the package's comment has them, told by one who looks at the bytes alone.
func TestGenerate(t *testing.T) {
	const n = 120_000
	last := map[string]int64{} // by value: number of its first record
	partitions := map[string]int{}
	ids := map[string]bool{}
	share := make([]int64, pins.Partitions)
	var size, number, repeats int64
	distinct, err := pins.Generate(pins.Config{Records: n, Seed: 1}, func(partition int, key, value []byte) error {
		size += int64(len(value))
		share[partition]++
		first, again := last[string(value)]
		switch {
		case again && partition != partitions[string(key)]:
			t.Fatalf("record %d repeats record %d in another partition", number, first)
		case again && number-first > 50_000:
			t.Fatalf("record %d repeats record %d, %d back", number, first, number-first)
		case again:
			repeats++
		case ids[string(key)]:
			t.Fatalf("record %d: id %s comes again in another record", number, key)
		default:
			last[string(value)], partitions[string(key)], ids[string(key)] = number, partition, true
		}
		number++
		return nil
	})
	if err != nil || number != n || distinct != int64(len(last)) || repeats != n/10 {
		t.Errorf("%d records, told %d distinct, found %d and %d repeats, %v", number, distinct, len(last), repeats, err)
	}
	if mean := float64(size) / n; mean < 720 || mean > 745 {
		t.Errorf("%.1f bytes a record, want about 732", mean)
	}
	for p, records := range share {
		if records < n/4*98/100 || records > n/4*102/100 {
			t.Errorf("partition %d has %d records of %d", p, records, n)
		}
	}
}

func TestTheBenchmarkHas900000Rows(t *testing.T) {
	if got := (pins.Config{Records: pins.Records}).Distinct(); got != 900_000 {
		t.Errorf("got %d", got)
	}
}

// Distinct is arithmetic; this counts.
func TestDistinct(t *testing.T) {
	for seed := range int64(20) {
		seen := map[string]bool{}
		for n, r := range pins.All(pins.Config{Records: 45, Seed: seed, Partitions: 1}) {
			if got, want := (pins.Config{Records: n, Seed: seed}).Distinct(), int64(len(seen)); n > 0 && got != want {
				t.Fatalf("seed %d: %d records have %d distinct, told %d", seed, n, want, got)
			}
			seen[string(r.Value)] = true
		}
	}
}

// Records stay as they are: a producer sends them later.
func TestRecordsAreTheCallers(t *testing.T) {
	var all []pins.Record
	var sums [][32]byte
	for _, r := range pins.All(pins.Config{Records: 5000, Fresh: true}) {
		all = append(all, r)
		sums = append(sums, sha256.Sum256(append(append([]byte(nil), r.Key...), r.Value...)))
	}
	for n, r := range all {
		if sha256.Sum256(append(append([]byte(nil), r.Key...), r.Value...)) != sums[n] {
			t.Fatalf("record %d has changed", n)
		}
	}
}

func TestRecordsArePins(t *testing.T) {
	for _, c := range []pins.Config{{Records: 500, Seed: 3}, {Records: 500, Seed: 3, Fresh: true}} {
		texts := map[string]bool{}
		for n, r := range pins.All(c) {
			var p emulator.Pin
			if err := json.Unmarshal(r.Value, &p); err != nil {
				t.Fatalf("record %d: %v: %s", n, err, r.Value)
			}
			if p.UniqueID != string(r.Key) || p.Index < 1 || p.Index > n+1 || string(p.AppendSpaced(nil)) != string(r.Value) {
				t.Fatalf("record %d, key %s: %s", n, r.Key, r.Value)
			}
			texts[p.ImageSrc+p.TagList+p.Title+p.Description] = true
		}
		if c.Fresh && len(texts) < 440 || !c.Fresh && len(texts) > 400 {
			t.Errorf("fresh %v: %d different texts in 450 rows", c.Fresh, len(texts))
		}
	}
}

func TestStopsAtAnError(t *testing.T) {
	errFull, calls := errors.New("disk full"), 0
	distinct, err := pins.Generate(pins.Config{Records: 100}, func(int, []byte, []byte) error {
		if calls++; calls > 50 {
			return errFull
		}
		return nil
	})
	if !errors.Is(err, errFull) || err.Error() != "record 50: disk full" || distinct != 45 || calls != 51 {
		t.Errorf("%d calls, %d distinct, %v", calls, distinct, err)
	}
}

func TestReadTexts(t *testing.T) {
	pool, err := pins.ReadTexts(corpus.Open(t, "pinterest", "pin.ndjson"))
	if err != nil || len(pool) != pins.PoolSize {
		t.Fatalf("%d texts, %v", len(pool), err)
	}
	titles, size := map[string]bool{}, 0
	for _, p := range pool {
		titles[p.Title] = true
	}
	for n, r := range pins.All(pins.Config{Records: 2000, Texts: pool}) {
		var p emulator.Pin
		if err := json.Unmarshal(r.Value, &p); err != nil || !titles[p.Title] {
			t.Fatalf("record %d: %v: %s", n, err, r.Value)
		}
		size += len(r.Value)
	}
	if mean := size / 2000; mean < 720 || mean > 745 {
		t.Errorf("%d bytes a record", mean)
	}
}

func TestErrors(t *testing.T) {
	_, err := pins.ReadTexts(strings.NewReader(`{"title": "a"} {"title": 1}`))
	if err == nil || !strings.HasPrefix(err.Error(), "read texts: pin 2: json: ") {
		t.Errorf("got %v", err)
	}
	if _, err := pins.ReadTexts(strings.NewReader(" \n")); err == nil || err.Error() != "read texts: there is no pin" {
		t.Errorf("got %v", err)
	}
	if err := (pins.Config{Records: 1, Texts: []emulator.Pin{}}).Validate(); err == nil || err.Error() != "a pool of no texts: expected at least 1" {
		t.Errorf("got %v", err)
	}
	_, err = pins.Generate(pins.Config{Partitions: -1, Fresh: true, Texts: []emulator.Pin{{}}}, nil)
	const want = "0 records: expected at least 1\n-1 partitions: expected at least 1\na pool of texts and fresh texts: expected one of them"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, fresh := range []bool{false, true} {
		b.Run(fmt.Sprintf("fresh=%v", fresh), func(b *testing.B) {
			b.ReportAllocs()
			for _, r := range pins.All(pins.Config{Records: int64(b.N), Fresh: fresh}) {
				b.SetBytes(int64(len(r.Value)))
			}
		})
	}
}
