package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/engine/maintenance"
)

// mutantRuns is how many runs a mutant may survive before the simulation is called too weak.
const mutantRuns = 400

// caught fails t unless a simulation with a mutant in every process breaks its promise.
func caught(t *testing.T, s enginetest.Simulation) {
	t.Helper()
	s.Cases = cases()
	for seed := range uint64(mutantRuns) {
		if _, err := s.Play(t, seed, s.Script(seed)); err != nil {
			t.Logf("caught by seed %d: %.200s", seed, strings.SplitN(err.Error(), "\n", 2)[0])
			return
		}
	}
	t.Errorf("the mutant survived %d runs", mutantRuns)
}

// planted puts a mutant about every table.
func planted(wrap func(engine.Table, *enginetest.Rig, string) engine.Table) enginetest.Simulation {
	return enginetest.Simulation{Plant: func(r *enginetest.Rig) {
		for name, table := range r.Ports.Tables {
			r.Ports.Tables[name] = wrap(table, r, name)
		}
	}}
}

// Each of these breaks one promise from outside, at a seam that is there anyway.

// TestCatchesConflictTakenForDone: a 409 says that nothing was decided. Who reads it as "exists", and that as one's own,
// goes on without what was to be written.
func TestCatchesConflictTakenForDone(t *testing.T) {
	caught(t, enginetest.Simulation{Store: func(s blob.Store) blob.Store { return hopeful{s} }})
}

type hopeful struct{ blob.Store }

func (h hopeful) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	if err := h.Store.PutIfAbsent(ctx, name, data); errors.Is(err, fault.ErrCrashed) || errors.Is(err, blob.ErrExists) || ctx.Err() != nil {
		return err
	}
	return nil
}

// TestCatchesOwnSuccessTakenForLoss: a 412 may be for one's own put. Who takes it for another's commits the same files
// again behind it.
func TestCatchesOwnSuccessTakenForLoss(t *testing.T) {
	caught(t, enginetest.Simulation{Store: func(s blob.Store) blob.Store { return &forgetsOwn{Store: s} }, Plant: func(r *enginetest.Rig) {
		for name, table := range r.Ports.Tables {
			r.Ports.Tables[name] = blind{table}
		}
	}})
}

// forgetsOwn never shows a log entry as the one that was put: its writer does not know it again.
type forgetsOwn struct{ blob.Store }

func (s *forgetsOwn) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.Store.Get(ctx, name)
	if strings.Contains(name, "_delta_log/") {
		data = []byte(strings.ReplaceAll(string(data), `"txnId":"`, `"txnId":"not `))
	}
	return data, err
}

// blind commits whatever epoch the table has.
type blind struct{ engine.Table }

func (b blind) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	s, err := b.State(ctx)
	if err != nil {
		return 0, err
	}
	if p.Prev = s.Epoch; p.Epoch <= s.Epoch {
		p.Epoch = s.Epoch + 1
	}
	return b.Table.Commit(ctx, p, info)
}

// TestCatchesStaleListBelieved: a start that takes an older checkpoint for the newest.
func TestCatchesStaleListBelieved(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints { return behind{c} }))
}

func checkpoints(wrap func(engine.Checkpoints, blob.Store) engine.Checkpoints) enginetest.Simulation {
	return enginetest.Simulation{Plant: func(r *enginetest.Rig) { r.Ports.Checkpoints = wrap(r.Ports.Checkpoints, r.Blobs) }}
}

type behind struct{ engine.Checkpoints }

func (b behind) Newest(ctx context.Context) (*engine.Checkpoint, error) {
	c, err := b.Checkpoints.Newest(ctx)
	if err == nil && c != nil && c.Epoch > 0 {
		if older, err := b.Read(ctx, c.Epoch-1); err == nil {
			return older, nil
		}
	}
	return c, err
}

// TestCatchesTwoOfOneCheckpoint: a process that goes on when another has written its checkpoint.
func TestCatchesTwoOfOneCheckpoint(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints { return unfenced{c} }))
}

type unfenced struct{ engine.Checkpoints }

func (u unfenced) Write(ctx context.Context, c *engine.Checkpoint) error {
	if err := u.Checkpoints.Write(ctx, c); !errors.Is(err, engine.ErrFenced) {
		return err
	}
	return nil
}

// TestCatchesCheckpointOverwritten: one that writes over another's.
func TestCatchesCheckpointOverwritten(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, blobs blob.Store) engine.Checkpoints { return overwriting{c, blobs} }))
}

type overwriting struct {
	engine.Checkpoints
	blobs blob.Store
}

func (o overwriting) Write(ctx context.Context, c *engine.Checkpoint) error {
	name := fmt.Sprintf("%s/checkpoints/%020d.json", enginetest.CheckpointHome, c.Epoch)
	if err := o.blobs.Delete(ctx, name); err != nil {
		return err
	}
	return o.Checkpoints.Write(ctx, c)
}

// TestCatchesOrphanReferenced: a retry that takes the files of a crashed attempt for its own.
func TestCatchesOrphanReferenced(t *testing.T) {
	caught(t, planted(func(table engine.Table, r *enginetest.Rig, name string) engine.Table {
		return greedy{table, blob.Sub(r.Blobs, name)}
	}))
}

type greedy struct {
	engine.Table
	store blob.Store
}

func (g greedy) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	s, err := delta.Load(ctx, g.store, delta.Latest)
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	for _, a := range s.Files() {
		known[a.Path] = true
	}
	for _, f := range p.Files {
		known[f.Path] = true
	}
	for info, err := range g.store.List(ctx, "part-", "") {
		if err != nil {
			return 0, err
		}
		if !known[info.Name] {
			p.Files = append(p.Files, engine.File{Path: info.Name, Size: info.Size, Add: delta.AddAction(info.Name, nil, info.Size, 1, "")})
		}
	}
	return g.Table.Commit(ctx, p, info)
}

// TestCatchesPreparedVacuumed: a vacuum that does not ask the checkpoints what is on its way.
func TestCatchesPreparedVacuumed(t *testing.T) {
	caught(t, enginetest.Simulation{Vacuum: func(v *maintenance.Vacuum) {
		v.Unsafe, v.Open = true, func(string) (blob.Store, error) { return nil, errors.New("nobody asked") }
	}})
}

// TestCatchesIncarnationIgnored: a line that began anew takes the commits of the one before for its own.
func TestCatchesIncarnationIgnored(t *testing.T) {
	caught(t, planted(func(table engine.Table, _ *enginetest.Rig, _ string) engine.Table { return oneLine{table} }))
}

type oneLine struct{ engine.Table }

func (o oneLine) Open(ctx context.Context, _ string) (engine.TableState, error) {
	s, err := o.Table.Open(ctx, "always the same")
	s.Epoch, s.Others = engine.NoEpoch, nil
	return s, err
}

// TestCatchesStateForgotten: operators that begin anew after a restart.
func TestCatchesStateForgotten(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints { return forgetful{c} }))
}

type forgetful struct{ engine.Checkpoints }

func (forgetful) OpenState(context.Context, engine.StateRef) (engine.State, error) {
	return nothing{}, nil
}

type nothing struct{}

func (nothing) Sections() []engine.Section { return nil }

func (nothing) Read(context.Context, []int, func(int, io.Reader) error) error { return nil }

// TestCatchesPositionOffByOne: a checkpoint that says one record more, or less, than there is.
func TestCatchesPositionOffByOne(t *testing.T) {
	for name, by := range map[string]engine.Offset{"more": 1, "less": -1} {
		t.Run(name, func(t *testing.T) {
			caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints { return shifted{c, by} }))
		})
	}
}

type shifted struct {
	engine.Checkpoints
	by engine.Offset
}

func (s shifted) Write(ctx context.Context, c *engine.Checkpoint) error {
	other := *c
	other.Partitions = append([]engine.PartitionState(nil), c.Partitions...)
	for i := range other.Partitions {
		if p := &other.Partitions[i]; p.Next > 0 {
			p.Next += s.by
		}
	}
	return s.Checkpoints.Write(ctx, &other)
}
