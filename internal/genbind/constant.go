package main

import (
	"fmt"
	"go/constant"
	"go/types"
	"math"
)

// marshal writes an untyped constant the way gomacro's base/untyped.Unmarshal
// reads it, exactly: "int:18446744073709551616", "float:1/3".
func marshal(kind types.BasicKind, v constant.Value) string {
	switch kind {
	case types.UntypedBool:
		return fmt.Sprint("bool:", constant.BoolVal(v))
	case types.UntypedInt:
		return "int:" + constant.ToInt(v).ExactString()
	case types.UntypedRune:
		return "rune:" + constant.ToInt(v).ExactString()
	case types.UntypedFloat:
		return "float:" + constant.ToFloat(v).ExactString()
	case types.UntypedComplex:
		v = constant.ToComplex(v)
		return "complex:" + constant.Real(v).ExactString() + ":" + constant.Imag(v).ExactString()
	case types.UntypedString:
		return "string:" + constant.StringVal(v)
	}
	panic(fmt.Sprintf("marshal: kind %d is not untyped", kind))
}

// conversion returns the type that an untyped constant must be converted to
// before it can be a value: "" if its default type will do on every platform,
// and ok false if no type holds it.
func conversion(v constant.Value) (typ string, ok bool) {
	switch v.Kind() {
	case constant.Int:
		i, exact := constant.Int64Val(v)
		switch {
		case exact && int64(int32(i)) == i:
			return "", true
		case exact:
			return "int64", true
		}
		if _, exact := constant.Uint64Val(v); exact {
			return "uint64", true
		}
		return "float64", true // the language ends at 512 bits
	case constant.Float:
		f, _ := constant.Float64Val(v)
		return "", !math.IsInf(f, 0)
	}
	return "", true
}
