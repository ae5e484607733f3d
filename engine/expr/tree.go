package expr

import (
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A tree is an expression as it was written, before names and types are known. It is one of the types
// below. Places are offsets in bytes in the source.
type tree interface {
	place() int
	// write appends the tree as source that parses to the same tree: everything that has parts stands in
	// parentheses.
	write(b *strings.Builder)
}

type (
	// nameTree is a column's name; parts of a dotted name are joined.
	nameTree struct {
		at     int
		name   string
		quoted bool // it stands in quotes, as a text may by mistake
	}
	// numberTree is a number as written, with a minus sign that stood before it.
	numberTree struct {
		at   int
		text string
	}
	// textTree is 'text', or DATE 'text' or TIMESTAMP 'text' where kind says so.
	textTree struct {
		at   int
		kind column.Kind // String, Date or Timestamp
		text string
	}
	// wordTree is NULL, TRUE or FALSE.
	wordTree struct {
		at   int
		word string
	}
	// unaryTree is NOT x, -x or +x.
	unaryTree struct {
		at int
		op string
		x  tree
	}
	// binaryTree is an operator between two operands. at is the operator's.
	binaryTree struct {
		at          int
		op          string
		left, right tree
	}
	// isTree is x IS [NOT] word, which is NULL, TRUE or FALSE.
	isTree struct {
		at   int
		x    tree
		word string
		not  bool
	}
	// inTree is x [NOT] IN (list).
	inTree struct {
		at   int
		x    tree
		not  bool
		list []tree
	}
	// betweenTree is x [NOT] BETWEEN low AND high.
	betweenTree struct {
		at           int
		x, low, high tree
		not          bool
	}
	// likeTree is x [NOT] LIKE pattern [ESCAPE escape]; escape may be nil.
	likeTree struct {
		at                 int
		x, pattern, escape tree
		not                bool
	}
	// caseTree is CASE [operand] WHEN … THEN … [ELSE other] END; operand and other may be nil.
	caseTree struct {
		at             int
		operand, other tree
		whens          []whenTree
	}
	whenTree struct{ when, then tree }
	// castTree is CAST(x AS to), or TRY_CAST.
	castTree struct {
		at  int
		x   tree
		to  column.Type
		try bool
	}
	// callTree is a function's call; name is in lower case.
	callTree struct {
		at   int
		name string
		args []tree
	}
	// fieldTree is x.name, of an x that is no name itself: the name of a column has its dots within.
	fieldTree struct {
		at   int
		x    tree
		name string
	}
	// elementTree is list[index].
	elementTree struct {
		at          int
		list, index tree
	}
)

func (t *nameTree) place() int    { return t.at }
func (t *numberTree) place() int  { return t.at }
func (t *textTree) place() int    { return t.at }
func (t *wordTree) place() int    { return t.at }
func (t *unaryTree) place() int   { return t.at }
func (t *binaryTree) place() int  { return t.left.place() }
func (t *isTree) place() int      { return t.x.place() }
func (t *inTree) place() int      { return t.x.place() }
func (t *betweenTree) place() int { return t.x.place() }
func (t *likeTree) place() int    { return t.x.place() }
func (t *caseTree) place() int    { return t.at }
func (t *castTree) place() int    { return t.at }
func (t *callTree) place() int    { return t.at }
func (t *elementTree) place() int { return t.list.place() }
func (t *fieldTree) place() int   { return t.x.place() }

func (t *nameTree) write(b *strings.Builder)   { b.WriteString(quotedName(t.name)) }
func (t *numberTree) write(b *strings.Builder) { b.WriteString(t.text) }
func (t *wordTree) write(b *strings.Builder)   { b.WriteString(t.word) }

func (t *textTree) write(b *strings.Builder) {
	if t.kind != column.String {
		b.WriteString(strings.ToUpper(t.kind.String()) + " ")
	}
	b.WriteString(quoted(t.text))
}

func (t *unaryTree) write(b *strings.Builder) { writeAll(b, "(", t.op, "(", t.x, "))") }

func (t *binaryTree) write(b *strings.Builder) {
	writeAll(b, "(", t.left, " ", t.op, " ", t.right, ")")
}

func (t *isTree) write(b *strings.Builder) { writeAll(b, "(", t.x, " IS ", not(t.not), t.word, ")") }

func (t *inTree) write(b *strings.Builder) {
	writeAll(b, "(", t.x, " ", not(t.not), "IN (")
	writeList(b, t.list)
	b.WriteString("))")
}

func (t *betweenTree) write(b *strings.Builder) {
	writeAll(b, "(", t.x, " ", not(t.not), "BETWEEN ", t.low, " AND ", t.high, ")")
}

func (t *likeTree) write(b *strings.Builder) {
	writeAll(b, "(", t.x, " ", not(t.not), "LIKE ", t.pattern)
	if t.escape != nil {
		writeAll(b, " ESCAPE ", t.escape)
	}
	b.WriteString(")")
}

func (t *caseTree) write(b *strings.Builder) {
	b.WriteString("CASE ")
	if t.operand != nil {
		writeAll(b, t.operand, " ")
	}
	for _, w := range t.whens {
		writeAll(b, "WHEN ", w.when, " THEN ", w.then, " ")
	}
	if t.other != nil {
		writeAll(b, "ELSE ", t.other, " ")
	}
	b.WriteString("END")
}

func (t *castTree) write(b *strings.Builder) {
	if t.try {
		b.WriteString("TRY_")
	}
	writeAll(b, "CAST(", t.x, " AS ", t.to.String(), ")")
}

func (t *callTree) write(b *strings.Builder) {
	writeAll(b, t.name, "(")
	writeList(b, t.args)
	b.WriteString(")")
}

func (t *elementTree) write(b *strings.Builder) { writeAll(b, t.list, "[", t.index, "]") }

func (t *fieldTree) write(b *strings.Builder) { writeAll(b, "(", t.x, ").", quotedName(t.name)) }

// source is the tree as text that parses to it.
func source(t tree) string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

// writeAll writes strings and trees one behind the other.
func writeAll(b *strings.Builder, parts ...any) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case tree:
			p.write(b)
		}
	}
}

func writeList(b *strings.Builder, list []tree) {
	for i, x := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		x.write(b)
	}
}

func not(negated bool) string {
	if negated {
		return "NOT "
	}
	return ""
}

// quotedName is a column's name as it has to be written: with quotes where it is no word or a keyword.
func quotedName(name string) string {
	tokens, err := scan(name)
	if err == nil && len(tokens) == 2 && tokens[0].text == name && (tokens[0].kind == nameToken || tokens[0].kind == wordToken && !isReserved(name)) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
