package blob

import "testing"

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "a/b": true, "...": true, ".a": true, "a b": true, "\xff": true,
		"": false, "/": false, "/a": false, "a/": false, "a//b": false, "..": false, "a/..": false, "./a": false, "a\x00": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
}
