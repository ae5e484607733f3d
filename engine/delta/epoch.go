package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// Prepare checks that the table can still take p. A later epoch of ours in the log is no matter here: it is
// another process's, and the checkpoint decides which of the two is fenced.
func (t *Table) Prepare(ctx context.Context, p engine.Prepared) error {
	err := t.refresh(ctx)
	if err == nil {
		_, err = t.adds(p)
	}
	if err == nil {
		err = t.same(t.state, p)
	}
	if err == nil {
		err = t.usable(t.state)
	}
	if err == nil && p.Replace && t.state.files != nil {
		err = t.replaceable(t.state)
	}
	if err == nil && t.epoch(t.state) < p.Prev {
		err = t.foreign(t.state, p)
	}
	if err != nil {
		return fmt.Errorf("prepare epoch %d of table %s: %w", p.Epoch, t.config.Name, err)
	}
	return nil
}

// errDone ends the commit of an epoch that the log has.
var errDone = errors.New("the epoch is committed")

// Commit makes p's files part of the table unless the log says that they are, or that it and the checkpoint
// do not belong together (engine.ErrForeign). After another error the commit may be in the log or not: it
// can be repeated.
func (t *Table) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (version int64, err error) {
	lines, err := t.adds(p)
	if t.state == nil {
		err = errNotOpen
	}
	if err != nil {
		return 0, fmt.Errorf("commit epoch %d to table %s: %w", p.Epoch, t.config.Name, err)
	}
	s, err := t.toCommitOn(ctx, p)
	if err == nil {
		err = t.committer.commit(ctx, s, proposal{build: func(s *state) (draft, error) { return t.draft(s, p, lines, info) }})
	}
	if err != nil && !errors.Is(err, errDone) {
		return 0, fmt.Errorf("commit epoch %d to table %s: %w", p.Epoch, t.config.Name, err)
	}
	t.state = s
	if err == nil {
		t.tellCheckpoint(s)
	}
	if err == nil && t.config.Committed != nil {
		t.config.Committed(len(p.Files))
	}
	return s.txns[t.appID()].at, nil
}

// toCommitOn is a copy of the table's state to commit p on. To replace the table's rows their files must be
// known, which a state that only ever appends does not keep.
func (t *Table) toCommitOn(ctx context.Context, p engine.Prepared) (*state, error) {
	if !p.Replace || t.state.files != nil {
		return t.state.clone(), nil
	}
	s := newState(true)
	return s, s.advance(ctx, t.config.Store, Latest)
}

// tellCheckpoint tells of a version that asks for a checkpoint: one that is a multiple of the interval, or our first
// commit after one, which another writer has made, or a process that died before it wrote the checkpoint.
func (t *Table) tellCheckpoint(s *state) {
	keep, err := s.properties()
	if err == nil && t.config.CheckpointDue != nil && s.version/keep.CheckpointInterval > max(0, t.checkpoint)/keep.CheckpointInterval {
		t.checkpoint = s.version
		t.config.CheckpointDue(s.version)
	}
}

// draft is the entry of p behind s, with lines for its files.
func (t *Table) draft(s *state, p engine.Prepared, lines []byte, info engine.CommitInfo) (draft, error) {
	if err := t.accept(s, p); err != nil {
		return draft{}, err
	}
	d := draft{info: t.commitInfo(p, info), lines: t.txn(p)}
	m, err := t.evolved(s)
	if err != nil {
		return draft{}, err
	}
	if m != nil {
		d.lines = append(append(d.lines, line(action{Metadata: m})...), '\n')
		d.info.BlindAppend = new(false)
	}
	if p.Replace {
		removed := s.files.sorted()
		for _, a := range removed {
			d.lines = append(append(d.lines, line(action{Remove: a.remove(time.Now().UnixMilli(), true)})...), '\n')
		}
		d.info.Metrics["numRemovedFiles"] = jsonOf(strconv.Itoa(len(removed)))
		d.info.BlindAppend = new(false)
	}
	d.lines = append(d.lines, lines...)
	return d, nil
}

// accept is the compare of compare-and-set.
func (t *Table) accept(s *state, p engine.Prepared) error {
	if err := t.same(s, p); err != nil {
		return err
	}
	switch t.epoch(s) {
	case p.Prev:
		err := t.usable(s)
		if err == nil && p.Replace {
			err = t.replaceable(s)
		}
		if err != nil {
			return fmt.Errorf("the table was changed since the epoch was prepared, undo that and start again: %w", err)
		}
		return nil
	case p.Epoch:
		return errDone
	default:
		return t.foreign(s, p)
	}
}

// replaceable says why the rows of s can't be replaced: they are not all this pipeline's.
func (t *Table) replaceable(s *state) error {
	keep, err := s.properties()
	switch {
	case err != nil:
		return err
	case keep.AppendOnly:
		return errors.New("the table has the property delta.appendOnly, so its rows can't be replaced: take the property away, or append to another table")
	case s.changed > s.txns[t.appID()].at && t.epoch(s) != engine.NoEpoch,
		t.epoch(s) == engine.NoEpoch && len(s.files.live) > 0 && len(t.othersIn(s)) == 0:
		return fmt.Errorf("version %d added rows of another writer, which would be lost: a table in mode replace belongs to one pipeline", s.changed)
	}
	return nil
}

// same says whether s is the table that p was made for.
func (t *Table) same(s *state, p engine.Prepared) error {
	if s.metadata.ID == p.ID {
		return nil
	}
	return fmt.Errorf("%w: the table at %s has the id %s, the checkpoint was made for %s. The table was dropped and made again, or its path "+
		"leads to another one now: put the table of the checkpoint back, or delete the checkpoints and begin anew with --new-line", engine.ErrForeign, t.config.Store.URL(), s.metadata.ID, p.ID)
}

func (t *Table) foreign(s *state, p engine.Prepared) error {
	advice := "The table is behind: it was restored to an earlier version, or replaced by an older copy. Bring back the version that holds epoch " +
		strconv.FormatInt(int64(p.Prev), 10) + ", or delete the checkpoints and begin anew with --new-line and an empty table"
	if t.epoch(s) > p.Prev {
		advice = "The checkpoint is behind: another process has taken over, or the checkpoints were replaced by an older copy. " +
			"Stop this process, and bring the newest checkpoints back"
	}
	return fmt.Errorf("%w: the log of %s has %s of this pipeline where the checkpoint expects %s. %s",
		engine.ErrForeign, t.config.Store.URL(), epochName(t.epoch(s)), epochName(p.Prev), advice)
}

func epochName(e engine.Epoch) string {
	if e == engine.NoEpoch {
		return "no epoch"
	}
	return "epoch " + strconv.FormatInt(int64(e), 10)
}

func (t *Table) txn(p engine.Prepared) []byte {
	return append(line(action{Txn: &Txn{AppID: t.appID(), Version: int64(p.Epoch), UpdatedMillis: time.Now().UnixMilli()}}), '\n')
}

// adds is the lines that make p's files part of the table. p may come from a checkpoint, bytes from outside:
// a line that is not what the file says would be in the log for good.
func (t *Table) adds(p engine.Prepared) ([]byte, error) {
	var lines bytes.Buffer
	seen := make(map[string]bool, len(p.Files))
	for _, f := range p.Files {
		if err := t.checkFile(f); err != nil {
			return nil, fmt.Errorf("file %s: %w", f.Path, err)
		}
		if seen[f.Path] {
			return nil, fmt.Errorf("file %s is named twice", f.Path)
		}
		seen[f.Path] = true
		if err := json.Compact(&lines, f.Add); err != nil {
			return nil, fmt.Errorf("file %s: %w", f.Path, err)
		}
		lines.WriteByte('\n')
	}
	return lines.Bytes(), nil
}

func (t *Table) checkFile(f engine.File) error {
	var a action
	if err := json.Unmarshal(f.Add, &a); err != nil {
		return fmt.Errorf("its add action: %w", err)
	}
	if a.Add == nil {
		return errors.New("it has no add action")
	}
	name, err := a.Add.Name()
	if err != nil {
		return err
	}
	by := slices.Sorted(maps.Keys(a.Add.PartitionValues))
	switch {
	case name != f.Path || a.Add.Size != f.Size:
		return fmt.Errorf("it has %d bytes, its add action is of %s with %d bytes", f.Size, name, a.Add.Size)
	case !slices.Equal(by, slices.Sorted(slices.Values(t.config.PartitionBy))):
		return fmt.Errorf("its add action has values of the partition columns %s, the table is partitioned by %s", listed(by), listed(t.config.PartitionBy))
	}
	return nil
}

// commitInfo says of the commit what Spark's streaming sink says, and our ledger.
func (t *Table) commitInfo(p engine.Prepared, info engine.CommitInfo) CommitInfo {
	rows, size := int64(0), int64(0)
	for _, f := range p.Files {
		rows += f.Rows
		size += f.Size
	}
	mode := "Append"
	if p.Replace {
		mode = "Complete"
	}
	return CommitInfo{
		Operation: "STREAMING UPDATE",
		Parameters: texts(map[string]string{
			"outputMode": mode, "queryId": info.Pipeline + "/" + t.incarnation, "epochId": strconv.FormatInt(int64(p.Epoch), 10),
			"prevEpochId": strconv.FormatInt(int64(p.Prev), 10), "ledger": string(jsonOf(info.Ledger)),
		}),
		IsolationLevel: "WriteSerializable",
		BlindAppend:    new(true),
		Metrics: texts(map[string]string{
			"numAddedFiles": strconv.Itoa(len(p.Files)), "numRemovedFiles": "0",
			"numOutputRows": strconv.FormatInt(rows, 10), "numOutputBytes": strconv.FormatInt(size, 10),
		}),
		EngineInfo: t.config.EngineInfo,
	}
}
