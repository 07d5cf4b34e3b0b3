//go:build gophernotes

package main

import (
	"log"
	"reflect"
	"strings"
	"unsafe"

	"github.com/cosmos72/gomacro/xreflect"
)

// The interpreter marks a compiled type that refers to itself, such as a struct
// with a pointer to its like, as approximate. Maps and slices of it are then
// made of a stand-in, which has no methods and which compiled functions do not
// take. But a compiled type is known exactly: reflection has it.

// standIn is the name of the stand-in in the names of composite types.
const standIn = "xreflect.Forward"

// exactTypes marks all compiled types that the interpreter knows as exact. It
// must run after imports and before what uses them is compiled. seen is how
// many types there were when it last ran; it returns how many there are.
func exactTypes(u *xreflect.Universe, seen int) int {
	if len(u.ReflectTypes) == seen {
		return seen
	}
	for exact, t := range u.ReflectTypes {
		if strings.Contains(exact.String(), standIn) {
			continue
		}
		if strings.Contains(t.ReflectType().String(), standIn) {
			t.UnsafeForceReflectType(exact)
		}
		if t.ReflectType() == exact {
			markExact(t)
		}
	}
	return len(u.ReflectTypes)
}

// markExact clears the mark, an unexported field for which the interpreter has
// no method. A test holds this to the interpreter's version.
func markExact(t xreflect.Type) {
	f := reflect.ValueOf(t)
	inner := f.Call([]reflect.Value{reflect.Zero(f.Type().In(0))})[0]
	option := inner.Elem().FieldByName("option")
	if !option.IsValid() || option.Kind() != reflect.Uint8 {
		log.Print("the interpreter's types have no option: maps of self-referring types will not work")
		return
	}
	*(*uint8)(unsafe.Pointer(option.UnsafeAddr())) = uint8(xreflect.OptDefault)
}
