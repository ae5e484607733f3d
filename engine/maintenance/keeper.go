package maintenance

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// A Schedule says what a Keeper does and when. A duration of 0: never.
type Schedule struct {
	Checkpoint    bool          // writes the checkpoints that the table's interval asks for
	OptimizeEvery time.Duration // how often to look whether a table has got files enough
	VacuumEvery   time.Duration // from the end of one to the next; the first comes after a quarter of it
	Retention     time.Duration // of Vacuum; 0: what the table says
}

// A Keeper looks after the tables of a pipeline while it runs. It does one thing at a time, in one goroutine.
// What fails is logged as a warning and tried again when it is due the next time: nothing that a Keeper does
// is needed for the tables to be right. Due may be called from any goroutine; Run once.
type Keeper struct {
	tables   []Table
	schedule Schedule
	optimize Optimize // Progress and Tiered are set by the Keeper
	vacuum   Vacuum   // Retention and DataOnly are set by the Keeper
	log      *slog.Logger

	mu     sync.Mutex
	status []Status
	due    map[string]int64 // newest version that a checkpoint is due for, by table
	files  map[string]int   // that commits have added since the table was optimized, by table
	ready  chan struct{}    // of length 1: something is due
}

// NewKeeper makes a Keeper. It does nothing until Run.
func NewKeeper(tables []Table, s Schedule, o Optimize, v Vacuum, log *slog.Logger) *Keeper {
	o.Tiered, v.Retention, v.DataOnly = true, s.Retention, true
	k := &Keeper{tables: tables, schedule: s, optimize: o, vacuum: v, log: log, due: map[string]int64{}, files: map[string]int{}, ready: make(chan struct{}, 1)}
	for _, t := range tables {
		k.status = append(k.status, Status{Table: t.Name})
		k.files[t.Name] = tolerated // what earlier runs have left is not known: look once
	}
	return k
}

// Due says that a table's interval asks for a checkpoint of a version. It does not wait.
func (k *Keeper) Due(table string, version int64) {
	if !k.schedule.Checkpoint {
		return
	}
	k.mu.Lock()
	k.due[table] = version
	k.mu.Unlock()
	select {
	case k.ready <- struct{}{}:
	default:
	}
}

// Committed says that a commit has added files to a table. A table is optimized when it may have more small files
// than are tolerated.
func (k *Keeper) Committed(table string, files int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files[table] += files
}

// worth says whether so many files have come to a table that it is worth looking at them, and counts anew.
func (k *Keeper) worth(table string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files[table] < tolerated {
		return false
	}
	delete(k.files, table)
	return true
}

// Run works until stop is closed, then writes the checkpoints that are due yet and returns; what else is
// under way it gives up, which is safe at any moment. When ctx is done it returns at once.
func (k *Keeper) Run(ctx context.Context, stop <-chan struct{}) {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	go func() { // a job that is long does not hold up the end
		select {
		case <-stop:
		case <-ended:
		}
		cancel()
	}()
	optimize, vacuum := after(k.schedule.OptimizeEvery), after(k.schedule.VacuumEvery/4)
	for work.Err() == nil {
		select {
		case <-k.ready:
			k.checkpoints(work)
		case <-optimize:
			k.each(work, k.optimizeTable)
			optimize = after(k.schedule.OptimizeEvery)
		case <-vacuum:
			k.each(work, k.vacuumTable)
			vacuum = after(k.schedule.VacuumEvery)
		case <-work.Done():
		}
	}
	k.checkpoints(ctx)
}

// after is time.After, and never for 0.
func after(d time.Duration) <-chan time.Time {
	if d <= 0 {
		return nil
	}
	return time.After(d)
}

// each does a job for every table, and between two of them the checkpoints that came due.
func (k *Keeper) each(ctx context.Context, job func(context.Context, Table)) {
	for _, t := range k.tables {
		if ctx.Err() != nil {
			return
		}
		job(ctx, t)
		k.checkpoints(ctx)
	}
}

// checkpoints writes what is due. What is given up because ctx is over stays due.
func (k *Keeper) checkpoints(ctx context.Context) {
	for _, t := range k.tables {
		k.mu.Lock()
		version, due := k.due[t.Name]
		k.mu.Unlock()
		if !due || ctx.Err() != nil {
			continue
		}
		done, err := Checkpoint(ctx, t)
		if ctx.Err() != nil {
			return
		}
		k.mu.Lock()
		if k.due[t.Name] == version {
			delete(k.due, t.Name)
		}
		k.mu.Unlock()
		k.note(t.Name, func(s *Status) {
			if s.Checkpoint.ended(err); err == nil {
				s.CheckpointVersion = done.Version
			}
		})
		if err != nil {
			k.log.Warn("could not write a checkpoint of the table's log: reading the table takes longer, nothing else", "table", t.Name, "error", err)
			continue
		}
		k.log.Debug("checkpoint of the table's log", "table", t.Name, "version", done.Version, "cleaned", done.Cleaned)
	}
}

func (k *Keeper) optimizeTable(ctx context.Context, t Table) {
	if !k.worth(t.Name) {
		return
	}
	o := k.optimize
	o.Progress = func(Optimized) { k.checkpoints(ctx) }
	done, err := o.Run(ctx, t)
	if ctx.Err() == nil {
		k.note(t.Name, func(s *Status) {
			s.Optimize.ended(err)
			s.FilesPacked += int64(done.FilesRemoved)
		})
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		k.log.Warn("could not put small files together: the table is right, and has many", "table", t.Name, "error", err)
	case done.Commits > 0:
		k.log.Debug("small files put together", "table", t.Name, "removed", done.FilesRemoved, "added", done.FilesAdded, "bytes", done.BytesAdded)
	}
}

func (k *Keeper) vacuumTable(ctx context.Context, t Table) {
	done, err := k.vacuum.Run(ctx, t)
	if ctx.Err() == nil {
		k.note(t.Name, func(s *Status) {
			s.Vacuum.ended(err)
			s.FilesDeleted += int64(len(done.Files))
		})
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		k.log.Warn("could not delete files that are needed no more: they take up room, nothing else", "table", t.Name, "error", err)
	case len(done.Files) > 0:
		k.log.Debug("files deleted that are needed no more", "table", t.Name, "files", len(done.Files), "bytes", done.Bytes)
	}
}

// Pending is the tables that a checkpoint is due for.
func (k *Keeper) Pending() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.due))
}
