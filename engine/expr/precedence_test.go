package expr

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A bound is a text of operators and how tightly the loosest of them binds that stands in no parentheses: the
// place in the table of doc.go, counted from 1. It is said a second time here, to be compared with the parser's.
type bound struct {
	binds int
	text  string // without parentheses where the table makes them needless
	whole string // with all of them
}

const (
	looseOr = iota + 1
	looseAnd
	looseNot
	looseDistinct
	looseIs
	looseCompare
	looseRange
	looseConcat
	looseAdd
	looseTimes
	looseMinus
	looseNone
)

// as is the text where an operator wants operands that bind at least so tightly.
func (b bound) as(binds int) string {
	if b.binds < binds {
		return "(" + b.text + ")"
	}
	return b.text
}

// join is an operator of left and right, which must bind as tightly as said.
func join(binds int, left bound, leftBinds int, op string, right bound, rightBinds int) bound {
	return bound{binds, left.as(leftBinds) + " " + op + " " + right.as(rightBinds), "(" + left.whole + " " + op + " " + right.whole + ")"}
}

// before puts an operator before its operand. Two minus signs are kept apart: they begin a comment.
func before(binds int, op string, x bound) bound {
	return bound{binds, op + " " + x.as(binds), "(" + op + " " + x.whole + ")"}
}

// behind puts an operator behind its operand.
func behind(binds int, x bound, xBinds int, op string) bound {
	return bound{binds, x.as(xBinds) + " " + op, "(" + x.whole + " " + op + ")"}
}

// number makes an operation of small ints.
func (g *generator) number(depth int) bound {
	if depth == 0 || g.IntN(4) == 0 {
		leaf := pick(g.Rand, "(i % 3)", "(j % 3)", "1", "2", "3")
		return bound{looseNone, leaf, leaf}
	}
	x, y := g.number(depth-1), g.number(depth-1)
	switch g.IntN(6) {
	case 0, 1:
		return join(looseAdd, x, looseAdd, pick(g.Rand, "+", "-"), y, looseTimes)
	case 2, 3:
		return join(looseTimes, x, looseTimes, "*", y, looseMinus)
	case 4:
		return behind(looseTimes, x, looseTimes, pick(g.Rand, "// 2", "% 3"))
	}
	return before(looseMinus, pick(g.Rand, "-", "+"), x)
}

// word makes an operation that gives a string.
func (g *generator) word(depth int) bound {
	leaf := pick(g.Rand, "s", "u", "'a'", "'%a'")
	x := bound{looseNone, leaf, leaf}
	if depth == 0 {
		return x
	}
	y := g.operation(depth - 1)
	if g.IntN(2) == 0 {
		return join(looseConcat, x, looseConcat, "||", y, looseAdd)
	}
	return join(looseConcat, y, looseConcat, "||", x, looseAdd)
}

// condition makes an operation that gives a bool.
func (g *generator) condition(depth int) bound {
	if depth == 0 {
		leaf := pick(g.Rand, "b", "c", "TRUE", "FALSE")
		return bound{looseNone, leaf, leaf}
	}
	x, y := g.condition(depth-1), g.condition(depth-1)
	switch g.IntN(7) {
	case 0:
		return join(looseOr, x, looseOr, "OR", y, looseAnd)
	case 1:
		return join(looseAnd, x, looseAnd, "AND", y, looseNot)
	case 2:
		return before(looseNot, "NOT", x)
	case 3:
		return behind(looseIs, g.operation(depth-1), looseIs, pick(g.Rand, "IS NULL", "IS NOT NULL"))
	case 4:
		return behind(looseIs, x, looseIs, pick(g.Rand, "IS TRUE", "IS NOT FALSE"))
	}
	if g.IntN(3) == 0 {
		p, q := g.word(depth-1), g.word(depth-1)
		return join(looseRange, p, looseConcat, pick(g.Rand, "LIKE", "NOT LIKE"), q, looseConcat)
	}
	return g.comparison(depth - 1)
}

// comparison compares two operations of one type.
func (g *generator) comparison(depth int) bound {
	of := pick(g.Rand, g.number, g.word, g.condition)
	x, y := of(depth), of(depth)
	switch g.IntN(4) {
	case 0:
		return join(looseDistinct, x, looseIs, pick(g.Rand, "IS DISTINCT FROM", "IS NOT DISTINCT FROM"), y, looseCompare)
	case 1:
		z := of(depth)
		op := pick(g.Rand, "BETWEEN", "NOT BETWEEN")
		return bound{looseRange, join(0, x, looseConcat, op, y, looseConcat).text + " AND " + z.as(looseConcat),
			"(" + x.whole + " " + op + " " + y.whole + " AND " + z.whole + ")"}
	case 2:
		op := pick(g.Rand, "IN", "NOT IN")
		return bound{looseRange, x.as(looseConcat) + " " + op + " (" + y.text + ", " + x.text + ")", "(" + x.whole + " " + op + " (" + y.whole + ", " + x.whole + "))"}
	}
	return join(looseCompare, x, looseRange, pick(g.Rand, "=", "<>", "<", "<=", ">", ">="), y, looseRange)
}

// operation makes one of any of these types.
func (g *generator) operation(depth int) bound {
	return pick(g.Rand, g.number, g.word, g.condition)(depth)
}

// TestPrecedence: without the parentheses that the table makes needless, operators make the same tree.
func TestPrecedence(t *testing.T) {
	g := newGenerator(1)
	for range 5000 {
		b := g.operation(4)
		got, err := parse(b.text)
		if err != nil {
			t.Fatalf("%s, for %s: %v", b.text, b.whole, err)
		}
		want, err := parse(b.whole)
		if err != nil {
			t.Fatalf("%s: %v", b.whole, err)
		}
		if diff := cmp.Diff(want, got, withoutPlaces()); diff != "" {
			t.Fatalf("%s is read as %s, want %s", b.text, source(got), source(want))
		}
	}
}
