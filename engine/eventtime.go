package engine

import (
	"fmt"
	"slices"
	"strings"
)

// A TimeFrom says what the event time of a source's rows is made from. Watermarks, and the state of operators, mean
// something only to rows of the same; so it is kept in the checkpoint. Its form stays from release to release.
type TimeFrom struct {
	Column string   `json:"column"`       // of the source's schema, or "record.timestamp"
	As     []string `json:"as,omitempty"` // EventTime.As
}

// from is what the event time is made from.
func (t EventTime) from() TimeFrom { return TimeFrom{t.name(), t.As} }

// String is "column posted as iso or yyyy-MM-dd", for people.
func (f TimeFrom) String() string {
	switch {
	case f.Column == EventTime{}.name():
		return f.Column
	case len(f.As) == 0:
		return "column " + f.Column
	}
	return fmt.Sprintf("column %s as %s", f.Column, strings.Join(f.As, " or "))
}

// agrees says whether no value is one time by f and another by o: who of them tries more formats, behind those of the
// other, reads what the other refuses.
func (f TimeFrom) agrees(o TimeFrom) bool {
	n := min(len(f.As), len(o.As))
	return f.Column == o.Column && slices.Equal(f.As[:n], o.As[:n])
}

// times is what the event time of each source is made from, as a checkpoint after one with before notes it: the longer of
// two that agree, for values that were read by it are in the state.
func (p *Plan) times(before map[string]TimeFrom) map[string]TimeFrom {
	all := map[string]TimeFrom{}
	for i := range p.Sources {
		s := &p.Sources[i]
		all[s.Name] = s.Time.from()
		if was, known := before[s.Name]; known && was.agrees(all[s.Name]) && len(was.As) > len(all[s.Name].As) {
			all[s.Name] = was
		}
	}
	return all
}

// retimed lists the sources whose event time is made from something else than c says.
func (p *Plan) retimed(c *Checkpoint) []*SourcePlan {
	var all []*SourcePlan
	for i := range p.Sources {
		s := &p.Sources[i]
		if was, known := c.Times[s.Name]; known && !was.agrees(s.Time.from()) {
			all = append(all, s)
		}
	}
	return all
}

// checkTimes says which sources have another event time than the rows that the state of c was made of.
func (t *Task) checkTimes(c *Checkpoint) []error {
	var errs []error
	for _, s := range t.plan.retimed(c) {
		if holders := t.holders(c, s.Name); len(holders) > 0 {
			errs = append(errs, fmt.Errorf("source %s: its event time was that of %v and now is that of %v, and operators have saved state that was made with the first (%s): "+
				"times of both would be compared with each other; change it back, or give the pipeline another name, or give the state up with --drop-state %s",
				s.Name, c.Times[s.Name], s.Time.from(), strings.Join(holders, ", "), strings.Join(holders, " --drop-state ")))
		}
	}
	return errs
}

// holders lists the operators to which rows of a source come, and whose saved state in c is not given up. Any of them
// may have looked at the rows' event time.
func (t *Task) holders(c *Checkpoint, source string) []string {
	var all []string
	for i := range t.plan.Streams {
		s := &t.plan.Streams[i]
		if !slices.Contains(t.plan.sourcesOf(s.Name), source) {
			continue
		}
		for _, step := range s.Steps {
			id := stepID(s.Name, step.Name)
			if _, saved := c.Operators[id]; saved && !slices.Contains(t.opt.DropState, id) {
				all = append(all, id)
			}
		}
	}
	return all
}

// retime gives the partitions of c as this plan goes on with them: the watermarks of a source whose event time is made
// from something else begin anew. Nothing holds any of it that they would be compared with: see checkTimes.
func (t *Task) retime(c *Checkpoint) []PartitionState {
	all := slices.Clone(c.Partitions)
	for _, s := range t.plan.retimed(c) {
		t.log.Info("event time begins anew", "source", s.Name, "was", c.Times[s.Name].String(), "is", s.Time.from().String())
		for i := range all {
			if all[i].Source == s.Name {
				all[i].Watermark = MinTime
			}
		}
	}
	return all
}
