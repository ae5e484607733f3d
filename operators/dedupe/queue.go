package dedupe

import (
	"math/bits"

	"github.com/millrace-io/millrace/engine"
)

// A ref is the place of a held row.
type ref struct {
	by    uint64 // what refs are sorted by: in a queue the row's time, see rank
	chunk uint32 // number of the chunk
	row   uint32 // in the chunk
}

const refBytes = 16

// rank makes of times what compares as they do.
func rank(t engine.Time) uint64 { return uint64(t) ^ 1<<63 }

// A queue holds refs until their time has come. It is a radix heap: bucket i has those whose time differs from last in bit
// i−1 and in none above it, bucket 0 those that do not differ or are before last.
//
//	last        0110 1000
//	bucket 0    0110 1000
//	bucket 3    0110 11..
//	bucket 5    0111 ....
//
// When time moves on to a new last that differs from the old one first in the bit of bucket i, all buckets below i have come,
// those above stay as they are, and i itself is dealt out to the buckets below it. So a ref moves down only, in long runs
// of memory, and is looked at a few times in its life, however many there are.
type queue struct {
	last    uint64
	buckets [65][]ref
}

func (q *queue) add(r ref) {
	i := 0
	if r.by > q.last {
		i = bits.Len64(r.by ^ q.last)
	}
	q.buckets[i] = append(q.buckets[i], r)
}

// due moves the refs whose time is before upto to the end of due, in no order. All are before MaxTime.
func (q *queue) due(upto engine.Time, due []ref) []ref {
	if upto == engine.MaxTime {
		return q.drain(due)
	}
	to, top := rank(upto), 0
	if to > q.last {
		top = bits.Len64(to ^ q.last)
		q.last = to
	}
	for i := range top {
		due = append(due, q.buckets[i]...)
		q.buckets[i] = emptied(q.buckets[i])
	}
	split := q.buckets[top]
	q.buckets[top] = split[:0] // it takes in nothing but, if it is bucket 0, what was read before
	for _, r := range split {
		if r.by < to {
			due = append(due, r)
		} else {
			q.add(r)
		}
	}
	if top > 0 {
		q.buckets[top] = emptied(split)
	}
	return due
}

// drain moves all refs to the end of all.
func (q *queue) drain(all []ref) []ref {
	for i, b := range q.buckets {
		all = append(all, b...)
		q.buckets[i] = emptied(b)
	}
	return all
}

// size is the memory held, in bytes.
func (q *queue) size() int64 {
	n := 0
	for _, b := range q.buckets {
		n += cap(b)
	}
	return int64(n) * refBytes
}

// mostSpare is how many refs an empty slice may have room for: one that a burst has made larger is given up.
const mostSpare = 1 << 16

// emptied is refs without what is in it, and without its memory if that is much.
func emptied(refs []ref) []ref {
	if cap(refs) > mostSpare {
		return nil
	}
	return refs[:0]
}

// sorted sorts refs by what they are to be sorted by; equal ones stay in order. It takes memory from spare, and the result
// may have changed places with it.
func sorted(refs []ref, spare *[]ref) []ref {
	differ, fine := uint64(0), true
	for i := 1; i < len(refs); i++ {
		differ |= refs[i].by ^ refs[0].by
		fine = fine && refs[i-1].by <= refs[i].by
	}
	if fine {
		return refs
	}
	if cap(*spare) < len(refs) {
		*spare = make([]ref, len(refs)+len(refs)/4)
	}
	to := (*spare)[:len(refs)]
	for shift := 0; shift < 64; shift += 8 {
		if differ>>shift&0xff == 0 {
			continue
		}
		var next [256]uint32
		for i := range refs {
			next[refs[i].by>>shift&0xff]++
		}
		sum := uint32(0)
		for i, n := range next {
			next[i] = sum
			sum += n
		}
		for _, r := range refs {
			digit := r.by >> shift & 0xff
			to[next[digit]] = r
			next[digit]++
		}
		refs, to = to, refs
	}
	*spare = to[:0]
	return refs
}
