package kinesistest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Server is a Kinesis. Make one with New. Its fields are set before it is used.
type Server struct {
	URL string

	PageShards   int           // shards of a page of ListShards; 0: all
	Limits       bool          // 5 reads and 2 MiB a second and shard, as a real stream has them
	Subscription time.Duration // how long a subscription lives; 0: 5 minutes
	NoCBOR       bool          // requests in CBOR are refused
	LateEnd      bool          // the answer that ends a shard has no records, and comes after the one with the last of them
	NeverBehind  bool          // answers say that the reader has caught up, whatever is left
	Account      string        // in ARNs; "": 000000000000

	listener net.Listener
	server   *http.Server
	done     chan struct{} // closed by Close

	mu      sync.Mutex
	streams map[string]*stream
	faults  []*Fault
	stamp   int            // of the youngest stream
	counter int            // of the last sequence number
	expired int            // how often Expire was called
	latest  time.Time      // the last time that now gave
	down    bool           // requests are hung up on
	refused int            // reads that Limits did not allow
	key     string         // that the last request was signed with
	calls   map[string]int // by operation, and by operation and shard
	meters  map[string]*meter
	changed chan struct{} // closed, and made anew, with every change of a stream
}

// New starts a server on a port of loopback.
func New() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	v := &Server{
		URL: "http://" + l.Addr().String(), listener: l, done: make(chan struct{}), streams: map[string]*stream{},
		calls: map[string]int{}, meters: map[string]*meter{}, changed: make(chan struct{}),
	}
	v.server = &http.Server{Handler: http.HandlerFunc(v.serve), ReadHeaderTimeout: time.Minute}
	go v.server.Serve(l) //nolint:errcheck // it says that Close was called
	return v, nil
}

// Close ends the server and all connections.
func (v *Server) Close() error {
	close(v.done)
	return v.server.Close()
}

// now is a time that no other record has. mu is held.
func (v *Server) now() time.Time {
	t := time.Now()
	if !t.After(v.latest) {
		t = v.latest.Add(1)
	}
	v.latest = t
	return t
}

// change runs f alone and wakes subscriptions.
func (v *Server) change(f func() error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := f()
	close(v.changed)
	v.changed = make(chan struct{})
	return err
}

// failure is an error as an answer has it.
type failure struct {
	status        int
	code, message string
}

// Error is code and message.
func (f failure) Error() string { return f.code + ": " + f.message }

func refuse(code, format string, args ...any) error {
	return failure{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

func noStream(name string) error {
	return refuse("ResourceNotFoundException", "Stream %s under account 000000000000 not found.", name)
}

// errHangUp is the error of a request that is not answered.
var errHangUp = errors.New("hang up")

const (
	jsonType = "application/x-amz-json-1.1"
	cborType = "application/x-amz-cbor-1.1"
)

func (v *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	v.signed(r.Header.Get("Authorization"))
	cbor := r.Header.Get("Content-Type") == cborType
	var in request
	if cbor && v.NoCBOR {
		err = failure{http.StatusBadRequest, "SerializationException", ""}
		cbor = false
	} else {
		err = in.read(body, cbor)
	}
	var out []byte
	switch {
	case err != nil:
	case op == "SubscribeToShard":
		err = v.subscribe(w, r, &in)
		if err == nil {
			return
		}
	default:
		out, err = v.answer(op, &in, cbor)
	}
	if errors.Is(err, errHangUp) {
		panic(http.ErrAbortHandler)
	}
	kind := jsonType
	if cbor {
		kind = cborType
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-0000-0000-000000000000")
	status := http.StatusOK
	var f failure
	if errors.As(err, &f) {
		status = f.status
		out, _ = json.Marshal(map[string]string{"__type": f.code, "message": f.message})
		if cbor {
			out = cborText([]byte{0xa2}, "__type", f.code, "message", f.message)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(out))) // as Kinesis does it
	w.WriteHeader(status)
	w.Write(out) //nolint:errcheck // the client tells
}

// answer carries a request out.
func (v *Server) answer(op string, in *request, cbor bool) (out []byte, err error) {
	shard := in.shard()
	v.mu.Lock()
	v.calls[op]++
	v.calls[op+" "+shard]++
	f, down := v.fault(op, shard), v.down
	v.mu.Unlock()
	if err := f.before(down); err != nil {
		return nil, err
	}
	if op == "GetRecords" {
		out, err = v.getRecords(in, f, cbor)
	} else {
		do := operations()[op]
		if do == nil {
			return nil, refuse("UnknownOperationException", "%s", op)
		}
		var result any
		err = v.change(func() error {
			result, err = do(v, in)
			return err
		})
		if err == nil && result != nil {
			out, err = json.Marshal(result)
		}
	}
	if err == nil && f != nil && f.Mangle != nil {
		out = f.Mangle(out)
	}
	return out, err
}

// signed notes which key a request was signed with.
func (v *Server) signed(authorization string) {
	_, after, _ := strings.Cut(authorization, "Credential=")
	v.mu.Lock()
	defer v.mu.Unlock()
	v.key, _, _ = strings.Cut(after, "/")
}

// before is what goes wrong before a request is carried out. f may be nil.
func (f *Fault) before(down bool) error {
	switch {
	case down || f != nil && f.HangUp:
		return errHangUp
	case f != nil && f.Code != "":
		return failure{f.Status, f.Code, f.Message}
	}
	return nil
}
