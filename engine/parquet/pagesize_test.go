package parquet

import (
	"fmt"
	"testing"
)

func BenchmarkPageSize(b *testing.B) {
	for _, pool := range []int{883, 50000} {
		batches := pinBatches(benchBatches, benchRows, pool)
		for _, kib := range []int{62, 128, 256, 512, 1024} {
			b.Run(fmt.Sprint(pool, "/", kib), func(b *testing.B) {
				benchEncode(b, batches, nil, Options{Page: kib << 10})
			})
		}
	}
}
