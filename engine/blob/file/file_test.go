package file_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/blobtest"
	"github.com/millrace-io/millrace/engine/blob/file"
)

func open(t *testing.T, dir string) *file.Store {
	t.Helper()
	s, err := file.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, filepath.Join(t.TempDir(), "new", "lake")) })
}

// files lists every file below dir, temporary ones too.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path[len(dir)+1:])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestNoTemporaryFileStays(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for range 2 { // the second put-if-absent loses
		if err := s.PutIfAbsent(t.Context(), "log/0", nil); err != nil && !errors.Is(err, blob.ErrExists) {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	w, err := s.Create(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(files(t, dir), " "); !strings.HasPrefix(got, "._millrace_tmp_") {
		t.Errorf("while an object is made the files are %q", got)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(files(t, dir), " "); got != "a log/0" {
		t.Errorf("files are %q, want a and log/0", got)
	}
}

func TestLeftoversOfACrashAreNotListed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Create(t.Context(), "t/a"); err != nil { // never closed
		t.Fatal(err)
	}
	if len(files(t, dir)) != 1 {
		t.Fatalf("files are %q, want one", files(t, dir))
	}
	for info, err := range s.List(t.Context(), "", "") {
		t.Errorf("list gives %v, %v", info, err)
	}
	if err := s.Put(t.Context(), "t/._millrace_tmp_x", nil); err == nil {
		t.Error("took the name of a temporary file")
	}
}

func TestObjectAndFolderOfOneName(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Put(t.Context(), "a/b", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "a/b/c"} {
		if err := s.Put(t.Context(), name, nil); err == nil || errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Put(%q): %v", name, err)
		}
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write to a read-only folder")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	err := open(t, dir).Put(t.Context(), "a", nil)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "change its owner or mode") {
		t.Errorf("Put: %v", err)
	}
}

func TestSymbolicLinkToFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "real"), []byte("12345"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	for info, err := range open(t, dir).List(t.Context(), "link", "") {
		if err != nil || info.Size != 5 {
			t.Errorf("list gives %+v, %v", info, err)
		}
	}
}
