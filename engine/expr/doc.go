// Package expr turns SQL expressions into kernels over columns. derive, filter and --where speak it:
//
//	derive: {share: followers / nullif(pins, 0), posted: "to_timestamp(at, 'iso', 'epoch_s')"}
//	filter: downloaded = 1 AND category IN ('art', 'travel')
//
// An expression is compiled once, when a definition is bound, and computed for a batch at a time:
//
//	program, err := expr.Compile(source, schema)
//	column, bad := program.Eval(columns, sel, rows, arena)
//
// err is Errors: all that is wrong, each with its place; bad are the rows that have no value, and why.
//
// Scan and parse make a tree of the source (token.go, parse.go, typename.go, tree.go); a checker gives each part a type and
// picks its kernel (check.go and a file a topic: logic, compare, among, arith, number, cast, text, like, regexp,
// time, layout, case, array, part, decimal); a Program runs the kernels (program.go, node.go). A kernel is a loop over the
// values of whole columns and allocates nothing for a row. Regular expressions do where it is asked for a group,
// or for all matches of a pattern that looks at what is before them (^, \b): Go's regexp has no other way to say
// where a match is. Functions lists the functions.
//
// # Grammar
//
// From what binds loosest to what binds tightest, as in PostgreSQL and DuckDB:
//
//	x OR y
//	x AND y
//	NOT x
//	x IS [NOT] NULL, TRUE, FALSE        x IS [NOT] DISTINCT FROM y
//	x = y  <> != < <= > >=              not chained: 1 < x < 5 is an error
//	x [NOT] BETWEEN y AND z             x [NOT] IN (y, …)      x [NOT] LIKE y [ESCAPE 'c']
//	x || y
//	x + y  x - y
//	x * y  x / y  x // y  x % y
//	-x  +x
//	x[i]  x[i].field
//	(x)   literal   column   f(x, …)
//	CASE [x] WHEN y THEN z … [ELSE z] END   CAST(x AS type)   TRY_CAST(x AS type)
//
// Keywords and functions are written in any case; a column's name as the schema has it. A dotted name (record.key)
// is a column's, or where there is none that of a column and of fields in it: a.b is the field b of a struct a. A
// name with other signs than letters, digits, _ and $, or that is a keyword, stands in "quotes" or `backquotes`; a
// quote within is doubled. -- begins a comment up to the end of the line; /* and */ enclose one, and others in it.
//
// Literals are NULL, TRUE, FALSE, 'a text' (a quote is doubled, a backslash is a backslash), DATE '2024-05-06',
// TIMESTAMP '2024-05-06 07:08:09.5', 12 (an int, or a long where an int has no room), 1.5 and 2e3 (doubles).
//
// # Types
//
// bool, byte (8 bits), short (16), int (32), long (64), float (32), double (64), decimal(p,s), string (UTF-8), binary,
// date, timestamp (an instant in microseconds; without a zone it is UTC), timestamp_ntz (what a clock shows, no
// instant), and arrays, maps and structs of these. CAST knows SQL's names too: tinyint, smallint, integer, bigint, real,
// numeric, varchar, text, blob, varbinary, boolean.
//
// Where several values must have one type (both sides of an operator, the list of IN, the branches of CASE, the
// arguments of coalesce) it is the widest: byte, short, int, long, double; an int or a long with a float is a double, for
// neither holds both; a decimal with a whole number, or with another decimal, is one with digits for both, and with a
// float or double a double; a date with a timestamp of either kind is such a timestamp; a NULL takes the others' type. Nothing else
// converts by itself: no string becomes a number or a time, no number a bool, no timestamp with a zone one without.
// To compute with bytes and shorts makes ints of them. Whole numbers stay whole but for /, which gives a double (of two
// floats a float), of decimals as well; // and % cut toward 0, and are not for decimals. Of decimals of p and q digits, s
// and t of them behind the point, + and - have max(s,t) behind it and max(p-s,q-t)+1 before it, * has s+t behind it and
// p+q+1 in all; never more than 38 in all, and a row whose result needs more has no value. date + n and date - n count days, as date
// - date does.
//
// Strings and binaries are compared byte by byte, which for UTF-8 is by code point; false is less than true; NaN
// equals itself and is greater than all else; -0.0 equals 0.0. Arrays, maps and structs can't be compared.
//
// CAST from a string leaves out the white space around it and reads, for a number, digits with a sign, a point
// and an exponent, or nan, inf and infinity; for a bool true, t, yes, y and 1 and their contraries in any case;
// for a timestamp ISO 8601 (the layout iso of ParseTimeLayout); for a date the day of such an instant. To a whole
// number or a decimal it rounds, halves away from 0, but from a double to a whole number halves to the even one.
// Between the two kinds of timestamp it takes the clock to be at UTC. What does not fit is no value.
// There is no cast between numbers and times, for it would have to guess the unit: to_timestamp(x, 'epoch_ms')
// and epoch_ms(x) say it. A NULL that finds no type around it is an error: CAST(NULL AS int) has one.
//
// # Nulls
//
// An operator or function of a null is null, except:
//
//   - AND and OR, which are three-valued: FALSE AND NULL is false, TRUE OR NULL is true, all other pairs with a
//     NULL are NULL.
//   - IS, in all its forms, which is never null.
//   - x IN (…), which is null where x is not found and the list holds a null; so NOT IN is then null too.
//   - CASE, if: a condition that is null does not hold. CASE without ELSE is null where none holds.
//   - coalesce, concat, concat_ws (but for its separator), greatest and least leave nulls out.
//   - nullif(x, y) is x where y is null.
//   - array(…), whose elements may be null. a[i] is null where there is no such element, m[key] where there is no such
//     key, s.field where s is null.
//
// As in a WHERE clause, filter keeps the rows for which the condition is true: not those for which it is null.
//
// # Rows without a value
//
// An overflow of an int or a long, a division by zero, a CAST or to_timestamp of what can't be read: such a row
// has no value. It is in neither a table nor an error of the run: Eval and Filter name it in bad, and the
// operators put it into quarantine. It does not matter what is made of the missing value: coalesce(1 / 0, 5) has
// none. TRY_CAST, try_to_timestamp and try_to_date give null instead; 1 / nullif(x, 0) is the usual way to
// divide.
//
// So it matters what is computed. AND and OR compute their right side only for rows that the left one does not
// decide, CASE, if and coalesce a branch only for rows that take it, BETWEEN and IN a bound or an item only for
// rows still open: in
//
//	x <> 0 AND 10 / x > 1
//
// no row is without a value. All else computes its operands from left to right for all rows, and the first error
// of a row is the one told; an operand that is a constant NULL makes the result NULL, and the others are not
// computed. A float or double has no overflow: it becomes infinite.
//
// # Errors
//
// Compile finds all that is wrong with names and types at once; of the syntax the first. Each Error has an offset
// in bytes in the source, from which the definition's line and column are made, says what it found and what it
// expected, and names what may have been meant.
//
// # Differences from DuckDB and Spark
//
// DuckDB is the oracle (oracle_real_test.go): what is not in this list gives the same in both, value by value.
// What is said of Spark, in its ANSI mode, is by its manual.
//
//   - 1.5 is a double; theirs is a decimal: write CAST('1.5' AS decimal(2,1)).
//   - Decimals that need more than 38 digits: Spark gives up digits behind the point, DuckDB refuses; here the row has no
//     value. Where no decimal has digits for all values of two types, they have no type in common.
//   - No string converts by itself. There, at > '2024-13-01' fails when it runs.
//   - Names of columns are exact; theirs fold case. Two columns may differ in case alone, as JSON's keys do.
//   - An int or long with a float is a double, as in Spark; in DuckDB a float, which loses digits.
//   - Overflow and division by zero cost the row; theirs end the query, or give NULL, an infinity or NaN
//     (DuckDB's division). A stream can't stop for a row, and must not make up a value. The least int % -1 is 0;
//     an error in DuckDB.
//   - The right side of AND and OR, the upper bound of BETWEEN and the items of IN are not computed where they
//     don't matter; DuckDB computes them. An error must not depend on an optimizer.
//   - || binds less tightly than +, as in DuckDB; in Spark as tightly.
//   - LIKE has an escape only by ESCAPE, as in DuckDB; Spark takes the backslash. A pattern that ends in its
//     escape is an error, as in Spark; in DuckDB only for a text that reaches it.
//   - CAST from a string. Rounding '2.5' to 3 and taking '1e3' for a whole number is DuckDB's; Spark refuses
//     both. A number too large for a float or double is no value; in both it is an infinity. Dates have four
//     digits, two and two, and exist: DuckDB takes 2024-1-1, 24:00:00 and infinity. An offset behind a time
//     counts (+02:00 is two hours earlier in UTC), as in Spark; DuckDB leaves it out.
//   - CAST from a double to a whole number rounds, as in DuckDB, and then looks whether it fits; DuckDB looks
//     first, Spark cuts.
//   - CAST to a string. Doubles are written as DuckDB does (1e+16, nan; Spark 1.0E16, NaN), NaN without a sign, a
//     float with the fewest digits that read back the same, where DuckDB sometimes has one more. Years before 0
//     have a minus sign; DuckDB's are (BC). A binary must be UTF-8; DuckDB writes escapes.
//   - Dates have all 32 bits and timestamps 64; DuckDB's range is smaller, and has infinities.
//   - sqrt of a negative number is NaN, as in Spark; an error in DuckDB. round keeps NaN and infinities with any
//     places; DuckDB makes 0 of them for negative ones, and wraps a whole number that overflows, which has no
//     value here.
//   - greatest and least of 0.0 and -0.0 are the one that comes first; in DuckDB either.
//   - concat leaves nulls out, as in DuckDB; in Spark it is null.
//   - upper and lower map each character by itself: ß stays; in DuckDB it is ẞ, in Spark SS.
//   - trim takes spaces only, as Spark; DuckDB all that Unicode calls so.
//   - substr(x, 0, 3) has two characters: place 0 is before the first, as in DuckDB; in Spark it is the first. A
//     negative count gives an empty text; in DuckDB it counts backwards.
//   - split_part by an empty separator gives the whole text as the first part; in DuckDB characters.
//   - Patterns are RE2's, as in DuckDB; Spark's are Java's. regexp_extract without a group is the whole match,
//     regexp_replace without 'g' replaces the first: as in DuckDB; Spark takes group 1, and replaces all.
//   - length, cardinality, year and the like are ints, as in Spark; longs in DuckDB.
//   - dayofweek is 0 on Sunday, as in DuckDB; in Spark 1. date_trunc of a date is a timestamp.
//   - epoch_ms cuts down, so that one millisecond is as long as another; DuckDB cuts toward 1970.
//   - to_timestamp takes layouts in Java's letters, as Spark, and several; DuckDB's strptime has its own, and is
//     lenient with digits and spaces. A number needs its unit; theirs are seconds.
//   - a[1] is the first element and a[-1] the last, null where there is none, as in DuckDB; Spark counts from 0.
package expr
