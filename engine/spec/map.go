package spec

// A Map is a mapping that keeps the order it was written in. A key without a value leaves V zero where V is
// a string or a pointer.
type Map[V any] []Entry[V]

// An Entry is one key of a Map.
type Entry[V any] struct {
	Key   string
	Value V
	At    Node `json:"-"` // the value, with its place; Null where the key stands alone
}

// Get is the value of key; ok is false where there is none.
func (m Map[V]) Get(key string) (value V, ok bool) {
	for _, e := range m {
		if e.Key == key {
			return e.Value, true
		}
	}
	return value, false
}

// Keys lists the keys in order.
func (m Map[V]) Keys() []string {
	keys := make([]string, len(m))
	for i, e := range m {
		keys[i] = e.Key
	}
	return keys
}

// UnmarshalNode fills m, keeping what m held before its keys come again.
func (m *Map[V]) UnmarshalNode(n Node) error { return m.decode(n, "") }

func (m *Map[V]) decode(n Node, enum string) error {
	if n.Kind() != Mapping && n.Kind() != Null {
		return n.Errorf("expected a map, found %s", n.describe())
	}
	d := decoder{}
	*m = make(Map[V], 0, len(n.Pairs()))
	for _, p := range n.Pairs() {
		e := Entry[V]{Key: p.Key.Text(), At: p.Value}
		d.entry(p.Value, &e.Value, enum)
		*m = append(*m, e)
	}
	return d.errs.orNil()
}

// element is a zero V, for the JSON Schema.
func (m Map[V]) element() any { return new(V) }
