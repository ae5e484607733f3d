package expr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// An item is a made-up expression that is sound: it compiles, and what its rule promises is its type. It is
// said twice: to this package and to DuckDB, which says some things in other words (see doc.go).
type item struct {
	typ       column.Type
	src, duck string
	family    string  // of the rule; "": a column or literal
	parts     []*item // each an item of its own
	partial   bool    // some rows may have no value
	null      bool    // it is NULL for every row, and known to be
}

// A rule makes an item of others. In its texts $1 stands for the first of them.
type rule struct {
	family    string // rules of one family are picked as seldom as those that stand alone
	typ       column.Type
	parts     []want
	src, duck string
	partial   bool
}

// A want is what a rule asks of a part.
type want struct {
	typ     column.Type
	total   bool // not partial: DuckDB computes it for rows for which this package does not
	literal bool
	leaf    bool // a column or a literal
}

// wants reads types; a ~ before one asks for a total part, a = for a literal, a ^ for a leaf.
func wants(types string) (parts []want) {
	for _, name := range strings.Fields(types) {
		typ, err := column.ParseType(strings.TrimLeft(name, "~=^"))
		if err != nil {
			panic(err)
		}
		parts = append(parts, want{typ, name[0] == '~', name[0] == '=', name[0] == '^'})
	}
	return parts
}

// A generator makes items over the columns of sampleSchema, the same for the same seed.
type generator struct {
	*rand.Rand
	families map[column.Type][][]rule
}

func newGenerator(seed uint64) *generator {
	g := &generator{rand.New(rand.NewPCG(seed, 1)), map[column.Type][][]rule{}}
	at := map[column.Type]map[string]int{}
	for _, r := range rules() {
		if at[r.typ] == nil {
			at[r.typ] = map[string]int{}
		}
		i, known := at[r.typ][r.family]
		if !known {
			i = len(g.families[r.typ])
			at[r.typ][r.family] = i
			g.families[r.typ] = append(g.families[r.typ], nil)
		}
		g.families[r.typ][i] = append(g.families[r.typ][i], r)
	}
	return g
}

// pick is one of list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// resultTypes are the types an item can have.
func resultTypes() []column.Type {
	types := []column.Type{column.ArrayOf(column.Double), column.ArrayOf(column.String), column.ArrayOf(column.Long), column.ArrayOf(column.Timestamp)}
	for k := column.Bool; k.Simple(); k++ {
		if k != column.Byte && k != column.Short && k != column.TimestampNTZ {
			types = append(types, column.Of(k))
		}
	}
	return types
}

// item makes one of a type whose parts are nested at most depth deep.
func (g *generator) item(t column.Type, depth int) *item {
	families := g.families[t]
	if depth == 0 || len(families) == 0 || g.IntN(8) == 0 {
		return g.leaf(t)
	}
	r := pick(g.Rand, pick(g.Rand, families...)...)
	parts := make([]*item, len(r.parts))
	partial := false
	for i, w := range r.parts {
		parts[i] = g.part(w, depth-1)
		partial = partial || parts[i].partial
	}
	for i, w := range r.parts {
		if partial && parts[i].null { // what a NULL makes NULL is not computed here; DuckDB computes it all the same
			parts[i] = g.column(w.typ)
		}
	}
	return filled(r, parts)
}

func (g *generator) part(w want, depth int) *item {
	switch {
	case w.literal:
		return g.literal(w.typ)
	case w.leaf:
		return g.leaf(w.typ)
	}
	for range 20 {
		if p := g.item(w.typ, depth); !w.total || !p.partial {
			return p
		}
	}
	return g.leaf(w.typ)
}

// filled is the item that a rule makes of parts.
func filled(r rule, parts []*item) *item {
	it := &item{typ: r.typ, family: r.family, parts: parts, partial: r.partial}
	var src, duck []string
	for i, p := range parts {
		it.partial = it.partial || p.partial
		place := fmt.Sprintf("$%d", i+1)
		src, duck = append(src, place, p.src), append(duck, place, p.duck)
	}
	it.src = "(" + strings.NewReplacer(src...).Replace(r.src) + ")"
	it.duck = "(" + strings.NewReplacer(duck...).Replace(r.duck) + ")"
	p, err := Compile(it.src, sampleSchema())
	if err != nil || p.Type() != r.typ {
		panic(fmt.Sprintf("a rule for %v makes %s: %v", r.typ, it.src, err))
	}
	it.null = p.root.null()
	return it
}

// smallest is the smallest part of it that fails on its own, or it.
func smallest(it *item, fails func(*item) bool) *item {
	for _, p := range it.parts {
		if fails(p) {
			return smallest(p, fails)
		}
	}
	return it
}

func (g *generator) leaf(t column.Type) *item {
	if t.Kind != column.Array && g.IntN(3) == 0 {
		return g.literal(t)
	}
	return g.column(t)
}

func (g *generator) column(t column.Type) *item {
	var names []string
	for _, f := range sampleSchema() {
		if f.Type == t {
			names = append(names, f.Name)
		}
	}
	name := pick(g.Rand, names...)
	return &item{typ: t, src: name, duck: name}
}

// literal is a constant, seldom NULL.
func (g *generator) literal(t column.Type) *item {
	c := column.New(t)
	if g.IntN(12) == 0 {
		c.AppendNull()
	} else {
		g.value(c)
	}
	src, duck := constantTexts(c, 0)
	return makeLiteral(t, src, duck)
}

func makeLiteral(t column.Type, src, duck string) *item {
	return &item{typ: t, src: src, duck: duck, null: strings.HasPrefix(src, "CAST(NULL")}
}

// sampleSchema is the columns of the rows that items are computed for.
func sampleSchema() column.Schema {
	field := func(name string, k column.Kind) column.Field { return column.Field{Name: name, Type: column.Of(k)} }
	return column.Schema{
		field("i", column.Int), field("j", column.Int), {Name: "l", Type: column.Of(column.Long), Required: true}, field("k", column.Long),
		field("f", column.Float), field("e", column.Float), field("d", column.Double), field("h", column.Double),
		field("s", column.String), field("u", column.String), {Name: "v", Type: column.Of(column.String), Required: true},
		field("x", column.Binary), field("b", column.Bool), field("c", column.Bool),
		field("dt", column.Date), field("du", column.Date), field("ts", column.Timestamp), field("tu", column.Timestamp),
		{Name: "a", Type: column.ArrayOf(column.Double)}, {Name: "g", Type: column.ArrayOf(column.String)},
		{Name: "al", Type: column.ArrayOf(column.Long)}, {Name: "au", Type: column.ArrayOf(column.Timestamp)},
	}
}

// samples makes n rows of sampleSchema.
func (g *generator) samples(n int) []column.Column {
	var cols []column.Column
	for _, f := range sampleSchema() {
		c := column.New(f.Type)
		for range n {
			switch {
			case !f.Required && g.IntN(5) == 0:
				c.AppendNull()
			case f.Type.Kind == column.Array:
				g.array(c.(*column.List))
			default:
				g.value(c)
			}
		}
		cols = append(cols, c)
	}
	return cols
}

func (g *generator) array(c *column.List) {
	for range g.IntN(4) {
		if g.IntN(5) == 0 {
			c.Elem.AppendNull()
		} else {
			g.value(c.Elem)
		}
	}
	c.Close()
}

// value appends a value, often one at the edge of what is special.
func (g *generator) value(c column.Column) {
	switch c := c.(type) {
	case *column.Bools:
		c.Append(g.IntN(2) == 0)
	case *column.Ints:
		if c.Type().Kind == column.Date {
			c.Append(int32(dayOf(g.instant())))
			return
		}
		c.Append(int32(g.whole(math.MinInt32, math.MaxInt32)))
	case *column.Longs:
		if c.Type().Kind == column.Timestamp {
			c.Append(g.instant())
			return
		}
		c.Append(g.whole(math.MinInt64, math.MaxInt64))
	case *column.Floats:
		c.Append(float32(g.double(math.SmallestNonzeroFloat32, math.MaxFloat32)))
	case *column.Doubles:
		c.Append(g.double(math.SmallestNonzeroFloat64, math.MaxFloat64))
	case *column.Texts:
		c.AppendString(g.text())
	}
}

// whole is most often a small number, else one of or near the bounds, or any.
func (g *generator) whole(least, most int64) int64 {
	switch g.IntN(6) {
	case 0:
		return pick(g.Rand, least, least+1, most, most-1, 1<<24+1, 2147483600)
	case 1:
		return int64(g.Uint64()) % (most/2 + 1)
	}
	return g.Int64N(25) - 5
}

func (g *generator) double(least, most float64) float64 {
	switch g.IntN(5) {
	case 0:
		return pick(g.Rand, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), least, -most, most)
	case 1:
		return (g.Float64() - 0.5) * math.Pow(10, float64(g.IntN(40)-20))
	case 2:
		return pick(g.Rand, 0.1, -0.1, 1e15, 1e16, 123456789, 1e-4, 9.9e-5, 16777217, 2147483648, 0.30000000000000004)
	}
	return float64(g.IntN(40)-10) / 4
}

// instant lies between the years 600 and 9400, so that what is reckoned with it has four digits too.
func (g *generator) instant() int64 {
	switch g.IntN(4) {
	case 0:
		days := pick(g.Rand, civil{1969, 12, 31}, civil{1970, 1, 1}, civil{2000, 2, 29}, civil{1900, 3, 1}, civil{2024, 2, 29}, civil{600, 1, 1}, civil{9400, 12, 31}).days()
		return days*microsPerDay + pick[int64](g.Rand, 0, 1, microsPerDay-1, 43_200_500_000)
	case 1:
		return civil{600, 1, 1}.days()*microsPerDay + g.Int64N(8800*365*microsPerDay)
	}
	return civil{2024, 1, 1}.days()*microsPerDay + g.Int64N(60*24)*60*microsPerSecond
}

// text is of all sorts: words, patterns, numbers, times.
func (g *generator) text() string {
	if g.IntN(4) == 0 {
		letters := []rune("aab%_ é日🙂1")
		var b strings.Builder
		for range g.IntN(6) {
			b.WriteRune(pick(g.Rand, letters...))
		}
		return b.String()
	}
	return pick(g.Rand, "", "a", "b", "abc", "ABC", "Two words", "two  words", " pad ", "it's", "x,y,,z", "a=1,b=2", `a\c`, "ÀÉ àé", "日本語",
		"12", " 7 ", "-3", "+4", "2.5", "-2.5", "1e3", "15e-1", ".5", "5.", "1e", "9223372036854775807", "9223372036854775808", "2147483648", "-2147483648",
		"nan", "0.1", "1e38", "true", "F", "yes", "0",
		"2024-02-29", "2023-02-29", "2024-02-29 12:34:56", "2024-02-29 12:34:56.789", "29/02/2024", "31/12/1969", "20240229", "29.02.2024 07:08", "2024-13-01 00:00:00", "soon")
}

// constantTexts is a row of a column as a literal, for this package and for DuckDB.
func constantTexts(c column.Column, row int) (src, duck string) {
	if c.Nulls().Null(row) {
		return "CAST(NULL AS " + c.Type().String() + ")", "CAST(NULL AS " + duckType(c.Type()) + ")"
	}
	typed := func(literal string) (string, string) {
		return fmt.Sprintf("CAST(%s AS %s)", literal, c.Type()), fmt.Sprintf("CAST(%s AS %s)", literal, c.Type())
	}
	switch c := c.(type) {
	case *column.Bools:
		return fmt.Sprint(c.Values[row]), fmt.Sprint(c.Values[row])
	case *column.Ints:
		if c.Type().Kind == column.Date {
			text := fmt.Sprintf("DATE '%s'", appendDate(nil, int64(c.Values[row])))
			return text, text
		}
		_, duck := typed(fmt.Sprint(c.Values[row]))
		return fmt.Sprintf("(%d)", c.Values[row]), duck // in parentheses: two minus signs are a comment
	case *column.Longs:
		if c.Type().Kind == column.Timestamp {
			text := fmt.Sprintf("TIMESTAMP '%s'", appendTimestamp(nil, c.Values[row]))
			return text, text
		}
		return typed(fmt.Sprint(c.Values[row]))
	case *column.Floats:
		return typed(fmt.Sprintf("'%s'", appendDouble(nil, float64(c.Values[row]), 32)))
	case *column.Doubles:
		text := string(appendDouble(nil, c.Values[row], 64))
		src, duck := typed("'" + text + "'")
		if digit(text[0]) {
			src = text
		}
		return src, duck
	case *column.Texts:
		if c.Type().Kind == column.Binary {
			src, _ := typed(quoted(string(c.At(row))))
			return src, fmt.Sprintf("encode(%s)", quoted(string(c.At(row))))
		}
		return quoted(string(c.At(row))), quoted(string(c.At(row)))
	}
	return arrayTexts(c.(*column.List), row)
}

func arrayTexts(c *column.List, row int) (src, duck string) {
	var srcs, ducks []string
	for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
		s, d := constantTexts(c.Elem, int(i))
		srcs, ducks = append(srcs, s), append(ducks, d)
	}
	return fmt.Sprintf("array(%s)", strings.Join(srcs, ", ")), fmt.Sprintf("CAST([%s] AS %s)", strings.Join(ducks, ", "), duckType(c.Type()))
}

// duckType is DuckDB's name of a type: but for arrays it takes ours.
func duckType(t column.Type) string {
	if t.Kind == column.Array {
		return t.Elem().String() + "[]"
	}
	return t.String()
}

// numeric are the types of numbers, from the narrowest.
func numeric() []column.Kind {
	return []column.Kind{column.Int, column.Long, column.Float, column.Double}
}

// widened is DuckDB's $n where an operand of kind k meets one of kind other: DuckDB makes floats of an int or
// a long that meets a float, where this package makes doubles of both.
func widened(n int, k, other column.Kind) string {
	place := fmt.Sprintf("$%d", n)
	if k == column.Float && other.Integer() || other == column.Float && k.Integer() {
		return "CAST(" + place + " AS double)"
	}
	return place
}
