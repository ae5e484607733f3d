package maintenance

import (
	"slices"
	"time"
)

// A Status is what became of a table's jobs in this process. Its JSON is part of the product.
type Status struct {
	Table             string    `json:"table"`
	Checkpoint        JobStatus `json:"checkpoint"`
	CheckpointVersion int64     `json:"checkpoint_version,omitempty"` // of the newest that this process wrote
	Optimize          JobStatus `json:"optimize"`
	FilesPacked       int64     `json:"files_packed"` // small files that were made larger ones
	Vacuum            JobStatus `json:"vacuum"`
	FilesDeleted      int64     `json:"files_deleted"`
}

// A JobStatus is what became of one kind of job.
type JobStatus struct {
	At       time.Time `json:"at,omitzero"`     // when it last succeeded; zero: never
	Failures int64     `json:"failures"`        // of this process
	Error    string    `json:"error,omitempty"` // of the last one, if it failed
}

// ended notes how the job ended.
func (j *JobStatus) ended(err error) {
	if err != nil {
		j.Failures++
		j.Error = err.Error()
		return
	}
	j.At, j.Error = time.Now(), ""
}

// Status is what became of the jobs, a Status a table in the order in which the tables were given. It may be called from
// any goroutine.
func (k *Keeper) Status() []Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.status)
}

// note has f write down what became of a table's job.
func (k *Keeper) note(table string, f func(*Status)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.status {
		if k.status[i].Table == table {
			f(&k.status[i])
		}
	}
}
