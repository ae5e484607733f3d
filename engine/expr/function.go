package expr

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A FunctionDoc is what people read about a function.
type FunctionDoc struct {
	Name       string
	Aliases    []string // other names of the same
	Group      string   // text, number, time, array or choice
	Signatures []string // "substr(text string, start long) string"
	Doc        string   // one line
	Example    string   // an expression of constants
	Result     string   // what the example gives, as JSON
}

// Functions describes every function, by group and name as they are listed here.
func Functions() []FunctionDoc {
	var docs []FunctionDoc
	for _, f := range functions() {
		docs = append(docs, f.FunctionDoc)
	}
	return docs
}

// A function is a FunctionDoc with what it does.
type function struct {
	FunctionDoc
	least, most int // arguments
	bind        func(c *checker, name string, args []*node) *node
}

const anyNumber = math.MaxInt

// call finds the function and gives it its arguments.
func (c *checker) call(t *callTree) *node {
	args, ok := c.checkAll(t.args)
	if c.functions == nil {
		c.functions = functions()
	}
	all := c.functions
	i := slices.IndexFunc(all, func(f function) bool { return f.Name == t.name || slices.Contains(f.Aliases, t.name) })
	if i < 0 {
		var names []string
		for _, f := range all {
			names = append(append(names, f.Name), f.Aliases...)
		}
		c.errs = append(c.errs, &Error{t.at, fmt.Sprintf("no function %q", t.name), column.Nearest(t.name, names)})
		return &node{failed: true}
	}
	f := all[i]
	if n := len(args); n < f.least || n > f.most {
		return c.fail(t.at, "%s: found %s, expected %s", t.name, counted(n), strings.Join(f.Signatures, " or "))
	}
	if !ok {
		return &node{failed: true}
	}
	return f.bind(c, t.name, args)
}

func counted(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// functions lists all functions. It is made for each expression that calls one, so that there is no package
// variable; a definition has few.
func functions() []function {
	return slices.Concat(textFunctions(), patternFunctions(), numberFunctions(), timeFunctions(), choiceFunctions(), arrayFunctions())
}

// doc is a FunctionDoc without aliases; signatures are separated by " | ".
func doc(group, signatures, text, example, result string, aliases ...string) FunctionDoc {
	name, _, _ := strings.Cut(signatures, "(")
	return FunctionDoc{name, aliases, group, strings.Split(signatures, " | "), text, example, result}
}

func textFunctions() []function {
	map1 := func(f func(dst, text []byte) []byte) func(*checker, string, []*node) *node {
		return func(c *checker, name string, args []*node) *node {
			x := c.want(name, args[0], column.String)
			return c.strict(column.Of(column.String), text1(x, f), x)
		}
	}
	test := func(f func(a, b []byte) bool) func(*checker, string, []*node) *node {
		return func(c *checker, name string, args []*node) *node {
			x, y := c.want(name, args[0], column.String), c.want(name, args[1], column.String)
			return c.strict(column.Of(column.Bool), textBool(x, y, f), x, y)
		}
	}
	return []function{
		{doc("text", "concat(values…) string", "The values as texts one behind the other; nulls are left out.", "concat('a', 1, NULL)", `"a1"`), 1, anyNumber,
			func(c *checker, name string, args []*node) *node { return c.concat(name, args, true) }},
		{doc("text", "concat_ws(separator string, values…) string", "The values as texts with the separator between them; nulls are left out.", "concat_ws(' ', 'Ada', NULL, 'Lovelace')", `"Ada Lovelace"`), 2, anyNumber,
			func(c *checker, name string, args []*node) *node {
				gap := c.want(name, args[0], column.String)
				texts, ok := c.texts(name, args[1:])
				if gap.failed || !ok {
					return &node{failed: true}
				}
				return c.joined(gap, texts, true)
			}},
		{doc("text", "lower(text string) string", "Small letters, each character by itself.", "lower('ÀB')", `"àb"`, "lcase"), 1, 1, map1(appendLower)},
		{doc("text", "upper(text string) string", "Capital letters, each character by itself.", "upper('àb')", `"ÀB"`, "ucase"), 1, 1, map1(appendUpper)},
		{doc("text", "trim(text string) string | trim(text string, characters string) string", "Without the spaces, or the characters named, at both ends.", "trim('  a b ')", `"a b"`), 1, 2,
			trimmer(func(text, set []byte) []byte { return trimRight(trimLeft(text, set), set) })},
		{doc("text", "ltrim(text string) string | ltrim(text string, characters string) string", "trim at the start only.", "ltrim('xxa', 'x')", `"a"`), 1, 2, trimmer(trimLeft)},
		{doc("text", "rtrim(text string) string | rtrim(text string, characters string) string", "trim at the end only.", "rtrim('a  ')", `"a"`), 1, 2, trimmer(trimRight)},
		{doc("text", "substr(text string, start long) string | substr(text string, start long, count long) string", "Characters from a place on: the first is 1, the last -1.", "substr('hello', 2, 3)", `"ell"`, "substring"), 2, 3, substr},
		{doc("text", "left(text string, count long) string", "The first characters; for a negative count all but the last.", "left('hello', 2)", `"he"`), 2, 2, part1(leftPart)},
		{doc("text", "right(text string, count long) string", "The last characters; for a negative count all but the first.", "right('hello', 2)", `"lo"`), 2, 2, part1(rightPart)},
		{doc("text", "replace(text string, old string, new string) string", "With every old text replaced.", "replace('a-b-c', '-', '')", `"abc"`), 3, 3, replace},
		{doc("text", "split_part(text string, separator string, n long) string", "The n-th of the parts between separators, from the end by -1; empty where there is none.", "split_part('a/b/c', '/', 2)", `"b"`), 3, 3, split},
		{doc("text", "starts_with(text string, prefix string) bool", "Whether the text begins so.", "starts_with('hello', 'he')", "true"), 2, 2, test(hasPrefix)},
		{doc("text", "ends_with(text string, suffix string) bool", "Whether the text ends so.", "ends_with('hello', 'lo')", "true"), 2, 2, test(hasSuffix)},
		{doc("text", "contains(text string, part string) bool", "Whether the part is in the text.", "contains('hello', 'll')", "true"), 2, 2, test(hasPart)},
		{doc("text", "length(text string) int", "The number of characters.", "length('é')", "1", "char_length"), 1, 1, runeLength},
		{doc("text", "octet_length(text string) int | octet_length(bytes binary) int", "The number of bytes; of a string in UTF-8.", "octet_length('é')", "2"), 1, 1, byteLength},
	}
}

func patternFunctions() []function {
	return []function{
		{doc("text", "regexp_like(text string, pattern string) bool", "Whether the pattern (RE2, a constant) matches anywhere in the text.", "regexp_like('a1', '[0-9]$')", "true", "regexp_matches"), 2, 2, (*checker).regexpLike},
		{doc("text", "regexp_extract(text string, pattern string) string | regexp_extract(text string, pattern string, group int) string", "What the pattern or its group matches first; empty where nothing does.", `regexp_extract('k=v', '(\w)=(\w)', 2)`, `"v"`), 2, 3, (*checker).regexpExtract},
		{doc("text", "regexp_replace(text string, pattern string, new string) string | regexp_replace(text string, pattern string, new string, 'g') string", `With the first match replaced, or all with 'g'; \1 stands for a group.`, `regexp_replace('a1b2', '([0-9])', '<\1>', 'g')`, `"a<1>b<2>"`), 3, 4, (*checker).regexpReplace},
	}
}

func numberFunctions() []function {
	double := func(f func(float64) float64) func(*checker, string, []*node) *node {
		return func(c *checker, name string, args []*node) *node { return c.double1(name, args[0], f) }
	}
	operator := func(op string) func(*checker, string, []*node) *node {
		return func(c *checker, name string, args []*node) *node {
			return c.arithmetic(args[0].at, op, args[0], args[1])
		}
	}
	return []function{
		{doc("number", "abs(x number) number", "The absolute value, of the type of x.", "abs(-2)", "2"), 1, 1,
			func(c *checker, name string, args []*node) *node { return c.abs(name, args[0]) }},
		{doc("number", "round(x number) number | round(x number, places int) number", "To whole numbers, or so many decimal places, halves away from 0; the type stays.", "round(2.345, 1)", "2.3"), 1, 2,
			func(c *checker, name string, args []*node) *node {
				if len(args) == 1 {
					return c.rounded(name, args[0], math.Round)
				}
				return c.roundTo(name, args[0], args[1])
			}},
		{doc("number", "floor(x number) number", "The greatest whole number that is not greater; the type stays.", "floor(-1.5)", "-2"), 1, 1,
			func(c *checker, name string, args []*node) *node { return c.rounded(name, args[0], math.Floor) }},
		{doc("number", "ceil(x number) number", "The least whole number that is not less; the type stays.", "ceil(1.2)", "2", "ceiling"), 1, 1,
			func(c *checker, name string, args []*node) *node { return c.rounded(name, args[0], math.Ceil) }},
		{doc("number", "sqrt(x double) double", "The square root; NaN for a negative number.", "sqrt(9)", "3"), 1, 1, double(math.Sqrt)},
		{doc("number", "power(x double, y double) double", "x to the y-th.", "power(2, 10)", "1024", "pow"), 2, 2, (*checker).power},
		{doc("number", "mod(x number, y number) number", "x % y: the remainder, with the sign of x.", "mod(-7, 3)", "-1"), 2, 2, operator("%")},
		{doc("number", "div(x long, y long) long", "x // y: the quotient without its fraction.", "div(7, 2)", "3"), 2, 2, operator("//")},
		{doc("number", "sign(x number) int", "-1, 0 or 1.", "sign(-2.5)", "-1"), 1, 1,
			func(c *checker, name string, args []*node) *node { return c.sign(name, args[0]) }},
	}
}

func timeFunctions() []function {
	field := func(f func(int64) int64) func(*checker, string, []*node) *node {
		return func(c *checker, name string, args []*node) *node { return c.timeField(name, args[0], f) }
	}
	long := func(f func(int64) int64) func(*checker, string, []*node) *node {
		return func(c *checker, name string, args []*node) *node { return c.timeLong(name, args[0], f) }
	}
	const at = "TIMESTAMP '2024-05-06 07:08:09.5'"
	return []function{
		{doc("time", "year(at timestamp) int", "The year. Like all of these it takes a date too, and counts in UTC.", "year("+at+")", "2024"), 1, 1, field(yearOf)},
		{doc("time", "month(at timestamp) int", "The month, 1 to 12.", "month("+at+")", "5"), 1, 1, field(monthOf)},
		{doc("time", "day(at timestamp) int", "The day of the month, 1 to 31.", "day("+at+")", "6", "dayofmonth"), 1, 1, field(dayInMonth)},
		{doc("time", "hour(at timestamp) int", "The hour, 0 to 23.", "hour("+at+")", "7"), 1, 1, field(hourOf)},
		{doc("time", "minute(at timestamp) int", "The minute.", "minute("+at+")", "8"), 1, 1, field(minuteOf)},
		{doc("time", "second(at timestamp) int", "The second, without its fraction.", "second("+at+")", "9"), 1, 1, field(secondOf)},
		{doc("time", "dayofweek(at timestamp) int", "0 on Sunday to 6 on Saturday.", "dayofweek(DATE '2024-05-05')", "0"), 1, 1, field(weekdayOf)},
		{doc("time", "date_trunc(unit string, at timestamp) timestamp", "The beginning of the year, quarter, month, week (Monday), day, hour, minute, second, millisecond or microsecond.", "date_trunc('hour', "+at+")", `"2024-05-06T07:00:00.000000Z"`), 2, 2, (*checker).dateTrunc},
		{doc("time", "to_timestamp(text string, layouts…) timestamp | to_timestamp(n long, unit string) timestamp", "Parsed by the first layout that fits (iso without any), or a number of 'epoch_s', 'epoch_ms' or 'epoch_us'.", "to_timestamp('06.05.2024 07:08', 'dd.MM.yyyy HH:mm', 'iso')", `"2024-05-06T07:08:00.000000Z"`), 1, anyNumber,
			func(c *checker, name string, args []*node) *node { return c.toTimestamp(name, args, false) }},
		{doc("time", "try_to_timestamp(text string, layouts…) timestamp | try_to_timestamp(n long, unit string) timestamp", "to_timestamp, but null where no layout fits.", "try_to_timestamp('soon')", "null"), 1, anyNumber,
			func(c *checker, name string, args []*node) *node { return c.toTimestamp(name, args, true) }},
		{doc("time", "to_date(text string, layouts…) date | to_date(at timestamp) date", "The day of to_timestamp.", "to_date('20240506', 'yyyyMMdd')", `"2024-05-06"`), 1, anyNumber,
			func(c *checker, name string, args []*node) *node { return c.toDate(name, args, false) }},
		{doc("time", "try_to_date(text string, layouts…) date", "to_date, but null where no layout fits.", "try_to_date('soon')", "null"), 1, anyNumber,
			func(c *checker, name string, args []*node) *node { return c.toDate(name, args, true) }},
		{doc("time", "epoch_us(at timestamp) long", "Microseconds since 1970.", "epoch_us(TIMESTAMP '1970-01-01 00:00:01')", "1000000", "epoch_micros"), 1, 1, long(func(us int64) int64 { return us })},
		{doc("time", "epoch_ms(at timestamp) long", "Milliseconds since 1970, rounded down.", "epoch_ms(TIMESTAMP '1970-01-01 00:00:01')", "1000", "epoch_millis"), 1, 1, long(func(us int64) int64 { return floorDiv(us, 1000) })},
		{doc("time", "epoch(at timestamp) double", "Seconds since 1970, with their fraction.", "epoch(TIMESTAMP '1970-01-01 00:00:01.5')", "1.5", "to_unixtime"), 1, 1,
			func(c *checker, name string, args []*node) *node {
				x := c.instant(name, args[0])
				return c.strict(column.Of(column.Double), map1(x, column.Of(column.Double), func(us int64) float64 { return float64(us) / microsPerSecond }), x)
			}},
	}
}

func choiceFunctions() []function {
	return []function{
		{doc("choice", "coalesce(values…) value", "The first that is not null; those behind it are not computed.", "coalesce(NULL, 2)", "2", "ifnull"), 1, anyNumber, (*checker).coalesce},
		{doc("choice", "nullif(x value, y value) value", "x, but null where it equals y.", "nullif('n/a', 'n/a')", "null"), 2, 2,
			func(c *checker, name string, args []*node) *node { return c.nullIf(args[0], args[1]) }},
		{doc("choice", "if(condition bool, then value, else value) value", "One of two values; the other is not computed. Null counts as false.", "if(1 < 2, 'yes', 'no')", `"yes"`), 3, 3,
			func(c *checker, name string, args []*node) *node {
				return c.conditional(name, []*node{c.want(name, args[0], column.Bool)}, args[1:])
			}},
		{doc("choice", "greatest(values…) value", "The greatest; nulls are left out, NaN is the greatest.", "greatest(1, NULL, 3)", "3"), 1, anyNumber,
			func(c *checker, name string, args []*node) *node { return c.extreme(name, args, true) }},
		{doc("choice", "least(values…) value", "The least; nulls are left out.", "least(1, NULL, 3)", "1"), 1, anyNumber,
			func(c *checker, name string, args []*node) *node { return c.extreme(name, args, false) }},
	}
}

func arrayFunctions() []function {
	return []function{
		{doc("array", "array(values…) array", "An array of values of one type, nulls among them; a[1] is its first element, a[-1] its last, null where there is none.", "array(1, 2, 3)", "[1,2,3]"), 1, anyNumber, (*checker).array},
		{doc("array", "cardinality(a array) int", "The number of elements.", "cardinality(array(1, 2, 3))", "3", "array_length"), 1, 1,
			func(c *checker, name string, args []*node) *node { return c.cardinality(name, args[0]) }},
	}
}
