package kinesistest

import "net/http"

// A Fault is something that goes wrong, once or several times.
type Fault struct {
	Op    string // operation that it befalls, such as GetRecords; Event for the events of a subscription
	Shard string // of requests that name one or have an iterator; "": any
	After int    // requests that are let through before
	Times int    // how often; 0: once; below 0: always

	// An error: the request is not carried out, or the subscription ends with it. Status 0 with a Code is 400.
	Status  int
	Code    string // such as ProvisionedThroughputExceededException
	Message string

	HangUp  bool                     // the connection is closed without an answer
	Back    int                      // the answer begins so many records earlier than it should
	Reverse bool                     // its records come in the opposite order
	Mangle  func(body []byte) []byte // changes the bytes of the answer, JSON or CBOR
}

// Event is the Op of what goes wrong with a subscription's event.
const Event = "Event"

// Order has something go wrong from now on. Faults are used in the order in which they were ordered.
func (v *Server) Order(f Fault) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	if f.Status == 0 {
		f.Status = http.StatusBadRequest
	}
	v.faults = append(v.faults, &f)
}

// Pending is the number of faults that are still to come.
func (v *Server) Pending() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.faults)
}

// fault gives what goes wrong with a request. mu is held.
func (v *Server) fault(op, shard string) *Fault {
	for i, f := range v.faults {
		if f.Op != op || f.Shard != "" && f.Shard != shard {
			continue
		}
		if f.After > 0 {
			f.After--
			return nil
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				v.faults = append(v.faults[:i:i], v.faults[i+1:]...)
			}
		}
		return f
	}
	return nil
}
