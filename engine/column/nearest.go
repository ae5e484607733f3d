package column

import (
	"strings"
	"unicode/utf8"
)

// Nearest is the one of names, of columns, types or whatever people write, that name may be a slip of, or "".
func Nearest(name string, names []string) string {
	best, nearest := 1+max(1, utf8.RuneCountInString(name)/3), ""
	lower := strings.ToLower(name)
	for _, n := range names {
		if d := distance(lower, strings.ToLower(n), best); d < best && n != name {
			best, nearest = d, n
		}
	}
	if nearest != "" || len(name) < 3 {
		return nearest
	}
	for _, n := range names { // an abbreviation
		if n != name && strings.HasPrefix(strings.ToLower(n), lower) {
			return n
		}
	}
	return ""
}

// distance counts the letters to add, drop, change or swap with a neighbour to make b of a (optimal string
// alignment). It gives limit where there are that many or more.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if max(len(x)-len(y), len(y)-len(x)) >= limit || len(x) > maxNameLength {
		return limit
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(y)], limit)
}

// maxNameLength bounds the names that suggestions are sought for, in characters.
const maxNameLength = 100
