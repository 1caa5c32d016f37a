// faults: a proxy between a reporter and a real API server that breaks what it is told to break.
//
//	faults DIR UPSTREAM     UPSTREAM is the API server, as https://host:port
//
// It writes DIR/ca.crt, the CA that a reporter is to trust, and DIR/control, the port of its control connection on
// 127.0.0.1: lines of JSON, each answered by one line.
//
//	{"op":"open","name":N}              a listener of its own          {"port":P,"t":MS}
//	{"op":"break","name":N,"fault":F}   F as in `type fault`           {"t":MS}
//	{"op":"heal","name":N}                                             {"t":MS}
//	{"op":"cut","name":N}               ends its connections           {"t":MS}
//	{"op":"now"}                                                       {"t":MS}
//	{"op":"close","name":N}
//	{"op":"token","key":PATH,"claims":{}}  a JWT signed by that key    {"token":T}
//
// What happens on a listener is appended to DIR/N.log, a line of JSON for each event, with "t" in milliseconds since the
// start of the proxy (one clock for all listeners, and for the answers above): connect, handshake (with error), request
// (method, path, body, token: a few bits of a hash), answer (upstream: the API server's own status, 0 when it was not asked
// or gave none; status: what was sent on), break, heal.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

var began = time.Now()

// now is the one clock of all events, in milliseconds.
func now() int64 { return time.Since(began).Milliseconds() }

type command struct {
	Op     string          `json:"op"`
	Name   string          `json:"name"`
	Fault  *fault          `json:"fault"`
	Key    string          `json:"key"`
	Claims json.RawMessage `json:"claims"`
}

type answer map[string]interface{}

type server struct {
	dir    string
	certs  *certificates
	up     *upstream
	lock   sync.Mutex
	routes map[string]*route
}

func (s *server) find(name string) (*route, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if r := s.routes[name]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("no listener %q", name)
}

func (s *server) open(name string) (answer, error) {
	r, err := newRoute(filepath.Join(s.dir, name+".log"), s.certs, s.up)
	if err != nil {
		return nil, err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.routes[name] = r
	return answer{"port": r.port, "t": now()}, nil
}

func (s *server) do(c *command) (answer, error) {
	switch c.Op {
	case "open":
		return s.open(c.Name)
	case "now":
		return answer{"t": now()}, nil
	case "token":
		token, err := signToken(c.Key, c.Claims)
		return answer{"token": token}, err
	}
	r, err := s.find(c.Name)
	if err != nil {
		return nil, err
	}
	switch c.Op {
	case "break":
		err = r.breakBy(c.Fault)
	case "heal":
		err = r.heal()
	case "cut":
		err = r.cut()
	case "close":
		r.close()
	default:
		err = fmt.Errorf("unknown op %q", c.Op)
	}
	return answer{"t": now()}, err
}

func (s *server) control(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(conn)
	for lines.Scan() {
		var c command
		var a answer
		err := json.Unmarshal(lines.Bytes(), &c)
		if err == nil {
			a, err = s.do(&c)
		}
		if err != nil {
			a = answer{"error": err.Error()}
		}
		if out.Encode(a) != nil {
			return
		}
	}
}

func run(dir, target string) error {
	certs, err := makeCertificates(dir)
	if err != nil {
		return err
	}
	up, err := newUpstream(target)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &server{dir: dir, certs: certs, up: up, routes: map[string]*route{}}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	file := filepath.Join(dir, "control")
	if err := os.WriteFile(file+".new", []byte(port), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go s.control(conn)
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: faults DIR UPSTREAM")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}
