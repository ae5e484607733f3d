package recovery

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// An Event is a line of the log of run that says how far a start is.
type Event struct {
	Time    time.Time    `json:"time"`
	Message string       `json:"msg"`
	HTTP    string       `json:"http"`    // of "listening"
	Objects int          `json:"objects"` // of "state opened"
	Bytes   int64        `json:"bytes"`   // of "state opened"
	Epoch   engine.Epoch `json:"epoch"`   // of "committed"
	Tables  int          `json:"tables"`  // of "committed": those that changed
}

// The messages of events.
const (
	Listening = "listening"
	Opened    = "state opened"
	Loaded    = "state loaded"
	Committed = "committed"
)

// Events gives the events of a log as they come, until it ends. What is no event goes to rest.
func Events(log io.Reader, rest io.Writer) <-chan Event {
	events := make(chan Event, 1<<10) // a reader that is late must not hold the process up
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var e Event
			if json.Unmarshal(lines.Bytes(), &e) != nil {
				rest.Write(append(lines.Bytes(), '\n')) //nolint:errcheck // the log is for people, and shown if the run fails
				continue
			}
			switch e.Message {
			case Listening, Opened, Loaded, Committed:
				events <- e
			default:
				rest.Write(append(lines.Bytes(), '\n')) //nolint:errcheck // as above
			}
		}
	}()
	return events
}
