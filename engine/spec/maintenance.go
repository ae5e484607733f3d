package spec

import (
	"strings"
	"time"
)

// Maintenance is what is done for the tables of a pipeline while it runs. A duration of 0: never, or for
// Retention, what the table says.
type Maintenance struct {
	Checkpoint bool
	Optimize   time.Duration
	Vacuum     time.Duration
	Retention  time.Duration
}

// leastRetention is the least time for which removed files are kept: Delta's own default.
const leastRetention = 7 * 24 * time.Hour

// maintenance takes when the tables are looked after.
func (l *loader) maintenance() {
	m := l.layout.Maintenance
	l.def.Maintenance = Maintenance{Checkpoint: m.Checkpoint, Optimize: m.Optimize.Every, Vacuum: m.Vacuum.Every, Retention: m.Vacuum.Retention}
	if r := m.Vacuum.Retention; r != 0 && r < leastRetention {
		l.errorf(get(get(l.section("maintenance"), "vacuum"), "retention"), "a retention of less than 168h: readers of older versions would fail, and files "+
			"could be deleted that another writer is about to commit; once, table vacuum --unsafe does it")
	}
}

// A MaintenanceDescription says what is done for the tables. An empty duration: never, or what the table says.
type MaintenanceDescription struct {
	Checkpoint bool   `json:"checkpoint"`
	Optimize   string `json:"optimize"`
	Vacuum     string `json:"vacuum"`
	Retention  string `json:"retention"`
}

func (m Maintenance) describe() MaintenanceDescription {
	return MaintenanceDescription{m.Checkpoint, duration(m.Optimize), duration(m.Vacuum), duration(m.Retention)}
}

// text is the description on one line.
func (m MaintenanceDescription) text() string {
	var parts []string
	if m.Checkpoint {
		parts = append(parts, "checkpoints of the logs")
	}
	if m.Optimize != "" {
		parts = append(parts, "small files put together, looked for every "+m.Optimize)
	}
	if m.Vacuum != "" {
		kept := "as long as each table says"
		if m.Retention != "" {
			kept = m.Retention
		}
		parts = append(parts, "old files deleted every "+m.Vacuum+", kept "+kept)
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}
