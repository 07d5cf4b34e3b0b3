//go:build gophernotes

package main

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/cosmos72/gomacro/imports"

	"github.com/gophersnake/gophersnake/internal/nbhook"
)

// replaceBinds gives cells other functions than the standard library's where
// those would end the kernel or could not be stopped.
func replaceBinds() {
	for path, binds := range map[string]map[string]any{
		"time": {"Sleep": sleep},
		"os":   {"Exit": exit},
		"log":  {"Fatal": fatal, "Fatalf": fatalf, "Fatalln": fatalln},
	} {
		for name, f := range binds {
			imports.Packages[path].Binds[name] = reflect.ValueOf(f)
		}
	}
	for name, f := range map[string]any{"Show": show, "Update": update, "ClearOutput": clearOutput} {
		display.Binds[name] = reflect.ValueOf(f)
	}
}

// errNoFrontend cannot happen in a cell.
var errNoFrontend = errors.New("display: no notebook is connected")

// show displays d under an id.
func show(id string, d Data) error { return displayAs(id, d, false) }

// update shows d in the place of all that was shown under the id.
func update(id string, d Data) error { return displayAs(id, d, true) }

func displayAs(id string, d Data, again bool) error {
	front := nbhook.Get()
	if front == nil {
		return errNoFrontend
	}
	return front.Display(tidy(d).Data, d.Metadata, id, again)
}

// clearOutput empties the cell's output, with wait when the next is there.
func clearOutput(wait bool) error {
	front := nbhook.Get()
	if front == nil {
		return errNoFrontend
	}
	return front.Clear(wait)
}

// sleep is time.Sleep that the stop button ends.
func sleep(d time.Duration) {
	front := nbhook.Get()
	if front == nil {
		time.Sleep(d)
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-front.Context().Done():
	}
}

func exit(code int) {
	panic(fmt.Sprintf("os.Exit(%d) would end the kernel with all that cells have defined; return, or restart from the menu", code))
}

func fatal(v ...any)            { stop(fmt.Sprint(v...)) }
func fatalf(f string, v ...any) { stop(fmt.Sprintf(f, v...)) }
func fatalln(v ...any)          { stop(fmt.Sprintln(v...)) }

// stop ends the cell, not the process.
func stop(text string) { panic("log.Fatal: " + text) }
