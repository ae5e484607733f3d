package delta

import (
	"strings"
	"testing"
)

// TestChecksum: the example of PROTOCOL.md, and what Spark wrote.
func TestChecksum(t *testing.T) {
	const example = `{"k0":"'v 0'","checksum":"adsaskfljadfkjadfkj","k1":{"k2":2,"k3":["v3",[1,2],{"k4":"v4","k5":["v5","v6","v7"]}]}}`
	if got, err := checksum([]byte(example)); err != nil || got != "6a92d155a59bf2eecbd4b4ec7fd1f875" {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestHintComesBack(t *testing.T) {
	data := string(hint{Version: 20, Size: 7, Bytes: 1234, AddFiles: 3}.encode())
	if !strings.HasPrefix(data, `{"version":20,"size":7,`) {
		t.Errorf("version and size come not first: %s", data)
	}
	if got := parseHint([]byte(data)); got != 20 {
		t.Errorf("read as version %d: %s", got, data)
	}
}

func TestBrokenHints(t *testing.T) {
	whole := string(hint{Version: 20, Size: 7}.encode())
	for name, data := range map[string]string{
		"empty": "", "cut": whole[:20], "no version": `{"size":7}`, "negative": `{"version":-3,"size":7}`, "not a number": `{"version":"20"}`,
		"another version than the checksum's": strings.Replace(whole, "20", "21", 1),
	} {
		if got := parseHint([]byte(data)); got != -1 {
			t.Errorf("%s: read as version %d", name, got)
		}
	}
}
