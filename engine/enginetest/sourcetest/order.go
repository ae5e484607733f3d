package sourcetest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// testPartitions: every source says the same of the partitions, in the same order.
func (t *trial) testPartitions() {
	counts := []int{0, 1, 250}
	for i, name := range t.Partitions {
		t.Append(name, numbered(name, 0, counts[i])...)
	}
	one, other := t.open(), t.open()
	for _, s := range []engine.Source{one, other, one} {
		list, err := s.Partitions(t.Context())
		t.must(err)
		var names []string
		for _, p := range list {
			names = append(names, p.Name)
		}
		if !slices.Equal(names, t.Partitions) {
			t.Fatalf("partitions %q, want %q", names, t.Partitions)
		}
		_, positioned := s.(engine.Positioned)
		if p := list[0]; p.First != p.End && p.End != engine.NoOffset || positioned && p.First != 0 {
			t.Errorf("an empty partition begins at offset %d and ends at %d", p.First, p.End)
		}
		for i, p := range list[1:] {
			all := t.offsets(s, p.Name, counts[i+1])
			if all[0] != p.First || all[len(all)-1]+1 != p.End && p.End != engine.NoOffset {
				t.Errorf("%+v; it has records at offsets %v", p, all)
			}
		}
	}
}

// testRecords: a record comes with all that the service keeps of it, and what is empty stays apart from what is not there.
func (t *trial) testRecords() {
	at := time.UnixMilli(1_600_000_000_123).UTC()
	records := []Record{
		{At: at, Key: []byte("k"), Value: []byte("v"), Headers: []Header{{"h", []byte("1")}, {"n", nil}, {"h", []byte{}}, {"", []byte("2")}}},
		{At: at, Key: []byte("k"), Value: nil},
		{At: at, Value: []byte{}},
		{At: at, Key: []byte{}, Value: []byte("v")},
		{At: at.Add(-time.Hour), Value: []byte("earlier")},
		{At: time.UnixMilli(0).UTC(), Key: []byte{0, 0xff, '\n'}, Value: []byte{0, 1, 2, 0xfe, 0xff}},
		{At: time.UnixMilli(7_258_118_400_001).UTC(), Value: []byte("日本")}, // the year 2200
	}
	name := t.Partitions[0]
	t.Append(name, records...)
	s, r := t.open(), t.reader()
	r.read(s, t.starts(s, name)...)
	r.has(name, len(records))
	r.stop()
	r.check(name, records)
}

func (t *trial) testLargeRecords() {
	name := t.Partitions[0]
	var records []Record
	for i, size := range []int{0, 1, 64 << 10, 300 << 10, 3, 900 << 10, 0} {
		records = append(records, Record{At: time.UnixMilli(int64(i)).UTC(), Value: bytes.Repeat([]byte{byte('a' + i)}, size)})
	}
	t.Append(name, records...)
	s, r := t.open(), t.reader()
	r.read(s, t.starts(s, name)...)
	r.has(name, len(records))
	r.stop()
	r.check(name, records)
}

// testAnyOffset: each partition is read from the offset that is asked for, and a record has the same number whichever that
// was.
func (t *trial) testAnyOffset() {
	const records = 300
	for _, name := range t.Partitions {
		t.Append(name, numbered(name, 0, records)...)
	}
	s := t.open()
	starts := map[string][]engine.Start{}
	for _, name := range t.Partitions {
		starts[name] = t.places(s, name, records)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	places := []int{0, 1, records - 1}
	for range 3 {
		places = append(places, rnd.IntN(records))
	}
	for i := range places {
		r := t.reader()
		var from []engine.Start
		at := map[string]int{}
		for k, name := range t.Partitions {
			at[name] = places[(i+k)%len(places)]
			from = append(from, starts[name][at[name]])
		}
		r.read(t.open(), from...)
		for name, place := range at {
			r.has(name, records-place)
			r.check(name, numbered(name, place, records))
			for i, o := range r.parts[name].offsets() {
				if want := starts[name][place+i].From; o != want {
					t.Fatalf("partition %s: record %d is at offset %d, and was at %d before", name, place+i, o, want)
				}
			}
		}
		r.stop()
	}
}

// testAtTheEnd: who begins at the end gets what comes later and nothing else.
func (t *trial) testAtTheEnd() {
	t.need("records that come later", !t.Fixed)
	name, empty := t.Partitions[0], t.Partitions[1]
	t.Append(name, numbered(name, 0, 20)...)
	s, r := t.open(), t.reader()
	all := t.look(s)
	r.read(s, end(all[name]), end(all[empty]))
	t.never("Read returns at the end", r.ended)
	for next := range 3 {
		t.Append(name, numbered(name, 20+next, 21+next)...)
		t.Append(empty, numbered(empty, next, next+1)...)
		r.has(name, next+1)
		r.has(empty, next+1)
	}
	r.stop()
	r.check(name, numbered(name, 20, 23))
	r.check(empty, numbered(empty, 0, 3))
}

// testOrder: all records of all partitions come once and in order, those that come while they are read too.
func (t *trial) testOrder() {
	const records, chunks = 5000, 5
	before := records / chunks
	if t.Fixed {
		before = records
	}
	for _, name := range t.Partitions {
		t.Append(name, numbered(name, 0, before)...)
	}
	s, r := t.open(), t.reader()
	r.read(s, t.starts(s, t.Partitions...)...)
	for at := before; at < records; at += records / chunks {
		for _, name := range t.Partitions {
			t.Append(name, numbered(name, at, at+records/chunks)...)
		}
	}
	for _, name := range t.Partitions {
		r.has(name, records)
		r.check(name, numbered(name, 0, records))
	}
	if l, ok := s.(engine.Lagging); ok {
		ends := l.Ends()
		for name, p := range t.look(s) {
			if ends[name] != p.End && p.End != engine.NoOffset {
				t.Errorf("partition %s was read to its end, %d; Ends says %d", name, p.End, ends[name])
			}
		}
	}
	r.stop()
}

// testPending: records that no reader may see yet are not there: the partition ends before them.
func (t *trial) testPending() {
	t.need("records that are seen later", t.Pend != nil)
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 10)...)
	s, r := t.open(), t.reader()
	was := t.look(s)[name]
	commit := t.Pend(name, numbered(name, 10, 15)...)
	if p := t.look(s)[name]; !reflect.DeepEqual(p, was) {
		t.Errorf("with records that nobody may see yet the partition is %+v, it was %+v", p, was)
	}
	r.read(s, t.starts(s, name)...)
	r.has(name, 10)
	t.never("Read returns at the end", r.ended)
	r.check(name, numbered(name, 0, 10))
	commit()
	r.has(name, 15)
	r.stop()
	r.check(name, numbered(name, 0, 15))
	if p := t.look(s)[name]; p.End <= was.End {
		t.Errorf("with records that were not seen before the partition is %+v, it was %+v", p, was)
	}
}

// testReadAgain: a reading that is over does not count for the next.
func (t *trial) testReadAgain() {
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 100)...)
	s := t.open()
	for range 3 {
		r := t.reader()
		r.read(s, t.starts(s, name)...)
		r.has(name, 100)
		r.stop()
		r.check(name, numbered(name, 0, 100))
	}
}

// testTwoReads: readings of one source go on beside each other, and one that ends ends no other.
func (t *trial) testTwoReads() {
	first, second := t.Partitions[0], t.Partitions[1]
	t.Append(first, numbered(first, 0, 100)...)
	t.Append(second, numbered(second, 0, 100)...)
	s, r1, r2 := t.open(), t.reader(), t.reader()
	goOn := make(gate)
	r2.hold = func(ctx context.Context, _ string) error { return goOn.pass(ctx) }
	r1.read(s, t.starts(s, first)...)
	r2.read(s, t.starts(s, second)...)
	r2.called(second)
	r1.has(first, 100)
	r1.stop()
	t.never("a reading ends with another", r2.ended)
	close(goOn)
	r2.has(second, 100)
	if !t.Fixed {
		t.Append(first, numbered(first, 100, 110)...)
		t.Append(second, numbered(second, 100, 200)...)
		r2.has(second, 200)
		r2.check(second, numbered(second, 0, 200))
	}
	r2.stop()
	r1.check(first, numbered(first, 0, 100))
}

// testPartitionAdded: a partition that is added is listed behind the others and read by a second call.
func (t *trial) testPartitionAdded() {
	t.need("way to add partitions", t.Grow != nil)
	first := t.Partitions[0]
	t.Append(first, numbered(first, 0, 10)...)
	s, r := t.open(), t.reader()
	r.read(s, t.starts(s, t.Partitions...)...)
	r.has(first, 10)
	for i := range 2 {
		name := t.Grow()
		t.Append(name, numbered(name, 0, 10)...)
		t.eventually("the new partition is listed", func() bool { return len(t.look(s)) == partitions+i+1 })
		added := t.reader()
		added.read(s, t.starts(s, name)...)
		added.has(name, 10)
		t.Append(name, numbered(name, 10, 20)...)
		t.Append(first, numbered(first, 10*(i+1), 10*(i+2))...)
		added.has(name, 20)
		added.check(name, numbered(name, 0, 20))
	}
	r.has(first, 30)
	r.check(first, numbered(first, 0, 30))
}

// testAtOnce calls everything at once. It is for the race detector.
func (t *trial) testAtOnce() {
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 500)...)
	s, r := t.open(), t.reader()
	p := t.look(s)[name]
	r.read(s, t.starts(s, t.Partitions...)...)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			list, err := s.Partitions(t.Context())
			if err != nil || len(list) != partitions {
				t.Errorf("%d partitions, %v", len(list), err)
			}
			if err := s.Committed(t.Context(), map[string]engine.Offset{name: p.First + engine.Offset(i)}); err != nil {
				t.Errorf("committed: %v", err)
			}
			if l, ok := s.(engine.Lagging); ok {
				l.Ends()
			}
		})
	}
	all.Wait()
	r.has(name, 500)
	r.stop()
	r.check(name, numbered(name, 0, 500))
}
