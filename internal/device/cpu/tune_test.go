package cpu_test
import ("testing";"fmt";"time";"github.com/gophersnake/gophersnake/internal/device";"github.com/gophersnake/gophersnake/internal/device/cpu")
func TestTune(t *testing.T) {
	e := newEnv(cpu.New(1)); const b,l,d,heads = 1,1024,64,2
	n := b*l*d
	a := &device.Attention{B: b, Lq: l, Lk: l, H: heads, Dh: d / heads, Q: e.in(n), K: e.in(n), V: e.in(n), KVStride: l * d, Y: e.in(n), LSE: e.in(b * heads * l)}
	dy, dq, dk, dv := e.in(n), e.in(n), e.in(n), e.in(n)
	mf, mg := time.Hour, time.Hour
	for range 400 {
		s := time.Now(); e.Attention(a); mf = min(mf, time.Since(s))
	}
	for range 200 {
		s := time.Now(); e.AttentionGrad(a, dy, dq, dk, dv); mg = min(mg, time.Since(s))
	}
	fmt.Println(mf, mg)
}
