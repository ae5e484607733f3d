package clean

// A Rule is one thing done to a column: one of the types of this file.
type Rule interface {
	name() string // what definitions call it
}

type (
	// NullIf makes these texts null.
	NullIf []string
	// EmptyToNull makes the empty text null.
	EmptyToNull struct{}
	// Trim takes white space, as Unicode has it, off both ends.
	Trim struct{}
	// StripPrefix takes a text off the beginning where it is there.
	StripPrefix string
	// StripSuffix takes a text off the end where it is there.
	StripSuffix string
	// Replace replaces texts, one pair after the other, wherever they occur.
	Replace []Pair
	// ReplaceRegexp replaces what regular expressions (Go's, RE2) match, one pair after the other. $1 and
	// ${name} in To are groups.
	ReplaceRegexp []Pair
	// Map replaces whole texts. What is no pair's From stays.
	Map []Mapping
	// Lower makes all letters small.
	Lower struct{}
	// Upper makes all letters large.
	Upper struct{}
)

// A Pair says what to replace by what.
type Pair struct{ From, To string }

// A Mapping says what becomes of a text. A nil To makes it null.
type Mapping struct {
	From string
	To   *string
}

// Parse makes values of texts.
type Parse struct {
	As      As
	Formats []string // of Timestamp and Date, the first that fits counts; none: iso
}

// As is what texts are parsed as.
type As string

// What texts are parsed as.
const (
	Int       As = "int"       // a whole number of 32 bits
	Long      As = "long"      // a whole number of 64 bits
	Double    As = "double"    // a decimal number, with or without an exponent
	Bool      As = "bool"      // true or false, also t, f, yes, no, y, n, 1, 0, in any case
	Magnitude As = "magnitude" // a whole number that k, m or b (in any case) may shorten: 10k, 1.5M; a long
	Timestamp As = "timestamp" // an instant; without a zone it is in UTC
	Date      As = "date"      // a day
)

func (NullIf) name() string        { return "null_if" }
func (EmptyToNull) name() string   { return "empty_to_null" }
func (Trim) name() string          { return "trim" }
func (StripPrefix) name() string   { return "strip_prefix" }
func (StripSuffix) name() string   { return "strip_suffix" }
func (Replace) name() string       { return "replace" }
func (ReplaceRegexp) name() string { return "replace_regexp" }
func (Map) name() string           { return "map" }
func (Lower) name() string         { return "lower" }
func (Upper) name() string         { return "upper" }
func (Parse) name() string         { return "parse" }
