package emulator

// A Tally is what a pipeline must make of the events that were added to it, whatever their order: events
// that come more than once, as replays or because a sender began again, count once as rows.
type Tally struct {
	Pin, Geo, User Count

	pins, geos, users map[int64]struct{} // indexes seen
}

// A Count is a table's share. Invariant: Records = Rows + Duplicates + NotJSON + WrongTopic.
type Count struct {
	Records    int64 // sent to the topic
	Rows       int64 // distinct clean rows: what the table holds in the end
	Duplicates int64
	NotJSON    int64 // records that are quarantined because they do not decode
	WrongTopic int64 // records that are quarantined because they have no index of this table
}

// Quarantined is the records that give no row and are no duplicate.
func (c Count) Quarantined() int64 { return c.NotJSON + c.WrongTopic }

// Add counts what was sent of an event.
func (t *Tally) Add(e Event) {
	if t.pins == nil {
		t.pins, t.geos, t.users = map[int64]struct{}{}, map[int64]struct{}{}, map[int64]struct{}{}
	}
	t.Pin.add(e.Ind, e.Pin, t.pins)
	t.Geo.add(e.Ind, e.Geo, t.geos)
	t.User.add(e.Ind, e.User, t.users)
}

func (c *Count) add(ind int64, records []Record, seen map[int64]struct{}) {
	for _, r := range records {
		c.Records++
		_, again := seen[ind]
		switch {
		case r.Dirt == NotJSON:
			c.NotJSON++
		case r.Dirt == WrongTopic:
			c.WrongTopic++
		case again:
			c.Duplicates++
		default:
			c.Rows++
			seen[ind] = struct{}{}
		}
	}
}
