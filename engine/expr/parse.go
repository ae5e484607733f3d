package expr

import (
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// How tightly operators bind, loosest first: as in DuckDB and PostgreSQL.
const (
	bindOr      = iota + 1
	bindAnd     // AND
	bindNot     // NOT x
	bindIs      // IS NULL, IS DISTINCT FROM; nothing of these is chained to the latter
	bindCompare // = <> < <= > >=; not chained
	bindRange   // BETWEEN, IN, LIKE
	bindConcat  // ||
	bindAdd     // + -
	bindTimes   // * / // %
	bindMinus   // -x, +x
)

// Bounds of a source: an expression is written by people.
const (
	maxSource = 64 << 10 // bytes
	maxDepth  = 200      // of parentheses and other nesting
)

// parse reads one expression. The error is an *Error.
func parse(src string) (tree, error) {
	p, err := begin(src)
	if err != nil {
		return nil, err
	}
	t, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != endToken {
		return nil, p.unexpected("an operator or the end")
	}
	return t, nil
}

// begin makes a parser of a source. The error is an *Error.
func begin(src string) (*parser, error) {
	if len(src) > maxSource {
		return nil, &Error{Offset: maxSource, Message: fmt.Sprintf("an expression has at most %d bytes, this one %d", maxSource, len(src))}
	}
	tokens, err := scan(src)
	if err != nil {
		return nil, err
	}
	return &parser{tokens: tokens}, nil
}

// A parser reads tokens by precedence climbing.
type parser struct {
	tokens []token
	next   int
	depth  int
}

func (p *parser) peek() token { return p.tokens[p.next] }

// after is the token n behind the next one.
func (p *parser) after(n int) token { return p.tokens[min(p.next+n, len(p.tokens)-1)] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != endToken {
		p.next++
	}
	return t
}

// keyword takes the next token if it is the keyword.
func (p *parser) keyword(k string) bool {
	if p.peek().is(k) {
		p.next++
		return true
	}
	return false
}

// sign takes the next token if it is the sign.
func (p *parser) sign(s string) bool {
	if p.peek().sign(s) {
		p.next++
		return true
	}
	return false
}

func (p *parser) unexpected(expected string) error {
	t := p.peek()
	message := fmt.Sprintf("expected %s, found %s", expected, t)
	if t.kind == wordToken && isReserved(t.text) {
		message += fmt.Sprintf("; for a column of that name write %q", t.text)
	}
	return &Error{Offset: t.at, Message: message}
}

func (p *parser) expectKeyword(k string) error {
	if !p.keyword(k) {
		return p.unexpected(k)
	}
	return nil
}

func (p *parser) expectSign(s string) error {
	if !p.sign(s) {
		return p.unexpected(s)
	}
	return nil
}

// expression reads an operand and the operators behind it that bind at least as tightly as loosest.
func (p *parser) expression(loosest int) (tree, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, &Error{Offset: p.peek().at, Message: fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	if t := p.peek(); t.is("NOT") && loosest > bindRange {
		return nil, &Error{Offset: t.at, Message: "NOT binds less tightly than the operator before it: use parentheses"}
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	last := 0 // how tightly the operator before binds, if it can't be chained
	for {
		bind := p.binding()
		if bind == 0 || bind < loosest {
			return left, nil
		}
		if bind == last {
			return nil, &Error{Offset: p.peek().at, Message: "comparisons can't be chained: join them by AND or use parentheses"}
		}
		if left, err = p.operation(left, bind); err != nil {
			return nil, err
		}
		last = 0
		if _, two := left.(*binaryTree); two && (bind == bindCompare || bind == bindIs) {
			last = bind // x IS NULL IS TRUE can be read in one way only, x IS DISTINCT FROM y IS TRUE in two
		}
	}
}

// binding says how tightly the next token binds as an operator behind an operand; 0: it is none.
func (p *parser) binding() int {
	t := p.peek()
	if t.is("NOT") {
		t = p.after(1)
		if t.is("IN") || t.is("BETWEEN") || t.is("LIKE") {
			return bindRange
		}
		return 0
	}
	switch t.kind {
	case wordToken:
		switch upper(t.text) {
		case "OR":
			return bindOr
		case "AND":
			return bindAnd
		case "IS":
			return bindIs
		case "IN", "BETWEEN", "LIKE":
			return bindRange
		}
	case signToken:
		switch t.text {
		case "=", "==", "<>", "!=", "<", "<=", ">", ">=":
			return bindCompare
		case "||":
			return bindConcat
		case "+", "-":
			return bindAdd
		case "*", "/", "//", "%":
			return bindTimes
		}
	}
	return 0
}

// operation reads the operator that comes next, and what follows it.
func (p *parser) operation(left tree, bind int) (tree, error) {
	switch bind {
	case bindIs:
		return p.is(left)
	case bindRange:
		return p.within(left)
	}
	t := p.take()
	op := upper(t.text)
	switch op {
	case "==":
		op = "="
	case "!=":
		op = "<>"
	}
	right, err := p.expression(bind + 1)
	if err != nil {
		return nil, err
	}
	return &binaryTree{t.at, op, left, right}, nil
}

// is reads IS [NOT] NULL, TRUE, FALSE or DISTINCT FROM.
func (p *parser) is(left tree) (tree, error) {
	at := p.take().at
	negated := p.keyword("NOT")
	switch t := p.peek(); {
	case t.is("NULL"), t.is("TRUE"), t.is("FALSE"):
		p.take()
		return &isTree{at, left, upper(t.text), negated}, nil
	case t.is("DISTINCT"):
		p.take()
		if err := p.expectKeyword("FROM"); err != nil {
			return nil, err
		}
		right, err := p.expression(bindIs + 1)
		return &binaryTree{at, "IS " + not(negated) + "DISTINCT FROM", left, right}, err
	}
	return nil, p.unexpected("NULL, TRUE, FALSE or DISTINCT FROM")
}

// within reads [NOT] IN, BETWEEN or LIKE.
func (p *parser) within(left tree) (tree, error) {
	negated := p.keyword("NOT")
	t := p.take()
	switch {
	case t.is("IN"):
		if err := p.expectSign("("); err != nil {
			return nil, err
		}
		list, err := p.list(")")
		if err == nil && len(list) == 0 {
			err = &Error{Offset: t.at, Message: "IN: the list is empty"}
		}
		return &inTree{t.at, left, negated, list}, err
	case t.is("BETWEEN"):
		low, err := p.expression(bindRange + 1)
		if err != nil {
			return nil, err
		}
		if err := p.expectKeyword("AND"); err != nil {
			return nil, err
		}
		high, err := p.expression(bindRange + 1)
		return &betweenTree{t.at, left, low, high, negated}, err
	}
	pattern, err := p.expression(bindRange + 1)
	if err != nil {
		return nil, err
	}
	like := &likeTree{at: t.at, x: left, pattern: pattern, not: negated}
	if p.keyword("ESCAPE") {
		like.escape, err = p.expression(bindRange + 1)
	}
	return like, err
}

// list reads expressions between commas up to the closing sign.
func (p *parser) list(closing string) ([]tree, error) {
	var list []tree
	if p.sign(closing) {
		return nil, nil
	}
	for {
		x, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
		if p.sign(closing) {
			return list, nil
		}
		if !p.sign(",") {
			return nil, p.unexpected("an operator, a comma or " + closing)
		}
	}
}

// operand reads an operand with the signs before it, and the [index] and .field behind it.
func (p *parser) operand() (tree, error) {
	t := p.peek()
	switch {
	case t.is("NOT"):
		p.take()
		x, err := p.expression(bindNot)
		return &unaryTree{t.at, "NOT", x}, err
	case t.sign("+"), t.sign("-") && p.after(1).kind != numberToken:
		p.take()
		x, err := p.expression(bindMinus)
		return &unaryTree{t.at, t.text, x}, err
	}
	x, err := p.primary()
	for err == nil && (p.peek().sign("[") || p.peek().sign(".")) {
		if p.peek().sign(".") {
			x, err = p.fields(x)
			continue
		}
		at := p.take().at
		var index tree
		if index, err = p.expression(0); err == nil {
			err = p.expectSign("]")
		}
		x = &elementTree{at, x, index}
	}
	return x, err
}

// fields reads .name and .name.name behind x.
func (p *parser) fields(x tree) (tree, error) {
	p.take()
	t := p.peek()
	if t.kind != wordToken && t.kind != nameToken {
		return nil, p.unexpected("a field's name")
	}
	p.take()
	for name := range strings.SplitSeq(t.text, ".") {
		x = &fieldTree{t.at, x, name}
	}
	return x, nil
}

// primary reads a literal, a name, a call, a CASE, a CAST or what stands in parentheses.
func (p *parser) primary() (tree, error) {
	t := p.peek()
	switch t.kind {
	case numberToken:
		p.take()
		return &numberTree{t.at, t.text}, nil
	case textToken:
		p.take()
		return &textTree{t.at, column.String, t.text}, nil
	case nameToken:
		p.take()
		return &nameTree{t.at, t.text, !strings.Contains(t.text, ".")}, nil
	case wordToken:
		return p.word()
	}
	switch {
	case p.sign("-"):
		return &numberTree{t.at, "-" + p.take().text}, nil
	case p.sign("("):
		x, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if !p.sign(")") {
			return nil, p.unexpected("an operator or )")
		}
		return x, nil
	}
	return nil, p.unexpected("a value")
}

// word reads what begins with a word.
func (p *parser) word() (tree, error) {
	t, then := p.peek(), p.after(1)
	switch {
	case t.is("NULL"), t.is("TRUE"), t.is("FALSE"):
		p.take()
		return &wordTree{t.at, upper(t.text)}, nil
	case t.is("CASE"):
		return p.caseOf()
	case isReserved(t.text):
		return nil, p.unexpected("a value")
	case t.is("DATE") && then.kind == textToken:
		p.next += 2
		return &textTree{t.at, column.Date, then.text}, nil
	case t.is("TIMESTAMP") && then.kind == textToken:
		p.next += 2
		return &textTree{t.at, column.Timestamp, then.text}, nil
	case !then.sign("("):
		p.take()
		return &nameTree{at: t.at, name: t.text}, nil
	case t.is("CAST"), t.is("TRY_CAST"):
		return p.cast(t.is("TRY_CAST"))
	}
	p.next += 2
	args, err := p.list(")")
	return &callTree{t.at, lower(t.text), args}, err
}

// caseOf reads both forms of CASE.
func (p *parser) caseOf() (tree, error) {
	c := &caseTree{at: p.take().at}
	var err error
	if !p.peek().is("WHEN") {
		if c.operand, err = p.expression(0); err != nil {
			return nil, err
		}
	}
	for p.keyword("WHEN") {
		var w whenTree
		if w.when, err = p.expression(0); err != nil {
			return nil, err
		}
		if err = p.expectKeyword("THEN"); err != nil {
			return nil, err
		}
		if w.then, err = p.expression(0); err != nil {
			return nil, err
		}
		c.whens = append(c.whens, w)
	}
	if len(c.whens) == 0 {
		return nil, p.unexpected("WHEN")
	}
	if p.keyword("ELSE") {
		if c.other, err = p.expression(0); err != nil {
			return nil, err
		}
	}
	if !p.keyword("END") {
		return nil, p.unexpected("an operator, WHEN, ELSE or END")
	}
	return c, nil
}

// cast reads CAST(x AS type).
func (p *parser) cast(try bool) (tree, error) {
	at := p.take().at
	p.take()
	x, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if err := p.expectKeyword("AS"); err != nil {
		return nil, err
	}
	to, err := p.typeName()
	if err != nil {
		return nil, err
	}
	return &castTree{at, x, to, try}, p.expectSign(")")
}
