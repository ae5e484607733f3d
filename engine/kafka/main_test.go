package kafka

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more tests run at once than there are processors, for most of them wait: for a broker that is away, or for a
// pause to end.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	flag.Parse() // what the command line says counts
	os.Exit(m.Run())
}
