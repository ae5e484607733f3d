package window

import "github.com/millrace-io/millrace/engine"

// A due is when to look at a session: not before the end that it had when that was noted.
type due struct {
	at    engine.Time
	group uint32
}

// dues are a heap: the first is the earliest, and none is earlier than that at half its index.
type dues []due

func (d *dues) push(x due) {
	h := append(*d, x)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2].at > x.at {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = x
	*d = h
}

func (d *dues) pop() due {
	h := *d
	first, x := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	i := 0
	for {
		next := 2*i + 1
		if next >= len(h) {
			break
		}
		if next+1 < len(h) && h[next+1].at < h[next].at {
			next++
		}
		if h[next].at >= x.at {
			break
		}
		h[i] = h[next]
		i = next
	}
	if len(h) > 0 {
		h[i] = x
	}
	*d = h
	return first
}
