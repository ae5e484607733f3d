package kinesis

import (
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

func shown(users []userRecord) (all []kinesistest.User) {
	for _, u := range users {
		all = append(all, kinesistest.User{Key: string(u.key), Hash: string(u.hash), Data: append([]byte{}, u.data...)})
	}
	return all
}

// An opener takes one record's data apart, as a shard does it with an answer's.
type opener struct {
	seals     seals
	aggregate aggregate
}

func (o *opener) open(data []byte) []userRecord {
	records := []record{{data: data}}
	o.seals.check(records)
	return o.aggregate.open(&records[0])
}

// TestSeals: records are checked beside each other, whatever their sizes and whatever stands between them.
func TestSeals(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 3))
	var s seals
	defer s.close()
	for range 300 {
		var records []record
		var want []bool
		for range rnd.IntN(3 * lanes) {
			m := make([]byte, rnd.IntN(300))
			if rnd.IntN(20) == 0 {
				m = make([]byte, rnd.IntN(5*laneBytes))
			}
			for i := range m {
				m[i] = byte(rnd.Uint32())
			}
			data, good := sealed(m), rnd.IntN(3) > 0
			if !good {
				data[rnd.IntN(len(data))] ^= 1
			}
			records, want = append(records, record{data: data}), append(want, good)
		}
		s.check(records)
		for i, r := range records {
			if r.sealed != want[i] {
				t.Fatalf("record %d of %d, of %d bytes: %v, want %v", i, len(records), len(r.data), r.sealed, want[i])
			}
		}
	}
}

// TestAggregateDamaged: a record of which any bit is another one is a plain one, whatever its size.
func TestAggregateDamaged(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 3))
	var o opener
	defer o.seals.close()
	for range 2000 {
		var users []kinesistest.User
		for range 1 + rnd.IntN(5) {
			data := make([]byte, rnd.IntN(100))
			for i := range data {
				data[i] = byte(rnd.Uint32())
			}
			users = append(users, kinesistest.User{Key: "k", Data: data})
		}
		data := kinesistest.Aggregate(users...)
		if got := len(o.open(data)); got != len(users) {
			t.Fatalf("%d user records of %d", got, len(users))
		}
		data[rnd.IntN(len(data))] ^= 1 << rnd.IntN(8)
		if got := o.open(data); got != nil {
			t.Fatalf("a damaged record of %d bytes was taken for %d user records", len(data), len(got))
		}
	}
}

func TestAggregate(t *testing.T) {
	users := []kinesistest.User{
		{Key: "a", Data: []byte("one")}, {Key: "b", Hash: "123", Data: []byte{}}, {Key: "a", Hash: "0", Data: []byte("three")}, {Key: "", Hash: "123", Data: []byte("{}")},
	}
	var o opener
	defer o.seals.close()
	for range 2 { // memory is used again
		if d := cmp.Diff(users, shown(o.open(kinesistest.Aggregate(users...)))); d != "" {
			t.Error(d)
		}
	}
}

// sealed is a message with what stands around it.
func sealed(message []byte) []byte {
	sum := md5.Sum(message)
	return append(append([]byte(magic), message...), sum[:]...)
}

// TestAggregatePlain: what is not an aggregated record in every respect is a plain one.
func TestAggregatePlain(t *testing.T) {
	good := kinesistest.Aggregate(kinesistest.User{Key: "a", Data: []byte("one")}, kinesistest.User{Key: "b", Hash: "1", Data: []byte("two")})
	var o opener
	defer o.seals.close()
	for i := range good {
		bad := append([]byte{}, good...)
		bad[i] ^= 1 << (i % 8)
		if users := o.open(bad); users != nil {
			t.Errorf("byte %d is spoilt and there are user records: %v", i, shown(users))
		}
		if users := o.open(good[:i]); users != nil {
			t.Errorf("cut at %d and there are user records: %v", i, shown(users))
		}
	}
	record := func(fields ...[]byte) []byte {
		var r []byte
		for _, f := range fields {
			r = append(r, f...)
		}
		return protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), r)
	}
	number := func(num protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
	}
	data := protowire.AppendString(protowire.AppendTag(nil, 3, protowire.BytesType), "x")
	key := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "k")
	for name, c := range map[string]struct {
		message []byte
		users   int
	}{
		"as it must be":              {append(append([]byte{}, key...), record(number(1, 0), data)...), 1},
		"records before their table": {append(record(number(1, 0), data), key...), 1},
		"fields of later versions":   {append(append([]byte{}, key...), append(record(number(1, 0), number(9, 3), data), number(7, 1)...)...), 1},
		"no records":                 {key, 0},
		"nothing":                    {nil, 0},
		"no such key":                {append(append([]byte{}, key...), record(number(1, 1), data)...), 0},
		"no such hash key":           {append(append([]byte{}, key...), record(number(1, 0), number(2, 0), data)...), 0},
		"no key":                     {append(append([]byte{}, key...), record(data)...), 0},
		"no data":                    {append(append([]byte{}, key...), record(number(1, 0))...), 0},
	} {
		if users := o.open(sealed(c.message)); len(users) != c.users {
			t.Errorf("%s: %v", name, shown(users))
		}
	}
}

func FuzzAggregate(f *testing.F) {
	f.Add(kinesistest.Aggregate(kinesistest.User{Key: "a", Hash: "1", Data: []byte("one")}))
	f.Fuzz(func(_ *testing.T, message []byte) {
		var o opener
		defer o.seals.close()
		o.open(message)
		o.open(sealed(message))
	})
}

func BenchmarkAggregate(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 1))
	records := make([]record, 24) // of an answer of a mebibyte
	for r := range records {
		var users []kinesistest.User
		for i := range benchUsers {
			data := make([]byte, benchBytes)
			for k := range data {
				data[k] = byte(rnd.Uint32())
			}
			users = append(users, kinesistest.User{Key: fmt.Sprint(i), Data: data})
		}
		records[r].data = kinesistest.Aggregate(users...)
	}
	var o opener
	defer o.seals.close()
	b.SetBytes(int64(len(records) * len(records[0].data)))
	before := cpu()
	for b.Loop() {
		o.seals.check(records)
		for i := range records {
			if len(o.aggregate.open(&records[i])) != benchUsers {
				b.Fatal("not taken apart")
			}
		}
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N*len(records)*benchUsers), "cpu-ns/record")
}
