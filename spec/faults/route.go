package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// fault says what is broken. The zero value breaks nothing; members of one stage exclude each other.
type fault struct {
	// Connect: "refuse" (nobody listens), "full" (the queue of connections is full: SYN is not answered), "silent"
	// (accepted, and no byte comes), "reset" (accepted and reset).
	Connect string `json:"connect"`
	// TLS: "reset" (after the client's hello), or a certificate: "other_ca", "other_name", "expired", "not_yet".
	TLS string `json:"tls"`
	// Keep: connections that stand when the fault begins stay; the fault meets requests on them too.
	Keep bool `json:"keep"`

	// Times: only the first so many requests meet the fault. 0 = all of them.
	Times int `json:"times"`
	// Match: only requests whose "METHOD path?query" holds this. Every: of those, each n-th alone. 0 = each.
	Match string `json:"match"`
	Every int    `json:"every"`
	// Forward: the API server is asked and does what it is asked to; the fault is in the answer alone.
	Forward bool    `json:"forward"`
	Delay   float64 `json:"delay"` // seconds before the answer
	// Late: seconds before the API server is asked, also when who asked has gone meanwhile.
	Late float64 `json:"late"`

	// The answer, in place of the API server's.
	Status  int               `json:"status"`
	Message string            `json:"message"` // of a v1 Status, which is the body then
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
	Raw     string            `json:"raw"` // in place of all of it, HTTP or not
	// RetryDate: a Retry-After with a date so many seconds from now.
	RetryDate int `json:"retry_date"`

	// Cut: where the answer ends: "status" (before it), "headers" (between two), "body" (in its middle). Then: what follows
	// there, "hang", "reset" or "close".
	Cut  string `json:"cut"`
	Then string `json:"then"`
	// Drip: one byte each so many milliseconds.
	Drip int `json:"drip"`
	// Endless: "headers", "continue" (1xx answers), "body" (of a huge length), "chunks", "line" (one header).
	Endless string `json:"endless"`

	meets bool // it is one at all
}

func (f *fault) breaksConnections() bool { return f.Connect != "" || f.TLS != "" }

type route struct {
	port  int
	certs *certificates
	up    *upstream

	lock     sync.Mutex
	log      *os.File
	fault    *fault // nil: none
	left     int    // requests that it still meets; -1: all
	matched  int    // requests that it could have met
	listener net.Listener
	fill     []net.Conn // what fills the queue of a full listener
	conns    map[net.Conn]struct{}
	requests int
}

type event map[string]interface{}

func (r *route) note(e event) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.noteLocked(e)
}

func (r *route) noteLocked(e event) {
	e["t"] = now()
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	r.log.Write(append(line, '\n'))
}

func newRoute(log string, certs *certificates, up *upstream) (*route, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	r := &route{certs: certs, up: up, log: file, conns: map[net.Conn]struct{}{}}
	if err := r.listen(128); err != nil {
		return nil, err
	}
	return r, nil
}

// listen at the port of before, with a queue of that length.
func (r *route) listen(backlog int) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return err
	}
	address := &syscall.SockaddrInet4{Port: r.port, Addr: [4]byte{127, 0, 0, 1}}
	if err := syscall.Bind(fd, address); err != nil {
		return err
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		return err
	}
	listener, err := net.FileListener(file)
	if err != nil {
		return err
	}
	r.listener = listener
	r.port = listener.Addr().(*net.TCPAddr).Port
	if backlog > 0 {
		go r.accept(listener)
	}
	return nil
}

// fillQueue: a listener with a queue of 0 takes one connection or two, then lets clients wait.
func (r *route) fillQueue() {
	for i := 0; i < 4; i++ {
		conn, err := net.DialTimeout("tcp4", r.listener.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return
		}
		r.fill = append(r.fill, conn)
	}
}

func (r *route) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		go r.serve(conn)
	}
}

func reset(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		c.SetLinger(0)
	}
	conn.Close()
}

// current fault for a connection; requests count theirs by takeFault.
func (r *route) current() fault {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.fault == nil {
		return fault{}
	}
	return *r.fault
}

func (r *route) takeFault(request string) fault {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.fault == nil || r.left == 0 || !strings.Contains(request, r.fault.Match) {
		return fault{}
	}
	r.matched++
	if r.fault.Every > 1 && r.matched%r.fault.Every != 0 {
		return fault{}
	}
	if r.left > 0 {
		r.left--
	}
	return *r.fault
}

func (r *route) dropAll() {
	for conn := range r.conns {
		conn.Close()
	}
}

func (r *route) breakBy(f *fault) error {
	if f == nil {
		return errors.New("no fault given")
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	f.meets = true
	r.fault, r.left, r.matched = f, -1, 0
	if f.Times > 0 {
		r.left = f.Times
	}
	r.noteLocked(event{"e": "break"})
	if f.breaksConnections() && !f.Keep {
		r.dropAll()
	}
	switch f.Connect {
	case "refuse":
		r.listener.Close()
	case "full":
		r.listener.Close()
		if err := r.listen(0); err != nil {
			return err
		}
		r.fillQueue()
	}
	return nil
}

// heal ends the fault; whoever hangs in it is let go, so that a connection is not lame for ever.
func (r *route) heal() error {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.fault == nil {
		return nil
	}
	was := *r.fault
	r.fault = nil
	if was.Connect == "refuse" || was.Connect == "full" {
		r.listener.Close()
		for _, conn := range r.fill {
			conn.Close()
		}
		r.fill = nil
		if err := r.listen(128); err != nil {
			return err
		}
	}
	r.noteLocked(event{"e": "heal"})
	return nil
}

func (r *route) close() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.listener.Close()
	for _, conn := range r.fill {
		conn.Close()
	}
	r.dropAll()
}

// cut every connection, whatever is under way on it.
func (r *route) cut() error {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.dropAll()
	r.noteLocked(event{"e": "cut"})
	return nil
}

func (r *route) keep(conn net.Conn) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.conns[conn] = struct{}{}
}

func (r *route) forget(conn net.Conn) {
	r.lock.Lock()
	defer r.lock.Unlock()
	delete(r.conns, conn)
	conn.Close()
}

// serve one connection until its end.
func (r *route) serve(conn net.Conn) {
	r.keep(conn)
	defer r.forget(conn)
	r.note(event{"e": "connect"})
	f := r.current()
	switch f.Connect {
	case "silent":
		hang(conn)
		return
	case "reset":
		reset(conn)
		return
	}
	if f.TLS == "reset" {
		conn.Read(make([]byte, 1))
		reset(conn)
		return
	}
	certificate := r.certs.byName[f.TLS]
	if certificate == nil {
		certificate = r.certs.byName[""]
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*certificate}})
	if err := secure.Handshake(); err != nil {
		r.note(event{"e": "handshake", "error": err.Error()})
		return
	}
	r.note(event{"e": "handshake"})
	r.talk(secure, conn)
}

// hang until the peer goes.
func hang(conn net.Conn) {
	buffer := make([]byte, 4096)
	for {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}
