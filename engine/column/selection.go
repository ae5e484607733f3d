package column

// A Selection is the rows of a batch that count, by index, ascending and without repeats. Operators that
// drop rows narrow the selection; nobody moves values for it. A nil Selection means every row; an empty
// one that is not nil means none.
type Selection []int32

// Count is the number of rows selected out of n.
func (s Selection) Count(n int) int {
	if s == nil {
		return n
	}
	return len(s)
}

// All yields the selected rows out of n in order.
func (s Selection) All(n int) func(yield func(row int) bool) {
	return func(yield func(int) bool) {
		if s == nil {
			for i := range n {
				if !yield(i) {
					return
				}
			}
			return
		}
		for _, i := range s {
			if !yield(int(i)) {
				return
			}
		}
	}
}
