// Package bindings is the generator's output for package fixture, compiled.
package bindings

import "reflect"

// Package is what the generated tables are made of.
type Package = struct {
	Name     string
	Binds    map[string]reflect.Value
	Types    map[string]reflect.Type
	Proxies  map[string]reflect.Type
	Untypeds map[string]string
	Wrappers map[string][]string
}

// Table returns the table of a package.
func Table(path string) Package { return tables[path]() }
