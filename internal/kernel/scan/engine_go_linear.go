package scan

func (goEngine) linear(steps, n int, v linearRows) {
	for t := range steps {
		a, prev, x, h := v.a.row(t, n), v.prev.row(t, n), v.x.row(t, n), v.h.row(t, n)
		for i := range h {
			h[i] = a[i]*prev[i] + x[i]
		}
	}
}

func (goEngine) linearBack(steps, n int, v linearBackRows) {
	for t := range steps {
		a, prev, dh := v.a.row(t, n), v.prev.row(t, n), v.dh.row(t, n)
		dx, da, carry := v.dx.row(t, n), v.da.row(t, n), v.carry.row(t, n)
		for i := range carry {
			x := dh[i] + carry[i]
			dx[i] += x
			da[i] += x * prev[i]
			carry[i] = a[i] * x
		}
	}
}

func (goEngine) linearComplex(steps, n int, re, im linearRows) {
	for t := range steps {
		ar, pr, xr, hr := re.a.row(t, n), re.prev.row(t, n), re.x.row(t, n), re.h.row(t, n)
		ai, pi, xi, hi := im.a.row(t, n), im.prev.row(t, n), im.x.row(t, n), im.h.row(t, n)
		for i := range hr {
			r := xr[i] + ar[i]*pr[i] - ai[i]*pi[i]
			hi[i] = xi[i] + ar[i]*pi[i] + ai[i]*pr[i]
			hr[i] = r
		}
	}
}

func (goEngine) linearComplexBack(steps, n int, re, im linearBackRows) {
	for t := range steps {
		ar, pr, gr := re.a.row(t, n), re.prev.row(t, n), re.dh.row(t, n)
		ai, pi, gi := im.a.row(t, n), im.prev.row(t, n), im.dh.row(t, n)
		dxr, dar, cr := re.dx.row(t, n), re.da.row(t, n), re.carry.row(t, n)
		dxi, dai, ci := im.dx.row(t, n), im.da.row(t, n), im.carry.row(t, n)
		for i := range cr {
			x, y := gr[i]+cr[i], gi[i]+ci[i]
			dxr[i] += x
			dxi[i] += y
			dar[i] += x*pr[i] + y*pi[i]
			dai[i] += y*pr[i] - x*pi[i]
			cr[i] = ar[i]*x + ai[i]*y
			ci[i] = ar[i]*y - ai[i]*x
		}
	}
}
