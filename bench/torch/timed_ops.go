package main

import "github.com/gophersnake/gophersnake/internal/device"

// What a device computes, each with its time taken.

func (t *timed) Alloc(n int) device.Buf { defer t.note("Alloc")(); return t.Device.Alloc(n) }

func (t *timed) Upload(dst device.Buf, src []float64) {
	defer t.note("Upload")()
	t.Device.Upload(dst, src)
}

func (t *timed) Download(dst []float64, src device.Buf) {
	defer t.note("Download")()
	t.Device.Download(dst, src)
}

func (t *timed) Zero(x device.Buf) { defer t.note("Zero")(); t.Device.Zero(x) }

func (t *timed) Fill(x device.Buf, v float64) { defer t.note("Fill")(); t.Device.Fill(x, v) }

func (t *timed) Copy(dst, src device.Buf) { defer t.note("Copy")(); t.Device.Copy(dst, src) }

func (t *timed) CopyBlock(rows, cols int, src device.Buf, srcOff, srcLD int, dst device.Buf, dstOff, dstLD int, add bool) {
	defer t.note("CopyBlock")()
	t.Device.CopyBlock(rows, cols, src, srcOff, srcLD, dst, dstOff, dstLD, add)
}

func (t *timed) MatMul(transA, transB bool, m, n, k int, a, b, bias, c device.Buf, add bool) {
	defer t.note(matmulName(transA, transB, m, n, k))()
	t.Device.MatMul(transA, transB, m, n, k, a, b, bias, c, add)
}

func (t *timed) SumRows(m, n int, x, dst device.Buf) {
	defer t.note("SumRows")()
	t.Device.SumRows(m, n, x, dst)
}

func (t *timed) Embedding(tokens []int32, d int, w, y device.Buf) {
	defer t.note("Embedding")()
	t.Device.Embedding(tokens, d, w, y)
}

func (t *timed) EmbeddingGrad(tokens []int32, d int, dy, dw device.Buf) {
	defer t.note("EmbeddingGrad")()
	t.Device.EmbeddingGrad(tokens, d, dy, dw)
}

func (t *timed) Apply(f device.Func, x, y device.Buf) {
	defer t.note("Apply " + string(f))()
	t.Device.Apply(f, x, y)
}

func (t *timed) ApplyGrad(f device.Func, x, y, dy, dx device.Buf) {
	defer t.note("ApplyGrad " + string(f))()
	t.Device.ApplyGrad(f, x, y, dy, dx)
}

func (t *timed) Add(a, b, y device.Buf) { defer t.note("Add")(); t.Device.Add(a, b, y) }

func (t *timed) Sub(a, b, y device.Buf) { defer t.note("Sub")(); t.Device.Sub(a, b, y) }

func (t *timed) Mul(a, b, y device.Buf) { defer t.note("Mul")(); t.Device.Mul(a, b, y) }

func (t *timed) MulGrad(a, b, dy, da, db device.Buf) {
	defer t.note("MulGrad")()
	t.Device.MulGrad(a, b, dy, da, db)
}

func (t *timed) Axpy(alpha float64, x, y device.Buf) {
	defer t.note("Axpy")()
	t.Device.Axpy(alpha, x, y)
}

func (t *timed) Scale(alpha float64, x, y device.Buf) {
	defer t.note("Scale")()
	t.Device.Scale(alpha, x, y)
}

func (t *timed) AddRow(m, n int, x, row, y device.Buf) {
	defer t.note("AddRow")()
	t.Device.AddRow(m, n, x, row, y)
}

func (t *timed) MulRow(m, n int, x, row, y device.Buf) {
	defer t.note("MulRow")()
	t.Device.MulRow(m, n, x, row, y)
}

func (t *timed) MulRowGrad(m, n int, x, row, dy, dx, drow device.Buf) {
	defer t.note("MulRowGrad")()
	t.Device.MulRowGrad(m, n, x, row, dy, dx, drow)
}

func (t *timed) SiLUMul(a, z, y device.Buf) { defer t.note("SiLUMul")(); t.Device.SiLUMul(a, z, y) }

func (t *timed) SiLUMulGrad(a, z, dy, da, dz device.Buf) {
	defer t.note("SiLUMulGrad")()
	t.Device.SiLUMulGrad(a, z, dy, da, dz)
}

func (t *timed) Dropout(p float64, seed uint64, x, y device.Buf) {
	defer t.note("Dropout")()
	t.Device.Dropout(p, seed, x, y)
}

func (t *timed) DropoutGrad(p float64, seed uint64, dy, dx device.Buf) {
	defer t.note("DropoutGrad")()
	t.Device.DropoutGrad(p, seed, dy, dx)
}

func (t *timed) Sum(x, y device.Buf) { defer t.note("Sum")(); t.Device.Sum(x, y) }

func (t *timed) SumGrad(dy, dx device.Buf) { defer t.note("SumGrad")(); t.Device.SumGrad(dy, dx) }

func (t *timed) SumSquares(x device.Buf) float64 {
	defer t.note("SumSquares")()
	return t.Device.SumSquares(x)
}

func (t *timed) RMSNorm(m, n int, eps float64, x, w, y, rstd device.Buf) {
	defer t.note("RMSNorm")()
	t.Device.RMSNorm(m, n, eps, x, w, y, rstd)
}

func (t *timed) RMSNormGrad(m, n int, x, w, rstd, dy, dx, dw device.Buf) {
	defer t.note("RMSNormGrad")()
	t.Device.RMSNormGrad(m, n, x, w, rstd, dy, dx, dw)
}

func (t *timed) LayerNorm(m, n int, eps float64, x, w, b, y, mean, rstd device.Buf) {
	defer t.note("LayerNorm")()
	t.Device.LayerNorm(m, n, eps, x, w, b, y, mean, rstd)
}

func (t *timed) LayerNormGrad(m, n int, x, w, mean, rstd, dy, dx, dw, db device.Buf) {
	defer t.note("LayerNormGrad")()
	t.Device.LayerNormGrad(m, n, x, w, mean, rstd, dy, dx, dw, db)
}

func (t *timed) Conv1D(c *device.Conv1D) { defer t.note("Conv1D")(); t.Device.Conv1D(c) }

func (t *timed) Conv1DGrad(c *device.Conv1D, dy, dx, dw, dbias device.Buf) {
	defer t.note("Conv1DGrad")()
	t.Device.Conv1DGrad(c, dy, dx, dw, dbias)
}

func (t *timed) Rotary(r device.Rotary, x, y device.Buf, inverse, add bool) {
	defer t.note("Rotary")()
	t.Device.Rotary(r, x, y, inverse, add)
}

func (t *timed) Attention(a *device.Attention) { defer t.note("Attention")(); t.Device.Attention(a) }

func (t *timed) AttentionGrad(a *device.Attention, dy, dq, dk, dv device.Buf) {
	defer t.note("AttentionGrad")()
	t.Device.AttentionGrad(a, dy, dq, dk, dv)
}

func (t *timed) MeanPool(b, l, d int, x, y device.Buf) {
	defer t.note("MeanPool")()
	t.Device.MeanPool(b, l, d, x, y)
}

func (t *timed) MeanPoolGrad(b, l, d int, dy, dx device.Buf) {
	defer t.note("MeanPoolGrad")()
	t.Device.MeanPoolGrad(b, l, d, dy, dx)
}

func (t *timed) LinearScan(s *device.LinearScan) {
	defer t.note("LinearScan")()
	t.Device.LinearScan(s)
}

func (t *timed) LinearScanGrad(s *device.LinearScan, g *device.LinearScanGrad) {
	defer t.note("LinearScanGrad")()
	t.Device.LinearScanGrad(s, g)
}

func (t *timed) SelectiveScan(s *device.SelectiveScan) {
	defer t.note("SelectiveScan")()
	t.Device.SelectiveScan(s)
}

func (t *timed) SelectiveScanGrad(s *device.SelectiveScan, g *device.SelectiveScanGrad) {
	defer t.note("SelectiveScanGrad")()
	t.Device.SelectiveScanGrad(s, g)
}

func (t *timed) Elman(e *device.Elman) { defer t.note("Elman")(); t.Device.Elman(e) }

func (t *timed) ElmanGrad(e *device.Elman, dh, dx, dw device.Buf) {
	defer t.note("ElmanGrad")()
	t.Device.ElmanGrad(e, dh, dx, dw)
}

func (t *timed) GRU(g *device.GRU) { defer t.note("GRU")(); t.Device.GRU(g) }

func (t *timed) GRUGrad(g *device.GRU, dh, dx, dw, dbias device.Buf) {
	defer t.note("GRUGrad")()
	t.Device.GRUGrad(g, dh, dx, dw, dbias)
}

func (t *timed) LSTM(s *device.LSTM) { defer t.note("LSTM")(); t.Device.LSTM(s) }

func (t *timed) LSTMGrad(s *device.LSTM, dh, dx, dw device.Buf) {
	defer t.note("LSTMGrad")()
	t.Device.LSTMGrad(s, dh, dx, dw)
}

func (t *timed) CrossEntropy(m, v int, x device.Buf, targets []int32, lse, loss device.Buf) {
	defer t.note("CrossEntropy")()
	t.Device.CrossEntropy(m, v, x, targets, lse, loss)
}

func (t *timed) CrossEntropyGrad(m, v int, x device.Buf, targets []int32, lse, dloss, dx device.Buf) {
	defer t.note("CrossEntropyGrad")()
	t.Device.CrossEntropyGrad(m, v, x, targets, lse, dloss, dx)
}

func (t *timed) Argmax(m, v int, x device.Buf) []int32 {
	defer t.note("Argmax")()
	return t.Device.Argmax(m, v, x)
}

func (t *timed) AdamW(h device.AdamW, w, g, m, v device.Buf) {
	defer t.note("AdamW")()
	t.Device.AdamW(h, w, g, m, v)
}

func (t *timed) SGD(lr, momentum, decay, scale float64, w, g, buf device.Buf) {
	defer t.note("SGD")()
	t.Device.SGD(lr, momentum, decay, scale, w, g, buf)
}
