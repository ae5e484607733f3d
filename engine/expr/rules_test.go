package expr

import (
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// rules lists all rules: each function, operator and form for each of the types it takes. What DuckDB means
// by the same words and this package does not is said in other words, or left out; doc.go lists it.
func rules() []rule {
	var all []rule
	for _, some := range [][]rule{arithmeticRules(), numberRules(), comparisonRules(), logicRules(), castRules(), textRules(), patternRules(), timeRules(), choiceRules(), arrayRules()} {
		all = append(all, some...)
	}
	return all
}

// total is a rule whose items have a value for every row.
func total(family string, k column.Kind, parts, src, duck string) rule {
	return rule{family, column.Of(k), wants(parts), src, duck, false}
}

// partly is a rule whose items may have none.
func partly(family string, k column.Kind, parts, src, duck string) rule {
	return rule{family, column.Of(k), wants(parts), src, duck, true}
}

// same is total where both say it in the same words.
func same(family string, k column.Kind, parts, text string) rule {
	return total(family, k, parts, text, text)
}

// narrowed is total for what is an int here and of another width in DuckDB.
func narrowed(family, parts, src, duck string) rule {
	return total(family, column.Int, parts, src, "CAST("+duck+" AS int)")
}

func arithmeticRules() []rule {
	var all []rule
	for _, a := range numeric() {
		for _, b := range numeric() {
			t, _ := common(column.Of(a), column.Of(b))
			k, parts, x, y := t.Kind, a.String()+" "+b.String(), widened(1, a, b), widened(2, b, a)
			for _, op := range []string{"+", "-", "*"} {
				all = append(all, rule{op, t, wants(parts), "$1 " + op + " $2", x + " " + op + " " + y, k.Integer()})
			}
			quotient := k
			if k != column.Float {
				quotient = column.Double
			}
			all = append(all, partly("/", quotient, parts, "$1 / $2", divided(quotient, x+" / "+y)), partly("%", k, parts, "$1 % $2", divided(k, x+" % "+y)))
			if k.Integer() {
				all = append(all, partly("//", k, parts, "$1 // $2", divided(k, x+" // "+y)), partly("//", k, parts, "div($1, $2)", divided(k, x+" // "+y)))
			}
		}
		all = append(all, rule{"negate", column.Of(a), wants(a.String()), "-$1", "-$1", a.Integer()}, same("plus", a, a.String(), "+$1"))
	}
	return all
}

// divided is a division in DuckDB, which gives NULL, or an infinity or NaN, where the divisor is 0. What it has no
// remainder for, the least number by -1, is 0.
func divided(k column.Kind, quotient string) string {
	whole := ""
	if k.Integer() && strings.Contains(quotient, "%") {
		whole = "WHEN $1 IS NOT NULL AND $2 = -1 THEN 0"
	}
	return fmt.Sprintf("CASE WHEN $1 IS NOT NULL AND $2 = 0 THEN CAST('by zero' AS %v) %s ELSE %s END", k, whole, quotient)
}

func numberRules() []rule {
	all := []rule{
		partly("abs", column.Int, "int", "abs($1)", "abs($1)"),
		partly("abs", column.Long, "long", "abs($1)", "abs($1)"),
		narrowed("floor", "int", "floor($1)", "floor($1)"),
		narrowed("floor", "int", "ceil($1)", "ceil($1)"),
		same("round", column.Int, "int", "round($1 % 100000, -2)"),
		same("round", column.Long, "long", "round($1 % 1000000000000, -3)"),
		same("round", column.Long, "long", "round($1, 2)"),
		same("round", column.Double, "double", "round($1, 2)"),
		same("round", column.Double, "double", "round($1, 0)"),
		total("round", column.Double, "double", "round($1, -1)", "CASE WHEN isfinite($1) THEN round($1, -1) ELSE $1 END"),
		total("sqrt", column.Double, "double", "sqrt($1)", "CASE WHEN $1 < 0 THEN CAST('nan' AS double) ELSE sqrt($1) END"),
		total("sqrt", column.Double, "long", "sqrt($1)", "CASE WHEN $1 < 0 THEN CAST('nan' AS double) ELSE sqrt($1) END"),
		same("power", column.Double, "int", "power($1 % 4, 3)"),
		same("power", column.Double, "int", "pow(2, $1 % 60)"),
	}
	for _, k := range numeric() {
		all = append(all, narrowed("sign", k.String(), "sign($1)", "sign($1)"), same("round", k, k.String(), "round($1)"))
		if !k.Integer() {
			all = append(all, same("abs", k, k.String(), "abs($1)"), same("floor", k, k.String(), "floor($1)"), same("floor", k, k.String(), "ceil($1)"))
		}
	}
	return all
}

// comparablePairs are the pairs of kinds that can be compared.
func comparablePairs() [][2]column.Kind {
	var pairs [][2]column.Kind
	for _, a := range numeric() {
		for _, b := range numeric() {
			pairs = append(pairs, [2]column.Kind{a, b})
		}
	}
	for _, k := range []column.Kind{column.String, column.String, column.String, column.Bool, column.Binary, column.Date, column.Timestamp} {
		pairs = append(pairs, [2]column.Kind{k, k})
	}
	return append(pairs, [2]column.Kind{column.Date, column.Timestamp}, [2]column.Kind{column.Timestamp, column.Date})
}

func comparisonRules() []rule {
	var all []rule
	add := func(family, parts, src, duck string) {
		all = append(all, total(family, column.Bool, parts, src, duck))
	}
	for _, pair := range comparablePairs() {
		a, b := pair[0], pair[1]
		x, y := widened(1, a, b), widened(2, b, a)
		for _, op := range []string{"=", "<>", "<", "<=", ">", ">="} {
			add("compare", fmt.Sprintf("%v %v", a, b), "$1 "+op+" $2", x+" "+op+" "+y)
			add("compare", fmt.Sprintf("%v =%v", a, b), "$1 "+op+" $2", x+" "+op+" "+y)
			add("compare", fmt.Sprintf("=%v %v", a, b), "$1 "+op+" $2", x+" "+op+" "+y)
		}
		for _, op := range []string{"IS DISTINCT FROM", "IS NOT DISTINCT FROM"} {
			add("distinct", fmt.Sprintf("%v %v", a, b), "$1 "+op+" $2", x+" "+op+" "+y)
			add("distinct", fmt.Sprintf("=%v %v", a, b), "$1 "+op+" $2", x+" "+op+" "+y)
			add("distinct", fmt.Sprintf("%v =%v", a, b), "$1 "+op+" $2", x+" "+op+" "+y)
		}
		if (a == column.Float) != (b == column.Float) {
			continue
		}
		for _, not := range []string{"", "NOT "} {
			add("between", fmt.Sprintf("%v %v ~%v", a, b, b), "$1 "+not+"BETWEEN $2 AND $3", "$1 "+not+"BETWEEN $2 AND $3")
			add("between", fmt.Sprintf("%v =%v =%v", a, b, b), "$1 "+not+"BETWEEN $2 AND $3", "$1 "+not+"BETWEEN $2 AND $3")
			add("in", fmt.Sprintf("%v =%v =%v =%v", a, b, a, b), "$1 "+not+"IN ($2, $3, $4)", "$1 "+not+"IN ($2, $3, $4)")
			add("in", fmt.Sprintf("%v =%v =%v", a, b, a), "$1 "+not+"IN ($2, $3, NULL)", "$1 "+not+"IN ($2, $3, NULL)")
			add("in", fmt.Sprintf("%v ~%v =%v ~%v", a, b, b, a), "$1 "+not+"IN ($2, $3, $4)", "$1 "+not+"IN ($2, $3, $4)")
		}
	}
	return all
}

func logicRules() []rule {
	all := []rule{
		same("and", column.Bool, "bool ~bool", "$1 AND $2"),
		same("or", column.Bool, "bool ~bool", "$1 OR $2"),
		// Here the right side is computed only where the left one does not decide; DuckDB computes both.
		total("and", column.Bool, "bool bool", "$1 AND $2", "CASE WHEN $1 IS DISTINCT FROM FALSE THEN $1 AND $2 ELSE FALSE END"),
		total("or", column.Bool, "bool bool", "$1 OR $2", "CASE WHEN $1 IS DISTINCT FROM TRUE THEN $1 OR $2 ELSE TRUE END"),
		same("not", column.Bool, "bool", "NOT $1"),
	}
	for _, word := range []string{"TRUE", "FALSE", "NOT TRUE", "NOT FALSE"} {
		all = append(all, same("is", column.Bool, "bool", "$1 IS "+word))
	}
	for _, t := range resultTypes() {
		all = append(all, same("null", column.Bool, t.String(), "$1 IS NULL"), same("null", column.Bool, t.String(), "$1 IS NOT NULL"))
	}
	return all
}

// withoutSign is a double as a text in DuckDB, which has NaNs of two signs.
const withoutSign = "replace(CAST($1 AS string), '-nan', 'nan')"

func castRules() []rule {
	var all []rule
	add := func(from, to string, partial bool) {
		typ := wants(to)[0].typ
		text := fmt.Sprintf("CAST($1 AS %s)", to)
		all = append(all, rule{"cast", typ, wants(from), text, text, partial})
		if partial {
			text = "TRY_" + text
			all = append(all, rule{"cast", typ, wants(from), text, text, false})
		}
	}
	for _, a := range numeric() {
		for _, b := range numeric() {
			add(a.String(), b.String(), b < a)
		}
		add(a.String(), "bool", false)
		if a.Integer() {
			add(a.String(), "string", false)
		}
		add("bool", a.String(), false)
		add("^string", a.String(), true)
	}
	add("bool", "string", false)
	add("date", "string", false)
	add("timestamp", "string", false)
	add("date", "timestamp", false)
	add("timestamp", "date", false)
	add("^string", "bool", true)
	add("^string", "date", true)
	add("^string", "timestamp", true)
	return append(all,
		total("cast", column.String, "double", "CAST($1 AS string)", withoutSign),
		same("cast", column.String, "int", "CAST(CAST($1 % 1000 AS float) / CAST(4 AS float) AS string)"), // of others DuckDB may write a digit too many
		total("cast", column.String, "binary", "CAST($1 AS string)", "decode($1)"),
		total("cast", column.Binary, "string", "CAST($1 AS binary)", "encode($1)"))
}

func textRules() []rule {
	all := []rule{
		same("concat", column.String, "string string", "$1 || $2"),
		same("concat", column.String, "string string string", "concat($1, $2, $3)"),
		same("concat_ws", column.String, "string string string", "concat_ws(', ', $1, $2, $3)"),
		same("concat_ws", column.String, "string string string", "concat_ws($1, $2, $3)"),
		same("case", column.String, "string", "lower($1)"),
		same("case", column.String, "string", "upper($1)"),
		same("trim", column.String, "string", "trim($1)"),
		same("trim", column.String, "string", "ltrim($1)"),
		same("trim", column.String, "string", "rtrim($1)"),
		same("trim", column.String, "string string", "trim($1, $2)"),
		same("trim", column.String, "string", "ltrim($1, 'abé')"),
		same("trim", column.String, "string", "rtrim($1, ' 1')"),
		same("substr", column.String, "string int", "substr($1, $2 % 7)"),
		same("substr", column.String, "string int int", "substr($1, $2 % 9, abs($3 % 6))"),
		same("left", column.String, "string int", "left($1, $2 % 6)"),
		same("left", column.String, "string long", "right($1, $2 % 6)"),
		same("replace", column.String, "string string string", "replace($1, $2, $3)"),
		same("replace", column.String, "string string", "replace($1, 'a', $2)"),
		same("split_part", column.String, "string ~int", "split_part($1, ',', $2 % 5)"),
		same("split_part", column.String, "string ~int", "split_part($1, 'a', $2 % 3)"),
		same("contains", column.Bool, "string string", "starts_with($1, $2)"),
		same("contains", column.Bool, "string string", "ends_with($1, $2)"),
		same("contains", column.Bool, "string string", "contains($1, $2)"),
		same("contains", column.Bool, "string", "contains($1, 'a')"),
		narrowed("length", "string", "length($1)", "length($1)"),
		narrowed("length", "string", "octet_length($1)", "strlen($1)"),
		narrowed("length", "binary", "octet_length($1)", "octet_length($1)"),
	}
	for _, k := range []column.Kind{column.Int, column.Long, column.Double, column.Bool, column.Date, column.Timestamp} {
		first := "$1"
		if k == column.Double {
			first = withoutSign
		}
		all = append(all,
			total("concat", column.String, k.String()+" string", "$1 || $2", first+" || $2"),
			total("concat", column.String, k.String()+" string", "$2 || $1", "$2 || "+first),
			total("concat", column.String, k.String()+" string", "concat($1, '-', $2)", "concat("+first+", '-', $2)"),
			total("concat_ws", column.String, k.String()+" string int", "concat_ws('/', $1, $2, $3)", "concat_ws('/', "+first+", $2, $3)"))
	}
	return all
}

func patternRules() []rule {
	var all []rule
	for _, pattern := range []string{"'a%'", "'%a'", "'%b%'", "'a%c'", "'%o%w%'", "'_'", "'__%'", "'%_b'", "'a_c'", "''", "'%'", "'%%'", "'abc'", "'é%'", "'_é'", `'a\c'`, `'a\%'`,
		"'a!%%' ESCAPE '!'", "'%!_%' ESCAPE '!'", "'%!!%' ESCAPE '!'", "'a%%b' ESCAPE '%'", "'!a_%' ESCAPE '!'"} {
		all = append(all, same("like", column.Bool, "string", "$1 LIKE "+pattern), same("like", column.Bool, "string", "$1 NOT LIKE "+pattern))
	}
	all = append(all, same("like of", column.Bool, "string string", "$1 LIKE $2"), same("like of", column.Bool, "string string", "$1 NOT LIKE $2 || '%'"))
	for _, pattern := range []string{"'^a'", "'[0-9]+'", "'b$'", "'(?i)two'", `'(\w)=(\w)'`, "'a|é'", "'x*'", "'^$'", "''", `'\s+'`, "'(a)(z)?'"} {
		all = append(all,
			total("regexp", column.Bool, "string", "regexp_like($1, "+pattern+")", "regexp_matches($1, "+pattern+")"),
			same("regexp", column.String, "string", "regexp_extract($1, "+pattern+")"),
			same("regexp", column.String, "string", "regexp_replace($1, "+pattern+", '<\\0>')"),
			same("regexp", column.String, "string", "regexp_replace($1, "+pattern+", '-', 'g')"))
	}
	return append(all,
		same("regexp", column.String, "string", `regexp_extract($1, '(\w)=(\w)', 2)`),
		same("regexp", column.String, "string", `regexp_extract($1, '(a)(z)?', 2)`),
		same("regexp", column.String, "string", `regexp_replace($1, '(\w)=(\w)', '\2=\1', 'g')`))
}

func timeRules() []rule {
	all := []rule{
		same("date +", column.Date, "date int", "$1 + $2 % 1000"),
		same("date +", column.Date, "int date", "$1 % 1000 + $2"),
		same("date +", column.Date, "date int", "$1 - $2 % 1000"),
		narrowed("date -", "date date", "$1 - $2", "$1 - $2"),
		same("epoch", column.Long, "timestamp", "epoch_us($1)"),
		total("epoch", column.Long, "timestamp", "epoch_ms($1)", "epoch_ms(date_trunc('millisecond', $1))"),
		same("epoch", column.Double, "timestamp", "epoch($1)"),
		total("to_timestamp", column.Timestamp, "long", "to_timestamp($1 % 100000000000, 'epoch_s')", "make_timestamp($1 % 100000000000 * 1000000)"),
		total("to_timestamp", column.Timestamp, "int", "to_timestamp($1, 'epoch_ms')", "make_timestamp(CAST($1 AS long) * 1000)"),
		total("to_date", column.Date, "timestamp", "to_date($1)", "CAST($1 AS date)"),
	}
	for _, l := range []struct{ ours, ducks string }{
		{"'yyyy-MM-dd'", "'%Y-%m-%d'"},
		{"'dd/MM/yyyy'", "'%d/%m/%Y'"},
		{"'yyyy-MM-dd HH:mm:ss', 'dd/MM/yyyy'", "['%Y-%m-%d %H:%M:%S', '%d/%m/%Y']"},
		{"'dd.MM.yyyy HH:mm'", "'%d.%m.%Y %H:%M'"},
		{"'yyyy-MM-dd HH:mm:ss.SSS'", "'%Y-%m-%d %H:%M:%S.%g'"},
	} {
		all = append(all,
			partly("to_timestamp", column.Timestamp, "^string", "to_timestamp($1, "+l.ours+")", "strptime($1, "+l.ducks+")"),
			total("to_timestamp", column.Timestamp, "^string", "try_to_timestamp($1, "+l.ours+")", "try_strptime($1, "+l.ducks+")"),
			partly("to_date", column.Date, "^string", "to_date($1, "+l.ours+")", "CAST(strptime($1, "+l.ducks+") AS date)"),
			total("to_date", column.Date, "^string", "try_to_date($1, "+l.ours+")", "CAST(try_strptime($1, "+l.ducks+") AS date)"))
	}
	for _, k := range []string{"timestamp", "date"} {
		for _, part := range []string{"year", "month", "day", "dayofweek"} {
			all = append(all, narrowed("field", k, part+"($1)", part+"($1)"))
		}
		for _, unit := range []string{"day", "week", "month", "quarter", "year"} {
			all = append(all, same("date_trunc", column.Timestamp, k, "date_trunc('"+unit+"', $1)"))
		}
	}
	for _, unit := range []string{"hour", "minute", "second"} {
		all = append(all, narrowed("field", "timestamp", unit+"($1)", unit+"($1)"), same("date_trunc", column.Timestamp, "timestamp", "date_trunc('"+unit+"', $1)"))
	}
	return append(all, same("date_trunc", column.Timestamp, "timestamp", "date_trunc('millisecond', $1)"))
}

func choiceRules() []rule {
	var all []rule
	add := func(family string, t column.Type, parts, src string) {
		all = append(all, rule{family, t, wants(strings.ReplaceAll(parts, "T", t.String())), src, src, false})
	}
	for _, t := range resultTypes() {
		add("case", t, "bool T T", "CASE WHEN $1 THEN $2 ELSE $3 END")
		add("case", t, "bool T bool T", "CASE WHEN $1 THEN $2 WHEN $3 THEN $4 END")
		add("case", t, "int =int T int T T", "CASE $1 WHEN $2 THEN $3 WHEN $4 THEN $5 ELSE $6 END")
		add("case", t, "string =string T T", "CASE $1 WHEN $2 THEN $3 WHEN NULL THEN $4 WHEN 'a' THEN $4 END")
		add("if", t, "bool T T", "if($1, $2, $3)")
		add("coalesce", t, "T T", "coalesce($1, $2)")
		add("coalesce", t, "T T T", "coalesce($1, $2, $3)")
		add("coalesce", t, "T", "coalesce(NULL, $1)")
		if t.Kind == column.Array {
			continue
		}
		add("nullif", t, "T T", "nullif($1, $2)")
		add("nullif", t, "T =T", "nullif($1, $2)")
		zero := "" // of zeros with different signs DuckDB takes any
		if t.Kind == column.Float || t.Kind == column.Double {
			zero = " + CAST(0 AS " + t.String() + ")"
		}
		of := func(n int) string {
			return strings.Join([]string{"$1" + zero, "$2" + zero, "$3" + zero}[:n], ", ")
		}
		add("extreme", t, "T T", "greatest("+of(2)+")")
		add("extreme", t, "T =T T", "greatest("+of(3)+")")
		add("extreme", t, "T T T", "least("+of(3)+")")
		add("extreme", t, "T =T", "least("+of(2)+")")
	}
	for _, mixed := range []struct{ to, a, b column.Kind }{
		{column.Long, column.Int, column.Long}, {column.Double, column.Int, column.Double}, {column.Double, column.Double, column.Long},
		{column.Double, column.Float, column.Double}, {column.Timestamp, column.Date, column.Timestamp},
	} {
		for _, pair := range [][2]column.Kind{{mixed.a, mixed.b}, {mixed.b, mixed.a}} {
			parts := fmt.Sprintf("%v %v", pair[0], pair[1])
			add("mixed", column.Of(mixed.to), parts, "coalesce($1, $2)")
			add("mixed", column.Of(mixed.to), "bool "+parts, "CASE WHEN $1 THEN $2 ELSE $3 END")
			add("mixed", column.Of(pair[0]), parts, "nullif($1, $2)")
		}
	}
	return all
}

func arrayRules() []rule {
	var all []rule
	for _, k := range []column.Kind{column.Double, column.String, column.Long, column.Timestamp} {
		list := column.ArrayOf(k)
		all = append(all,
			rule{"array", list, wants(fmt.Sprintf("%v %v", k, k)), "array($1, $2)", "[$1, $2]", false},
			rule{"array", list, wants(fmt.Sprintf("%v =%v %v", k, k, k)), "array($1, $2, $3)", "[$1, $2, $3]", false},
			same("element", k, list.String()+" int", "$1[$2 % 4]"),
			same("element", k, list.String(), "$1[1]"),
			same("element", k, list.String(), "$1[-1]"),
			narrowed("length", list.String(), "cardinality($1)", "len($1)"))
	}
	return append(all,
		rule{"array", column.ArrayOf(column.Double), wants("int double long"), "array($1, $2, $3)", "[$1, $2, $3]", false},
		rule{"array", column.ArrayOf(column.Timestamp), wants("date timestamp"), "array($1, $2)", "[$1, $2]", false})
}
