package monitor_test

import (
	"net"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/monitor"
)

// A port that somebody else has is no reason not to run: one of the next is taken.
func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	l, err := monitor.Listen(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked, got := taken.Addr().(*net.TCPAddr), l.Addr().(*net.TCPAddr)
	if !got.IP.Equal(asked.IP) || got.Port <= asked.Port || got.Port > asked.Port+20 {
		t.Errorf("listens on %v, want one of the 20 ports after %v", got, asked)
	}
}

func TestListenRefuses(t *testing.T) {
	for _, c := range []struct{ addr, want string }{
		{"127.0.0.1", "missing port"},
		{"127.0.0.1:port", "port"},
		{"192.0.2.1:8089", "192.0.2.1"}, // an address for documents: nobody's
	} {
		if l, err := monitor.Listen(c.addr); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v; want an error with %q", c.addr, l, err, c.want)
		}
	}
}
