package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/millrace-io/millrace/engine/blob"
)

func TestRenameNewNeverReplaces(t *testing.T) {
	dir := t.TempDir()
	path, temp := filepath.Join(dir, "a"), filepath.Join(dir, "temp")
	for _, p := range []string{path, temp} {
		if err := os.WriteFile(p, []byte(p), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := renameNew(temp, path); !errors.Is(err, fs.ErrExist) {
		t.Skipf("this file system or system cannot rename without replacing: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := renameNew(temp, path); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(path); string(data) != temp {
		t.Errorf("the object is %q, %v", data, err)
	}
}

func TestAdvice(t *testing.T) {
	s := &Store{"/data/lake"}
	for errno, want := range map[syscall.Errno]string{
		syscall.ENOSPC: "put a: the disk that holds /data/lake is full, free some space and start again, nothing committed is lost: no space left on device",
		syscall.EROFS:  "mounted read-only",
		syscall.EACCES: "change its owner or mode",
		syscall.EDQUOT: "quota",
	} {
		err := s.failed("put", "a", &fs.PathError{Op: "write", Path: "/data/lake/a", Err: errno})
		if !strings.Contains(err.Error(), want) || !errors.Is(err, errno) {
			t.Errorf("%v: %v", errno, err)
		}
	}
}

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no device that is always full here: ", err)
	}
	s := &Store{t.TempDir()}
	w := &writer{s, "a", &temp{full, filepath.Join(s.root, "a")}}
	if _, err := w.Write([]byte("data")); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("Write: %v", err)
	}
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get: %v, want not found", err)
	}
	full.Close()
}
