package main

import "github.com/gophersnake/gophersnake/internal/device"

// What a device computes, each with its time taken and its cost counted: a
// gradient that is added to counts as written, small vectors and states do not
// count.

func (t *timed) Alloc(n int) device.Buf {
	defer t.note("Alloc", cost{class: classPasses})()
	return t.Device.Alloc(n)
}

func (t *timed) Upload(dst device.Buf, src []float64) {
	defer t.note("Upload", reads().writes(dst))()
	t.Device.Upload(dst, src)
}

func (t *timed) Download(dst []float64, src device.Buf) {
	defer t.note("Download", reads(src))()
	t.Device.Download(dst, src)
}

func (t *timed) Zero(x device.Buf) { defer t.note("Zero", reads().writes(x))(); t.Device.Zero(x) }

func (t *timed) Fill(x device.Buf, v float64) {
	defer t.note("Fill", reads().writes(x))()
	t.Device.Fill(x, v)
}

func (t *timed) Copy(dst, src device.Buf) {
	defer t.note("Copy", reads(src).writes(dst))()
	t.Device.Copy(dst, src)
}

func (t *timed) CopyBlock(rows, cols int, src device.Buf, srcOff, srcLD int, dst device.Buf, dstOff, dstLD int, add bool) {
	defer t.note("CopyBlock", elements(rows*cols, rows*cols))()
	t.Device.CopyBlock(rows, cols, src, srcOff, srcLD, dst, dstOff, dstLD, add)
}

func (t *timed) MatMul(transA, transB bool, m, n, k int, a, b, bias, c device.Buf, add bool) {
	cost := reads(a, b, bias).writes(c).products(2 * float64(m) * float64(n) * float64(k))
	defer t.note(matmulName(transA, transB, m, n, k), cost)()
	t.Device.MatMul(transA, transB, m, n, k, a, b, bias, c, add)
}

func (t *timed) SumRows(m, n int, x, dst device.Buf) {
	defer t.note("SumRows", reads(x).writes(dst))()
	t.Device.SumRows(m, n, x, dst)
}

func (t *timed) Embedding(tokens []int32, d int, w, y device.Buf) {
	defer t.note("Embedding", elements(y.Len(), y.Len()))()
	t.Device.Embedding(tokens, d, w, y)
}

func (t *timed) EmbeddingGrad(tokens []int32, d int, dy, dw device.Buf) {
	defer t.note("EmbeddingGrad", elements(dy.Len(), dy.Len()))()
	t.Device.EmbeddingGrad(tokens, d, dy, dw)
}

func (t *timed) Apply(f device.Func, x, y device.Buf) {
	defer t.note("Apply "+string(f), reads(x).writes(y))()
	t.Device.Apply(f, x, y)
}

func (t *timed) ApplyGrad(f device.Func, x, y, dy, dx device.Buf) {
	defer t.note("ApplyGrad "+string(f), reads(dy, y).writes(dx))()
	t.Device.ApplyGrad(f, x, y, dy, dx)
}

func (t *timed) Add(a, b, y device.Buf) {
	defer t.note("Add", reads(a, b).writes(y))()
	t.Device.Add(a, b, y)
}

func (t *timed) Sub(a, b, y device.Buf) {
	defer t.note("Sub", reads(a, b).writes(y))()
	t.Device.Sub(a, b, y)
}

func (t *timed) Mul(a, b, y device.Buf) {
	defer t.note("Mul", reads(a, b).writes(y))()
	t.Device.Mul(a, b, y)
}

func (t *timed) MulGrad(a, b, dy, da, db device.Buf) {
	defer t.note("MulGrad", reads(a, b, dy).writes(da, db))()
	t.Device.MulGrad(a, b, dy, da, db)
}

func (t *timed) Axpy(alpha float64, x, y device.Buf) {
	defer t.note("Axpy", reads(x, y).writes(y))()
	t.Device.Axpy(alpha, x, y)
}

func (t *timed) Scale(alpha float64, x, y device.Buf) {
	defer t.note("Scale", reads(x).writes(y))()
	t.Device.Scale(alpha, x, y)
}

func (t *timed) AddRow(m, n int, x, row, y device.Buf) {
	defer t.note("AddRow", reads(x).writes(y))()
	t.Device.AddRow(m, n, x, row, y)
}

func (t *timed) MulRow(m, n int, x, row, y device.Buf) {
	defer t.note("MulRow", reads(x).writes(y))()
	t.Device.MulRow(m, n, x, row, y)
}

func (t *timed) MulRowGrad(m, n int, x, row, dy, dx, drow device.Buf) {
	defer t.note("MulRowGrad", reads(x, dy).writes(dx))()
	t.Device.MulRowGrad(m, n, x, row, dy, dx, drow)
}

func (t *timed) SiLUMul(a, z, y device.Buf) {
	defer t.note("SiLUMul", reads(a, z).writes(y))()
	t.Device.SiLUMul(a, z, y)
}

func (t *timed) SiLUMulGrad(a, z, dy, da, dz device.Buf) {
	defer t.note("SiLUMulGrad", reads(a, z, dy).writes(da, dz))()
	t.Device.SiLUMulGrad(a, z, dy, da, dz)
}

func (t *timed) Dropout(p float64, seed uint64, x, y device.Buf) {
	defer t.note("Dropout", reads(x).writes(y))()
	t.Device.Dropout(p, seed, x, y)
}

func (t *timed) DropoutGrad(p float64, seed uint64, dy, dx device.Buf) {
	defer t.note("DropoutGrad", reads(dy).writes(dx))()
	t.Device.DropoutGrad(p, seed, dy, dx)
}

func (t *timed) Sum(x, y device.Buf) { defer t.note("Sum", reads(x))(); t.Device.Sum(x, y) }

func (t *timed) SumGrad(dy, dx device.Buf) {
	defer t.note("SumGrad", reads().writes(dx))()
	t.Device.SumGrad(dy, dx)
}

func (t *timed) SumSquares(x device.Buf) float64 {
	defer t.note("SumSquares", reads(x))()
	return t.Device.SumSquares(x)
}

func (t *timed) RMSNorm(m, n int, eps float64, x, w, y, rstd device.Buf) {
	defer t.note("RMSNorm", reads(x).writes(y))()
	t.Device.RMSNorm(m, n, eps, x, w, y, rstd)
}

func (t *timed) RMSNormGrad(m, n int, x, w, rstd, dy, dx, dw device.Buf) {
	defer t.note("RMSNormGrad", reads(x, dy).writes(dx))()
	t.Device.RMSNormGrad(m, n, x, w, rstd, dy, dx, dw)
}

func (t *timed) LayerNorm(m, n int, eps float64, x, w, b, y, mean, rstd device.Buf) {
	defer t.note("LayerNorm", reads(x).writes(y))()
	t.Device.LayerNorm(m, n, eps, x, w, b, y, mean, rstd)
}

func (t *timed) LayerNormGrad(m, n int, x, w, mean, rstd, dy, dx, dw, db device.Buf) {
	defer t.note("LayerNormGrad", reads(x, dy).writes(dx))()
	t.Device.LayerNormGrad(m, n, x, w, mean, rstd, dy, dx, dw, db)
}

func (t *timed) Conv1D(c *device.Conv1D) {
	defer t.note("Conv1D", reads(c.X).writes(c.Y))()
	t.Device.Conv1D(c)
}

func (t *timed) Conv1DGrad(c *device.Conv1D, dy, dx, dw, dbias device.Buf) {
	defer t.note("Conv1DGrad", reads(c.X, dy).writes(dx))()
	t.Device.Conv1DGrad(c, dy, dx, dw, dbias)
}

func (t *timed) Rotary(r device.Rotary, x, y device.Buf, inverse, add bool) {
	defer t.note("Rotary", reads(x).writes(y))()
	t.Device.Rotary(r, x, y, inverse, add)
}

func (t *timed) Attention(a *device.Attention) {
	defer t.note("Attention", attentionCost(a, 2).with(reads(a.Q, a.K, a.V).writes(a.Y)))()
	t.Device.Attention(a)
}

func (t *timed) AttentionGrad(a *device.Attention, dy, dq, dk, dv device.Buf) {
	defer t.note("AttentionGrad", attentionCost(a, 5).with(reads(a.Q, a.K, a.V, dy).writes(dq, dk, dv)))()
	t.Device.AttentionGrad(a, dy, dq, dk, dv)
}

func (t *timed) MeanPool(b, l, d int, x, y device.Buf) {
	defer t.note("MeanPool", reads(x).writes(y))()
	t.Device.MeanPool(b, l, d, x, y)
}

func (t *timed) MeanPoolGrad(b, l, d int, dy, dx device.Buf) {
	defer t.note("MeanPoolGrad", reads().writes(dx))()
	t.Device.MeanPoolGrad(b, l, d, dy, dx)
}

func (t *timed) LinearScan(s *device.LinearScan) {
	defer t.note("LinearScan", reads(s.A, s.AIm, s.X, s.XIm).writes(s.H, s.HIm).scan(linearFLOPs(s, 1)))()
	t.Device.LinearScan(s)
}

func (t *timed) LinearScanGrad(s *device.LinearScan, g *device.LinearScanGrad) {
	c := reads(s.A, s.AIm, s.H, s.HIm, g.DH, g.DHIm).writes(g.DX, g.DXIm).scan(linearFLOPs(s, 2))
	defer t.note("LinearScanGrad", c)()
	t.Device.LinearScanGrad(s, g)
}

func (t *timed) SelectiveScan(s *device.SelectiveScan) {
	c := reads(s.U, s.Delta, s.Bm, s.Cm, s.Z).writes(s.Y).scan(selectiveFLOPs(s, forwardProducts))
	defer t.note("SelectiveScan", c)()
	t.Device.SelectiveScan(s)
}

func (t *timed) SelectiveScanGrad(s *device.SelectiveScan, g *device.SelectiveScanGrad) {
	c := reads(s.U, s.Delta, s.Bm, s.Cm, s.Z, g.DY).writes(g.DU, g.DDelta, g.DB, g.DC, g.DZ, g.Y)
	c = c.scan(selectiveFLOPs(s, backwardProducts))
	defer t.note("SelectiveScanGrad", c)()
	t.Device.SelectiveScanGrad(s, g)
}

func (t *timed) Elman(e *device.Elman) {
	defer t.note("Elman", reads(e.X).writes(e.Out).products(gateFLOPs(e.B, e.L, e.H, 1)))()
	t.Device.Elman(e)
}

func (t *timed) ElmanGrad(e *device.Elman, dh, dx, dw device.Buf) {
	defer t.note("ElmanGrad", reads(e.Out, dh).writes(dx).products(gateFLOPs(e.B, e.L, e.H, 2)))()
	t.Device.ElmanGrad(e, dh, dx, dw)
}

func (t *timed) GRU(g *device.GRU) {
	defer t.note("GRU", reads(g.X).writes(g.Out).products(gateFLOPs(g.B, g.L, g.H, 3)))()
	t.Device.GRU(g)
}

func (t *timed) GRUGrad(g *device.GRU, dh, dx, dw, dbias device.Buf) {
	defer t.note("GRUGrad", reads(g.Saved, g.Out, dh).writes(dx).products(gateFLOPs(g.B, g.L, g.H, 6)))()
	t.Device.GRUGrad(g, dh, dx, dw, dbias)
}

func (t *timed) LSTM(s *device.LSTM) {
	defer t.note("LSTM", lstmCost(s))()
	t.Device.LSTM(s)
}

func (t *timed) LSTMGrad(s *device.LSTM, dh, dx, dw device.Buf) {
	defer t.note("LSTMGrad", reads(s.Saved, s.C, dh).writes(dx).products(gateFLOPs(s.B, s.L, s.H, 8)))()
	t.Device.LSTMGrad(s, dh, dx, dw)
}

func (t *timed) CrossEntropy(m, v int, x device.Buf, targets []int32, lse, loss device.Buf) {
	defer t.note("CrossEntropy", reads(x))()
	t.Device.CrossEntropy(m, v, x, targets, lse, loss)
}

func (t *timed) CrossEntropyGrad(m, v int, x device.Buf, targets []int32, lse, dloss, dx device.Buf) {
	defer t.note("CrossEntropyGrad", reads(x).writes(dx))()
	t.Device.CrossEntropyGrad(m, v, x, targets, lse, dloss, dx)
}

func (t *timed) Argmax(m, v int, x device.Buf) []int32 {
	defer t.note("Argmax", reads(x))()
	return t.Device.Argmax(m, v, x)
}

func (t *timed) AdamW(h device.AdamW, w, g, m, v device.Buf) {
	defer t.note("AdamW", reads(w, g, m, v).writes(w, m, v))()
	t.Device.AdamW(h, w, g, m, v)
}

func (t *timed) SGD(lr, momentum, decay, scale float64, w, g, buf device.Buf) {
	defer t.note("SGD", reads(w, g, buf).writes(w, buf))()
	t.Device.SGD(lr, momentum, decay, scale, w, g, buf)
}
