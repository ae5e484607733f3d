package window

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace-io/millrace/engine/column"
)

// TestTable: a table finds what a map does, after any adding and removing, of keys that are close to one another too.
func TestTable(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var tab table
		var keys []column.Key
		want := map[column.Key]uint32{}
		for range 3000 {
			k := column.Key{Hi: rnd.Uint64N(4), Lo: rnd.Uint64N(1<<(1+seed%12)) << (64 - 1 - seed%12)}
			if seed%3 == 0 {
				k.Lo = -k.Lo - 1 // at the end, where a search wraps
			}
			if len(keys)%100 == 0 {
				tab.fit(keys, len(keys)+100)
			}
			place, g, found := tab.find(keys, k)
			if n, is := want[k]; is != found || n != g {
				t.Fatalf("seed %d: found %v, group %d, expected %v, %d", seed, found, g, is, n)
			}
			switch {
			case !found:
				keys = append(keys, k)
				want[k] = uint32(len(keys) - 1)
				tab.add(keys, place, want[k])
			case rnd.IntN(2) == 0:
				tab.remove(keys, place)
				delete(want, k)
			}
			if tab.used != len(want) {
				t.Fatalf("seed %d: the table holds %d, expected %d", seed, tab.used, len(want))
			}
		}
		for k, n := range want {
			if _, g, found := tab.find(keys, k); !found || g != n {
				t.Fatalf("seed %d: key %v is not found", seed, k)
			}
		}
	}
}
