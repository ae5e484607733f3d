package kinesistest

import (
	"encoding/json"
	"net/http"
	"time"
)

// A consumer is a registered one, for enhanced fan-out. It is active when it was described once.
type consumer struct {
	name, arn string
	created   time.Time
	described bool
}

func (c *consumer) object() object {
	status := "CREATING"
	if c.described {
		status = "ACTIVE"
	}
	return object{"ConsumerName": c.name, "ConsumerARN": c.arn, "ConsumerStatus": status, "ConsumerCreationTimestamp": seconds(c.created)}
}

func (s *stream) consumer(name, arn string) *consumer {
	for _, c := range s.consumers {
		if c.name == name || c.arn == arn {
			return c
		}
	}
	return nil
}

func (v *Server) register(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	if s.consumer(in.ConsumerName, "") != nil {
		return nil, refuse("ResourceInUseException", "Consumer %s already exists.", in.ConsumerName)
	}
	c := &consumer{name: in.ConsumerName, arn: v.arn(s.name) + "/consumer/" + in.ConsumerName + ":1", created: v.now()}
	s.consumers = append(s.consumers, c)
	return object{"Consumer": c.object()}, nil
}

func (v *Server) describeConsumer(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	c := s.consumer(in.ConsumerName, in.ConsumerARN)
	if c == nil {
		return nil, refuse("ResourceNotFoundException", "Consumer %s not found.", in.ConsumerName)
	}
	o := c.object()
	o["StreamARN"] = v.arn(s.name)
	c.described = true
	return object{"ConsumerDescription": o}, nil
}

// A subscription is one call of SubscribeToShard.
type subscription struct {
	v     *Server
	s     *stream
	sh    *shard
	next  int
	until time.Time
}

// subscribe answers SubscribeToShard for as long as the subscription lives.
func (v *Server) subscribe(w http.ResponseWriter, r *http.Request, in *request) error {
	sub, err := v.newSubscription(in)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	out := http.NewResponseController(w)
	write := func(m []byte) bool {
		if _, err := w.Write(m); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if !write(event([]byte("{}"), ":message-type", "event", ":event-type", "initial-response", ":content-type", "application/json")) {
		return nil
	}
	for heartbeat := true; ; heartbeat = true {
		m, more, changed := sub.event(heartbeat)
		if m == nil && !more {
			panic(http.ErrAbortHandler)
		}
		if m != nil && !write(m) || !more {
			return nil
		}
		wait := min(time.Until(sub.until), time.Second)
		if changed == nil {
			continue
		}
		select {
		case <-changed:
		case <-time.After(max(0, wait)):
		case <-r.Context().Done():
			return nil
		case <-v.done:
			return nil
		}
	}
}

func (v *Server) newSubscription(in *request) (*subscription, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	const op = "SubscribeToShard"
	v.calls[op]++
	v.calls[op+" "+in.ShardId]++
	if err := v.fault(op, in.ShardId).before(v.down); err != nil {
		return nil, err
	}
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	c, sh := s.consumer("", in.ConsumerARN), s.shard(in.ShardId)
	if c == nil || sh == nil {
		return nil, refuse("ResourceNotFoundException", "Consumer %s or shard %s not found.", in.ConsumerARN, in.ShardId)
	}
	if !c.described {
		return nil, refuse("ResourceInUseException", "Consumer %s is not ACTIVE.", c.name)
	}
	p := in.StartingPosition
	next, err := v.begin(sh, p.Type, p.SequenceNumber, p.Timestamp)
	if err != nil {
		return nil, err
	}
	life := v.Subscription
	if life == 0 {
		life = 5 * time.Minute
	}
	return &subscription{v, s, sh, next, time.Now().Add(life)}, nil
}

// eventRecords is the most records of one event.
const eventRecords = 500

// event is the next message and whether more may follow; neither means that the connection breaks. Without records there
// is one only as a heartbeat. changed is closed when there may be more; nil: there is more.
func (u *subscription) event(heartbeat bool) (m []byte, more bool, changed <-chan struct{}) {
	v := u.v
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.down:
		return nil, false, nil
	case v.streams[u.s.name] != u.s:
		return exception("ResourceNotFoundException", "Stream "+u.s.name+" not found."), false, nil
	case !time.Now().Before(u.until):
		return []byte{}, false, nil
	}
	f := v.fault(Event, u.sh.id)
	if f != nil && f.HangUp {
		return nil, false, nil
	}
	if f != nil && f.Code != "" {
		return exception(f.Code, f.Message), false, nil
	}
	b := u.sh.take(u.next, eventRecords, f)
	u.next = b.next
	h := head{behind: v.behind(u.sh, u.next), after: u.sh.first}
	if u.next > 0 {
		h.after = u.sh.records[u.next-1].seq
	}
	more = true
	if u.sh.last != "" && u.next == len(u.sh.records) {
		h.after, h.children, more = "", u.s.childList(u.sh.id), false
	}
	if u.next == len(u.sh.records) {
		changed = v.changed
	}
	payload := h.json(b.records)
	if f != nil && f.Mangle != nil {
		payload = f.Mangle(payload)
	}
	return event(payload, ":message-type", "event", ":event-type", "SubscribeToShardEvent", ":content-type", "application/json"), more, changed
}

func exception(code, message string) []byte {
	payload, _ := json.Marshal(object{"message": message})
	return event(payload, ":message-type", "exception", ":exception-type", code, ":content-type", "application/json")
}
