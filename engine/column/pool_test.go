package column

import "testing"

// TestChildrenStaySmall: a child never gets the memory of a batch, which nobody has counted for it, and what
// a huge record has made is not kept.
func TestChildrenStaySmall(t *testing.T) {
	var p Pool
	fill := func(a *Arena, bytes int) { a.Column(Of(Binary)).(*Texts).Append(make([]byte, bytes)) }
	root := p.Get()
	fill(root, 1<<20)
	child := root.Child()
	fill(child, 100)
	root.Release()
	child.Release()
	root = p.Get()
	if child = root.Child(); child.Size() >= 1<<20 {
		t.Errorf("a child has %d bytes", child.Size())
	}
	if root.Size() < 1<<20 {
		t.Errorf("a batch's memory was not kept: %d bytes", root.Size())
	}
	fill(root, largestKept+1)
	child.Release()
	root.Release()
	if root = p.Get(); root.Size() > largestKept {
		t.Errorf("%d bytes were kept", root.Size())
	}
}
