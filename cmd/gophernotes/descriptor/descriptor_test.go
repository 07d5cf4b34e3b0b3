//go:build unix

package descriptor_test

import (
	"io"
	"os"
	"testing"

	"github.com/gophersnake/gophersnake/cmd/gophernotes/descriptor"
)

func TestRedirect(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := descriptor.Copy(int(null.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := descriptor.Redirect(int(w.Fd()), fd); err != nil {
		t.Fatal(err)
	}
	w.Close()
	f := os.NewFile(uintptr(fd), "redirected")
	if _, err := f.WriteString("heard"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got, err := io.ReadAll(r); string(got) != "heard" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
