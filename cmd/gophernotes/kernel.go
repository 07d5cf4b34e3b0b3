//go:build gophernotes

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/gophersnake/gophersnake/cmd/gophernotes/descriptor"
	"github.com/gophersnake/gophersnake/internal/nbhook"
)

// object is a JSON object as messages have it.
type object = map[string]any

// kernel is one running kernel. Requests of the shell channel are served one
// after the other by serveShell; control and interrupts come from other
// goroutines and touch only what mu guards.
type kernel struct {
	*evaluator
	socks    SocketGroup
	out, err *stream
	docs     library
	history  []string // the code of every stored cell; [i] was In[i+1]
	requests chan msgReceipt
	crashed  string // the trace of the run before, until it is shown
	flushing sync.Mutex
	started  time.Time
	given    [3]*os.File // the process's own, held: a file that is garbage closes its descriptor

	mu     sync.Mutex
	served *msgReceipt // the last request of the shell channel; nil while one is served
	parent msgReceipt  // the cell that output belongs to
	ctx    context.Context
	cancel context.CancelFunc
}

// serve runs a kernel until a front end shuts it down.
func serve(connectionFile string) error {
	data, err := os.ReadFile(connectionFile)
	if err != nil {
		return err
	}
	var info ConnectionInfo
	if err := json.Unmarshal(data, &info); err != nil {
		return fmt.Errorf("%s: %w", connectionFile, err)
	}
	socks, err := prepareSockets(info)
	if err != nil {
		return err
	}
	go heartbeat(socks.HBSocket.Socket)
	k := &kernel{socks: socks, requests: make(chan msgReceipt, 1024), parent: msgReceipt{Sockets: socks}, started: time.Now()}
	k.newContext()
	k.status(&k.parent, kernelStarting)
	k.crashed = watchCrash(connectionFile)
	if err := k.capture(); err != nil {
		return err
	}
	k.evaluator = newEvaluator(k.display)
	nbhook.Set(k)
	k.handleSignals()
	go k.receive(socks.ShellSocket, func(r msgReceipt) {
		if r.Msg.Header.MsgType == "execute_request" {
			k.arrived()
		}
		k.requests <- r
	})
	go k.receive(socks.ControlSocket, k.control)
	go k.receive(socks.StdinSocket, func(msgReceipt) {}) // nothing was asked for: no answer counts
	k.serveShell()
	return nil
}

// serveShell serves the requests of the shell channel, one after the other.
func (k *kernel) serveShell() {
	start := k.current()
	k.serving(start)
	go k.repeatIdle(start)
	listened := false
	for r := range k.requests {
		if !listened && r.Msg.Header.MsgType == "execute_request" {
			k.awaitListener()
			listened = true
		}
		unheard := !k.heard()
		k.serving(nil)
		k.shell(r)
		k.serving(&r)
		if unheard || r.Msg.Header.MsgType == "kernel_info_request" {
			go k.repeatIdle(&r, start)
		}
	}
}

// renewal bounds how long the first cell waits for somebody to listen.
const renewal = 2 * time.Second

// awaitListener returns when a front end has subscribed to output. One that sees
// its kernel restarted connects anew, one socket after the other; what a cell
// shows before it has subscribed would be lost.
func (k *kernel) awaitListener() {
	for end := time.Now().Add(renewal); !k.heard() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

// heard reports whether a front end has subscribed to output.
func (k *kernel) heard() bool {
	pub, ok := k.socks.IOPubSocket.Socket.(zmq4.Topics)
	return !ok || len(pub.Topics()) > 0
}

// serving notes the request that was served last, nil while one is served.
func (k *kernel) serving(last *msgReceipt) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.served = last
}

// repeatIdle says again that the kernel is idle after r, when somebody listens:
// front ends that did not hear it would not know until a cell runs. Jupyter's
// sockets connect anew every 100 ms, each for itself, so it is said some times.
// It is said after others, too: JupyterLab connects with a kernel_info_request
// and takes no notice of a status that follows one, only of what follows none.
func (k *kernel) repeatIdle(r *msgReceipt, others ...*msgReceipt) {
	const times, pause = 4, 50 * time.Millisecond
	said := 0
	for said < times && k.still(r, func() {
		if k.heard() {
			for _, after := range append([]*msgReceipt{r}, others...) {
				k.status(after, kernelIdle)
			}
			said++
		}
	}) {
		time.Sleep(pause)
	}
}

// still calls f if r is the last request that was served and no other is served
// now, and reports that. No request begins to be served while f runs.
func (k *kernel) still(r *msgReceipt, f func()) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.served == r {
		f()
	}
	return k.served == r
}

// capture redirects what Go and C code print, and takes standard input away:
// a cell that reads it finds its end instead of waiting for ever.
func (k *kernel) capture() error {
	k.given = [3]*os.File{os.Stdin, os.Stdout, os.Stderr}
	terminal, err := descriptor.Copy(2)
	if err != nil {
		return err
	}
	log.SetOutput(os.NewFile(uintptr(terminal), "terminal"))
	log.SetPrefix("gophernotes: ")
	if k.crashed != "" {
		log.Print("the run before ended with\n", k.crashed)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	os.Stdin = null
	if err := descriptor.Redirect(int(null.Fd()), 0); err != nil {
		return err
	}
	if k.out, err = k.captureOne(StreamStdout, 1, &os.Stdout); err != nil {
		return err
	}
	k.err, err = k.captureOne(StreamStderr, 2, &os.Stderr)
	cLines()
	return err
}

func (k *kernel) captureOne(name string, fd int, file **os.File) (*stream, error) {
	s, err := newStream(name, func(name, text string) {
		k.publish("stream", object{"name": name, "text": text})
	})
	if err != nil {
		return nil, err
	}
	*file = s.w
	return s, descriptor.Redirect(int(s.w.Fd()), fd)
}

// flush sends what has been printed, so that what is shown next comes after it.
func (k *kernel) flush() {
	k.flushing.Lock()
	defer k.flushing.Unlock()
	cFlush()
	k.out.flush()
	k.err.flush()
}

// current returns the cell that output belongs to.
func (k *kernel) current() *msgReceipt {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.parent
	return &r
}

// publish sends a message to all front ends, as output of the current cell.
func (k *kernel) publish(kind string, content any) error {
	err := k.current().Publish(kind, content)
	if err != nil {
		log.Printf("%s: %v", kind, err)
	}
	return err
}

func (k *kernel) status(r *msgReceipt, state string) {
	if err := r.PublishKernelStatus(state); err != nil {
		log.Printf("status %s: %v", state, err)
	}
}

// answer replies to r on the socket that it came by.
func answer(r *msgReceipt, s *Socket, kind string, content any) {
	msg, err := NewMsg(kind, r.Msg)
	if err == nil {
		msg.Content = content
		err = s.RunWithSocket(func(z zmq4.Socket) error { return r.SendResponse(z, msg) })
	}
	if err != nil {
		log.Printf("%s: %v", kind, err)
	}
}

// heartbeat sends back what comes. gophernotes' own ends the process when a
// front end goes away in the middle of a beat.
func heartbeat(s zmq4.Socket) {
	for {
		m, err := s.Recv()
		switch {
		case errors.Is(err, context.Canceled):
			return
		case err != nil:
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err := s.Send(m); err != nil {
			log.Printf("heartbeat: %v", err)
		}
	}
}

// receive hands every valid message of a socket to handle.
func (k *kernel) receive(s Socket, handle func(msgReceipt)) {
	for {
		m, err := s.Socket.Recv()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, context.Canceled):
			return
		case err != nil:
			time.Sleep(10 * time.Millisecond) // a front end went away; others may be there
			continue
		}
		msg, ids, err := decode(m.Frames, k.socks.Key)
		if err != nil {
			log.Print(err)
			continue
		}
		handle(msgReceipt{msg, ids, k.socks})
	}
}

// decode is gophernotes' reader of messages, which panics on frames that are
// no message.
func decode(frames [][]byte, key []byte) (msg ComposedMsg, ids [][]byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("message of %d frames: %v", len(frames), p)
		}
	}()
	return WireMsgToComposedMsg(frames, key)
}

// control serves the channel that overtakes queued cells.
func (k *kernel) control(r msgReceipt) {
	k.status(&r, kernelBusy)
	defer k.status(&r, kernelIdle)
	switch r.Msg.Header.MsgType {
	case "interrupt_request":
		if !k.forAnother(r.Msg.Header.Timestamp) {
			k.interrupt()
		}
		answer(&r, &k.socks.ControlSocket, "interrupt_reply", object{"status": "ok"})
	case "shutdown_request":
		k.shutdown(&r, &k.socks.ControlSocket)
	case "kernel_info_request":
		answer(&r, &k.socks.ControlSocket, "kernel_info_reply", kernelInfoReply())
	}
}

// forAnother reports whether an interrupt was sent at a time when this process
// did not exist. Jupyter interrupts a kernel before it restarts it; if that one
// has crashed, the message waits for the next and would stop its first cell. A
// young kernel alone can get one, and clocks of front ends are not looked at later.
func (k *kernel) forAnother(sent string) bool {
	const young = time.Minute
	at, err := time.Parse(time.RFC3339Nano, sent)
	return err == nil && at.Before(k.started) && time.Since(k.started) < young
}

// goodbye is how long messages have to leave before the process does.
const goodbye = 50 * time.Millisecond

func (k *kernel) shutdown(r *msgReceipt, s *Socket) {
	content, _ := r.Msg.Content.(object)
	k.cancelContext() // compiled calls may still write checkpoints
	answer(r, s, "shutdown_reply", object{"status": "ok", "restart": content["restart"] == true})
	k.status(r, kernelIdle)
	time.Sleep(goodbye)
	forgetCrash()
	os.Exit(0)
}

func (k *kernel) handleSignals() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt)
	go func() {
		for range signals {
			k.interrupt()
		}
	}()
}

// interrupt stops the running cell; see evaluator.interrupt for how.
func (k *kernel) interrupt() {
	k.cancelContext()
	k.evaluator.interrupt()
}

func (k *kernel) cancelContext() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cancel()
}

// newContext begins a cell. The context of the cell before stays as it is:
// goroutines that outlive their cell go on.
func (k *kernel) newContext() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ctx, k.cancel = context.WithCancel(context.Background())
}

// Context is nbhook.Frontend's.
func (k *kernel) Context() context.Context {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ctx
}

// Display is nbhook.Frontend's.
func (k *kernel) Display(data, metadata nbhook.Bundle, id string, update bool) error {
	k.flush()
	kind, transient := "display_data", object{}
	if id != "" {
		transient["display_id"] = id
	}
	if update {
		kind = "update_display_data"
	}
	return k.publish(kind, object{"data": ensure(encode(Data{Data: data}).Data), "metadata": ensure(metadata), "transient": transient})
}

// Clear is nbhook.Frontend's.
func (k *kernel) Clear(wait bool) error {
	k.flush()
	return k.publish("clear_output", object{"wait": wait})
}

// display is the function Display of notebooks.
func (k *kernel) display(d Data) error {
	id, _ := d.Transient["display_id"].(string)
	return k.Display(tidy(d).Data, d.Metadata, id, false)
}

// tidy gives a bundle a short text/plain form. gophernotes v0.7.5 prints the
// bytes of an image there.
func tidy(d Data) Data {
	for kind, v := range d.Data {
		b, ok := v.([]byte)
		if !ok || kind == MIMETypeText {
			continue
		}
		d.Data = merge(merge(nil, d.Data), MIMEMap{MIMETypeText: fmt.Sprintf("[%s, %d bytes]", kind, len(b))})
		break
	}
	return d
}

// encode turns values with a JSON form of their own into that form. Such a
// method may panic: here it stops the cell that shows the value, not the kernel
// that sends it.
func encode(d Data) Data {
	encoded := MIMEMap{}
	for kind, v := range d.Data {
		switch v.(type) {
		case string, []byte, nil:
			encoded[kind] = v
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Errorf("%s cannot be shown: %w", kind, err))
		}
		encoded[kind] = json.RawMessage(text)
	}
	d.Data = encoded
	return d
}
