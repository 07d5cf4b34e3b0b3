package nbhook_test

import (
	"context"
	"testing"

	"github.com/gophersnake/gophersnake/internal/nbhook"
)

type fake struct{}

func (fake) Context() context.Context                           { return context.Background() }
func (fake) Display(_, _ nbhook.Bundle, _ string, _ bool) error { return nil }
func (fake) Clear(bool) error                                   { return nil }

func TestSetGet(t *testing.T) {
	if f := nbhook.Get(); f != nil {
		t.Fatalf("front end %v before Set", f)
	}
	nbhook.Set(fake{})
	if f := nbhook.Get(); f != (fake{}) {
		t.Errorf("got %v, want the one that was set", f)
	}
	nbhook.Set(nil)
	if f := nbhook.Get(); f != nil {
		t.Errorf("got %v after Set(nil)", f)
	}
}
