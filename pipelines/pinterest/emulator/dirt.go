package emulator

import (
	"bytes"
	"strconv"
)

// A writer puts the texts of an event into one run of bytes.
type writer struct {
	buf  []byte
	from int
}

func (w *writer) whole(n int64) { w.buf = strconv.AppendInt(w.buf, n, 10) }

// take gives what was written since the last call.
func (w *writer) take() []byte {
	text := w.buf[w.from:len(w.buf):len(w.buf)]
	w.from = len(w.buf)
	return text
}

// spoil makes an event dirty, now and then.
func (e *Event) spoil(d *dice) {
	switch n := d.below(1000); {
	case n < 2:
		e.misdirect()
	case n < 4:
		e.addJunk(d)
	case n == 4:
		e.Geo = nil
	case n == 5:
		e.User = nil
	case n == 6:
		e.Geo, e.User = nil, nil
	}
}

// misdirect sends the pin to the user topic, too.
func (e *Event) misdirect() {
	stray := e.Pin[0]
	stray.Dirt = WrongTopic
	e.User = append([]Record{stray}, e.User...)
}

// addJunk puts a record that is no JSON behind the event's own of one topic.
func (e *Event) addJunk(d *dice) {
	records := []*[]Record{&e.Pin, &e.Geo, &e.User}[d.below(3)]
	r := (*records)[0]
	r.Value, r.Dirt = junk(d, r.Value), NotJSON
	*records = append(*records, r)
}

// junk is what senders made of a row that they did not serialise, or not to the end, or what somebody else
// answered in its place. It is one line.
func junk(d *dice, row []byte) []byte {
	switch d.below(6) {
	case 0: // Python's str of a dict
		return bytes.ReplaceAll(row, []byte(`"`), []byte(`'`))
	case 1: // a connection that broke
		return row[:len(row)/2]
	case 2:
		return []byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>")
	case 3: // JavaScript's String of an object
		return []byte("[object Object]")
	case 4: // a template language's text of a map
		return bytes.ReplaceAll(bytes.ReplaceAll(row, []byte(`":`), []byte(`=`)), []byte(`"`), nil)
	default: // Latin-1
		return bytes.Replace(row, []byte("e"), []byte("\xe9"), 1)
	}
}
