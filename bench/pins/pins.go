// Package pins makes the records of the benchmark "pins": Pinterest pins as JSON of about 730 bytes, with
// fresh ids, one of ten an exact repeat of one that came shortly before.
//
// Record n is a function of the Config and n, so any number of readers and checks can make the same
// records again, and how many are distinct is arithmetic:
//
//	records   0 … 9      10 … 19     20 … 29
//	          ┌──────┐   ┌──────┐    ┌──────┐     each block of ten has one repeat, at a place of its
//	          │··r···│   │······│r   │r·····│     own, of a record at most 50,000 before it
//	          └──────┘   └──────┘    └──────┘
//
// A record's index and unique_id are fresh; the other columns are one of a pool of texts, as they would
// be if few pins were posted again and again, or with Fresh texts of its own.
package pins

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
)

// A Config says which records. The zero Config is the benchmark's own but for Records.
type Config struct {
	Records    int64 // how many; at least 1
	Partitions int   // 0: 4
	Seed       int64
	Texts      []emulator.Pin // the pool; nil: Pool(Seed, PoolSize)
	Fresh      bool           // every record has texts of its own; there is no pool
}

// What the benchmark runs with unless told otherwise.
const (
	Records    = 1_000_000
	Partitions = 4
	PoolSize   = 883
)

const (
	block  = 10     // records, one of which is a repeat
	recent = 50_000 // records: how far back a repeat goes at most
)

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var errs []error
	if c.Records < 1 {
		errs = append(errs, fmt.Errorf("%d records: expected at least 1", c.Records))
	}
	if c.Partitions < 0 {
		errs = append(errs, fmt.Errorf("%d partitions: expected at least 1", c.Partitions))
	}
	if c.Texts != nil && len(c.Texts) == 0 {
		errs = append(errs, errors.New("a pool of no texts: expected at least 1"))
	}
	if c.Fresh && c.Texts != nil {
		errs = append(errs, errors.New("a pool of texts and fresh texts: expected one of them"))
	}
	return errors.Join(errs...)
}

// A Record is one record of the workload.
type Record struct {
	Partition int    // by the key's first bits, which are random: a repeat comes in the partition of what it repeats
	Key       []byte // the unique_id
	Value     []byte // JSON
}

// Generate gives the records in order and ends with the first error of yield. It tells how many different
// ones were given: the rows that a right pipeline leaves. key and value stay as they are after the call.
func Generate(c Config, yield func(partition int, key, value []byte) error) (distinct int64, err error) {
	if err := c.Validate(); err != nil {
		return 0, err
	}
	for n, r := range All(c) {
		if err := yield(r.Partition, r.Key, r.Value); err != nil {
			return c.distinctBefore(n), fmt.Errorf("record %d: %w", n, err)
		}
	}
	return c.Distinct(), nil
}

// All gives the records with their numbers, from 0. c must be valid.
func All(c Config) iter.Seq2[int64, Record] {
	return func(yield func(int64, Record) bool) {
		g := newGenerator(c)
		for n := range c.Records {
			if !yield(n, g.record(c.origin(n))) {
				return
			}
		}
	}
}

// Distinct is the number of different records.
func (c Config) Distinct() int64 { return c.distinctBefore(c.Records) }

func (c Config) distinctBefore(n int64) int64 {
	repeats := n / block
	if rest := n % block; c.repeatOf(n/block) < rest {
		repeats++
	}
	return n - repeats
}

// repeatOf is the place of the repeat in the b-th block of ten.
func (c Config) repeatOf(b int64) int64 {
	random := mix(c.Seed, forPlace, b)
	if b == 0 { // the first record of all has nothing to repeat
		return 1 + int64(random%(block-1))
	}
	return int64(random % block)
}

func (c Config) isRepeat(n int64) bool { return c.repeatOf(n/block) == n%block }

// origin is n, or the record that n repeats. A repeat is never of a repeat, so one step finds it: blocks
// have one repeat each, so one of two neighbours in a block is none.
func (c Config) origin(n int64) int64 {
	if !c.isRepeat(n) {
		return n
	}
	m := n - 1 - int64(mix(c.Seed, forDistance, n)%uint64(min(n, recent-1)))
	switch {
	case !c.isRepeat(m):
		return m
	case m%block == 0:
		return m + 1
	default:
		return m - 1
	}
}

// A purpose keeps the random numbers of one record apart.
type purpose uint64

const (
	forPlace purpose = iota + 1
	forDistance
	forText
	forHighID
	forLowID
)

// mix gives a random number of what it is asked for: the end of SplitMix64, which spreads every bit.
func mix(seed int64, p purpose, n int64) uint64 {
	z := uint64(seed)*0x9e3779b97f4a7c15 + uint64(p)<<56 + uint64(n)
	for range 2 {
		z += 0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
	}
	return z
}

// Pool makes size pins to take texts from.
func Pool(seed int64, size int) []emulator.Pin {
	pool := make([]emulator.Pin, size)
	for i := range pool {
		pool[i] = emulator.PinAt(seed, int64(i))
	}
	return pool
}

// ReadTexts reads a pool of texts: pins as JSON, one after the other. Members that are no columns of a pin
// are ignored.
func ReadTexts(r io.Reader) ([]emulator.Pin, error) {
	var pool []emulator.Pin
	for d := json.NewDecoder(r); ; {
		var p emulator.Pin
		err := d.Decode(&p)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read texts: pin %d: %w", len(pool)+1, err)
		}
		pool = append(pool, p)
	}
	if len(pool) == 0 {
		return nil, errors.New("read texts: there is no pin")
	}
	return pool, nil
}

// index is what record n has as its index: from 1, as long in digits as those of a large table.
func index(n int64) int64 { return n + 1 }

// A generator makes records. It holds the pool as JSON: only the ids are new in each record.
type generator struct {
	c          Config
	partitions uint64
	tails      [][]byte // of each pin of the pool, from behind the unique_id's last quote; nil: fresh texts
	chunk      []byte   // memory for the records to come
}

func newGenerator(c Config) *generator {
	g := &generator{c: c, partitions: uint64(c.Partitions)}
	if g.partitions == 0 {
		g.partitions = Partitions
	}
	if c.Fresh {
		return g
	}
	pool := c.Texts
	if pool == nil {
		pool = Pool(c.Seed, PoolSize)
	}
	for _, p := range pool {
		g.tails = append(g.tails, tail(p))
	}
	return g
}

// tail is a pin as JSON from behind its unique_id on.
func tail(p emulator.Pin) []byte {
	p.Index, p.UniqueID = 0, ""
	const head = `{"index": 0, "unique_id": "`
	return p.AppendSpaced(nil)[len(head):]
}

func (g *generator) record(n int64) Record {
	high, low := mix(g.c.Seed, forHighID, n), mix(g.c.Seed, forLowID, n)
	buf := g.room()
	buf = append(buf, `{"index": `...)
	buf = strconv.AppendInt(buf, index(n), 10)
	buf = append(buf, `, "unique_id": "`...)
	id := len(buf)
	buf = emulator.AppendUUID(buf, high, low)
	key := buf[id:len(buf):len(buf)]
	buf = append(buf, g.tail(n)...)
	g.chunk = buf[len(buf):]
	return Record{Partition: int(high % g.partitions), Key: key, Value: buf[:len(buf):len(buf)]}
}

// tail gives the texts of record n.
func (g *generator) tail(n int64) []byte {
	if g.tails == nil {
		return tail(emulator.PinAt(g.c.Seed, n))
	}
	return g.tails[mix(g.c.Seed, forText, n)%uint64(len(g.tails))]
}

// room gives memory for a record that nobody else has. Most records fit; append moves one that does not.
func (g *generator) room() []byte {
	const chunk, enough = 1 << 20, 4096
	if cap(g.chunk) < enough {
		g.chunk = make([]byte, 0, chunk)
	}
	return g.chunk[:0]
}
