//go:build real

package realtest_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/millrace-io/millrace/scripts/realtest"
)

// What the README says is so, for somebody who has a clone and Go.
func TestNewcomer(t *testing.T) {
	out, err := exec.Command(filepath.Join(realtest.Root(t), "scripts", "newcomer.sh")).CombinedOutput()
	if err != nil {
		t.Fatalf("newcomer.sh: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}
