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

// open1 gives the user records of one record's data.
func open1(a *aggregate, data []byte) []userRecord {
	records := []record{{data: data}}
	verify(records)
	return a.open(&records[0])
}

// TestVerify: records are checked in pairs, whatever their sizes and whatever stands between them.
func TestVerify(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 3))
	for range 500 {
		var records []record
		var want []bool
		for range rnd.IntN(7) {
			m := make([]byte, rnd.IntN(300))
			for i := range m {
				m[i] = byte(rnd.Uint32())
			}
			data := sealed(m)
			good := rnd.IntN(3) > 0
			if !good {
				data[rnd.IntN(len(data))] ^= 1
			}
			records, want = append(records, record{data: data}), append(want, good)
		}
		verify(records)
		for i, r := range records {
			if r.aggregated != want[i] {
				t.Fatalf("record %d of %d, of %d bytes: %v", i, len(records), len(r.data), r.aggregated)
			}
		}
	}
}

func TestAggregate(t *testing.T) {
	users := []kinesistest.User{
		{Key: "a", Data: []byte("one")}, {Key: "b", Hash: "123", Data: []byte{}}, {Key: "a", Hash: "0", Data: []byte("three")}, {Key: "", Hash: "123", Data: []byte("{}")},
	}
	var a aggregate
	for range 2 { // memory is used again
		if d := cmp.Diff(users, shown(open1(&a, kinesistest.Aggregate(users...)))); d != "" {
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
	var a aggregate
	for i := range good {
		bad := append([]byte{}, good...)
		bad[i] ^= 1 << (i % 8)
		if users := open1(&a, bad); users != nil {
			t.Errorf("byte %d is spoilt and there are user records: %v", i, shown(users))
		}
		if users := open1(&a, good[:i]); users != nil {
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
		if users := open1(&a, sealed(c.message)); len(users) != c.users {
			t.Errorf("%s: %v", name, shown(users))
		}
	}
}

func FuzzAggregate(f *testing.F) {
	f.Add(kinesistest.Aggregate(kinesistest.User{Key: "a", Hash: "1", Data: []byte("one")}))
	f.Fuzz(func(_ *testing.T, message []byte) {
		var a aggregate
		open1(&a, message)
		open1(&a, sealed(message))
	})
}

func BenchmarkAggregate(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var users []kinesistest.User
	for i := range 60 {
		data := make([]byte, 732)
		for k := range data {
			data[k] = byte(rnd.Uint32())
		}
		users = append(users, kinesistest.User{Key: fmt.Sprint(i), Data: data})
	}
	data := kinesistest.Aggregate(users...)
	records := []record{{data: data}, {data: data}}
	var a aggregate
	b.SetBytes(2 * int64(len(data)))
	for b.Loop() {
		verify(records)
		for i := range records {
			if len(a.open(&records[i])) != 60 {
				b.Fatal("not taken apart")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/120, "ns/record")
}
