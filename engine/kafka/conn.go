package kafka

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	dialTimeout = 10 * time.Second
	askTimeout  = 30 * time.Second // for an answer to begin, beyond what the broker was told it may wait; and to end
	mostAnswer  = 1 << 30          // bytes; a longer one is not believed
)

// A conn is a connection to one broker. One request is on its way at a time; it serves one goroutine.
//
// Only requests of fixed versions pass, which every broker from 2.1.0 on understands, so nothing is negotiated; but for
// Metadata, of which newer brokers are asked for more.
type conn struct {
	net.Conn
	stop    func() bool // ends the watch on the context
	format  *kmsg.RequestFormatter
	last    int32     // correlation id of the last request
	out     []byte    // the last request
	renewed time.Time // when the login ends and the connection must be made anew; zero: never
}

// dial connects to a broker and logs in. The connection breaks when ctx is done.
func (c *Config) dial(ctx context.Context, address string) (*conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	nc, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	k := &conn{Conn: nc, format: kmsg.NewRequestFormatter(kmsg.FormatterClientID("millrace"))}
	k.stop = context.AfterFunc(ctx, func() { nc.Close() })
	err = c.encrypt(ctx, k, address)
	if err == nil {
		err = c.login(k)
	}
	if err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// encrypt puts TLS on the connection, if the config says so.
func (c *Config) encrypt(ctx context.Context, k *conn, address string) error {
	if !c.TLS.Enabled {
		return nil
	}
	conf, err := c.TLS.config()
	if err != nil {
		return fatal{err}
	}
	if conf.ServerName == "" {
		if conf.ServerName, _, err = net.SplitHostPort(address); err != nil {
			return err
		}
	}
	secure := tls.Client(k.Conn, conf)
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	k.Conn = secure
	return nil
}

// Close ends the connection.
func (k *conn) Close() error {
	k.stop()
	return k.Conn.Close()
}

// ask sends a request and reads its answer into resp. The answer takes at most patience to begin. memory
// gives the bytes in which the answer is read and which resp may go on to use.
func (k *conn) ask(req kmsg.Request, resp kmsg.Response, patience time.Duration, memory func(size int) []byte) error {
	k.last++
	k.out = k.format.AppendRequest(k.out[:0], req, k.last)
	if err := k.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := k.Write(k.out); err != nil {
		return err
	}
	// An answer, big endian: int32 length of what follows, int32 correlation id, tagged fields (of flexible versions, see
	// afterTags), body.
	var head [8]byte
	if _, err := io.ReadFull(k, head[:]); err != nil {
		return err
	}
	size, id := int32(binary.BigEndian.Uint32(head[:])), int32(binary.BigEndian.Uint32(head[4:]))
	if size < 4 || size > mostAnswer || id != k.last {
		return fmt.Errorf("an answer of %d bytes to request %d, where one to %d was due", size, id, k.last)
	}
	if err := k.SetDeadline(time.Now().Add(askTimeout)); err != nil {
		return err
	}
	body := memory(int(size) - 4)
	if _, err := io.ReadFull(k, body); err != nil {
		return err
	}
	resp.SetVersion(req.GetVersion())
	if resp.IsFlexible() {
		var ok bool
		if body, ok = afterTags(body); !ok {
			return fmt.Errorf("an answer of %d bytes ends in its head", size)
		}
	}
	if err := resp.ReadFrom(body); err != nil {
		return fmt.Errorf("read an answer of %d bytes: %w", len(body), err)
	}
	return nil
}

// alloc is memory for an answer that nobody gives back.
func alloc(size int) []byte { return make([]byte, size) }
