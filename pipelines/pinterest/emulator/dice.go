package emulator

import "math/bits"

// A dice gives the random numbers of one event, in an order that hangs on nothing but what it was thrown
// for. It is SplitMix64, written here because what it gives must be the same with every version of Go: a
// demo goes on tomorrow with the seed of today.
type dice struct{ state uint64 }

// A purpose keeps the dice of one number apart.
type purpose uint64

const (
	forReplay purpose = iota + 1
	forDirt
	forPin
	forGeo
	forUser
	forPerson
	forPlace
)

// throw gives the dice of the n-th thing of a kind.
func throw(seed int64, p purpose, n int64) dice {
	d := dice{uint64(seed)}
	d.state = d.next() + uint64(p)
	d.state = d.next() + uint64(n)
	return d
}

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number from 0 to n-1.
func (d *dice) below(n int) int {
	high, _ := bits.Mul64(d.next(), uint64(n))
	return int(high)
}

// between gives a number from low to high, both included.
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

// chance is true n times of 1,000.
func (d *dice) chance(n int) bool { return d.below(1000) < n }

// unit gives a number from 0 to just under 1.
func (d *dice) unit() float64 { return float64(d.next()>>11) / (1 << 53) }

func (d *dice) pick(list []string) string { return list[d.below(len(list))] }

// weighted picks an index by its weight.
func (d *dice) weighted(weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := d.below(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	panic("emulator: weights that do not add up")
}
