package delta

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Properties are the entries of a table's configuration that concern who writes to it, with Delta's defaults
// where the table says nothing (https://docs.delta.io/latest/table-properties.html).
type Properties struct {
	AppendOnly         bool          // rows may not be taken out
	CheckpointInterval int64         // versions from checkpoint to checkpoint
	LogRetention       time.Duration // how long entries of the log are kept that a checkpoint covers
	LogCleanup         bool          // whether older ones are deleted
	FileRetention      time.Duration // how long files are kept that were removed from the table
	TxnRetention       time.Duration // after which an application's txn is forgotten; 0: never

	// IndexedColumns is the number of leaf columns, from the first on, that have statistics; -1: all.
	IndexedColumns int
	// StatsColumns are the columns that have statistics instead, if there are any.
	StatsColumns []string
}

// Indexed is the columns that the table wants statistics of.
func (p *Properties) Indexed() Indexing {
	if len(p.StatsColumns) > 0 {
		return IndexNamed(p.StatsColumns...)
	}
	return IndexFirst(p.IndexedColumns)
}

const day = 24 * time.Hour

// Properties reads the entries of the configuration. The error names every one that can't be understood.
func (m *Metadata) Properties() (Properties, error) {
	p := Properties{
		CheckpointInterval: 10, LogRetention: 30 * day, LogCleanup: true, FileRetention: 7 * day, IndexedColumns: 32,
	}
	var errs []error
	read := func(key string, take func(value string) error) {
		if v, ok := m.Configuration["delta."+key]; ok {
			if err := take(v); err != nil {
				errs = append(errs, fmt.Errorf("property delta.%s = %q: %w", key, v, err))
			}
		}
	}
	flag := func(to *bool) func(string) error {
		return func(v string) (err error) { *to, err = parseFlag(v); return err }
	}
	interval := func(to *time.Duration) func(string) error {
		return func(v string) (err error) { *to, err = parseInterval(v); return err }
	}
	read("appendOnly", flag(&p.AppendOnly))
	read("enableExpiredLogCleanup", flag(&p.LogCleanup))
	read("logRetentionDuration", interval(&p.LogRetention))
	read("deletedFileRetentionDuration", interval(&p.FileRetention))
	read("setTransactionRetentionDuration", interval(&p.TxnRetention))
	read("checkpointInterval", func(v string) (err error) { p.CheckpointInterval, err = parseCount(v, 1); return err })
	read("dataSkippingNumIndexedCols", func(v string) error {
		n, err := parseCount(v, -1)
		p.IndexedColumns = int(n)
		return err
	})
	read("dataSkippingStatsColumns", func(v string) error {
		p.StatsColumns = parseNames(v)
		return nil
	})
	return p, errors.Join(errs...)
}

func (s *state) properties() (Properties, error) { return s.metadata.Properties() }

func (p *Properties) txnExpired(t Txn, now time.Time) bool {
	return p.TxnRetention > 0 && t.UpdatedMillis > 0 && t.UpdatedMillis < now.Add(-p.TxnRetention).UnixMilli()
}

func (p *Properties) tombstoneExpired(d *Remove, now time.Time) bool {
	return d.DeletedMillis < now.Add(-p.FileRetention).UnixMilli()
}

func parseFlag(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("expected true or false")
}

func parseCount(v string, least int64) (int64, error) {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < least {
		return 0, fmt.Errorf("expected a whole number from %d on", least)
	}
	return n, nil
}

// intervalUnits are those of a fixed length: months and years are refused, as Spark refuses them here.
var intervalUnits = [...]struct {
	name string
	unit time.Duration
}{
	{"week", 7 * day}, {"day", day}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second},
	{"millisecond", time.Millisecond}, {"microsecond", time.Microsecond},
}

// parseInterval reads Spark's way to write a duration: "interval 1 week", "interval 2 days 12 hours".
func parseInterval(v string) (time.Duration, error) {
	words := strings.Fields(strings.ToLower(v))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, errInterval
	}
	var sum time.Duration
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i], 10, 64)
		unit := intervalUnit(strings.TrimSuffix(words[i+1], "s"))
		if err != nil || n < 0 || unit == 0 || n > int64(maxInterval/unit) {
			return 0, errInterval
		}
		if sum += time.Duration(n) * unit; sum > maxInterval {
			return 0, errInterval
		}
	}
	return sum, nil
}

const maxInterval = 100 * 365 * day // so that sums of them fit

var errInterval = errors.New("expected an interval such as interval 30 days, in weeks, days, hours, minutes or seconds, below 100 years")

func intervalUnit(name string) time.Duration {
	for _, u := range intervalUnits {
		if u.name == name {
			return u.unit
		}
	}
	return 0
}

// parseNames reads a list of columns: names with commas between them, a name in backquotes where it holds
// other characters. The names come without them, the parts of a nested one joined by dots.
func parseNames(v string) []string {
	var names []string
	var name strings.Builder
	quoted := false
	for _, r := range v {
		switch {
		case r == '`':
			quoted = !quoted
		case r == ',' && !quoted:
			names = append(names, name.String())
			name.Reset()
		case r == ' ' && !quoted:
		default:
			name.WriteRune(r)
		}
	}
	return append(names, name.String())
}
