package engine

// A Count accounts for the rows of a source or a stream, or for those that a table refused. For a source In is records;
// else it is rows. Invariant: In + Made = Out + Filtered + Duplicate + Late + Quarantined + Aggregated + (what is held).
type Count struct {
	In          int64 `json:"in"`
	Out         int64 `json:"out"`
	Filtered    int64 `json:"filtered"`
	Duplicate   int64 `json:"duplicate"`
	Late        int64 `json:"late"`
	Quarantined int64 `json:"quarantined"`
	Aggregated  int64 `json:"aggregated,omitempty"` // rows that went into results
	Made        int64 `json:"made,omitempty"`       // results
	Lost        int64 `json:"lost,omitempty"`       // offsets gone before we came; not part of In

	LateDropped int64 `json:"late_dropped,omitempty"` // those of Late that are not in quarantine
}

// Add adds o to c.
func (c *Count) Add(o Count) {
	c.In += o.In
	c.Out += o.Out
	c.Filtered += o.Filtered
	c.Duplicate += o.Duplicate
	c.Late += o.Late
	c.Quarantined += o.Quarantined
	c.Aggregated += o.Aggregated
	c.Made += o.Made
	c.Lost += o.Lost
	c.LateDropped += o.LateDropped
}

// Sub is c − o.
func (c Count) Sub(o Count) Count {
	return Count{
		In: c.In - o.In, Out: c.Out - o.Out, Filtered: c.Filtered - o.Filtered, Duplicate: c.Duplicate - o.Duplicate,
		Late: c.Late - o.Late, Quarantined: c.Quarantined - o.Quarantined,
		Aggregated: c.Aggregated - o.Aggregated, Made: c.Made - o.Made, Lost: c.Lost - o.Lost, LateDropped: c.LateDropped - o.LateDropped,
	}
}

// Held is the rows taken in that have not come out yet.
func (c Count) Held() int64 {
	return c.In + c.Made - c.Out - c.Filtered - c.Duplicate - c.Late - c.Quarantined - c.Aggregated
}

// refused is the rows of it that are in quarantine.
func (c Count) refused() int64 { return c.Quarantined + c.Late - c.LateDropped }

// A Ledger accounts for every source and stream, and for what tables refused, by name, since the first start of the pipeline.
type Ledger map[string]Count

// Add adds o to l.
func (l Ledger) Add(o Ledger) {
	for name, c := range o {
		sum := l[name]
		sum.Add(c)
		l[name] = sum
	}
}

// Sub is l − o.
func (l Ledger) Sub(o Ledger) Ledger {
	d := make(Ledger, len(l))
	for name, c := range l {
		d[name] = c.Sub(o[name])
	}
	return d
}
