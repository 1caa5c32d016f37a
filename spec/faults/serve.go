package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// upstream is the real API server.
type upstream struct {
	base      *url.URL
	transport *http.Transport
}

func newUpstream(target string) (*upstream, error) {
	base, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	return &upstream{base, &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, // on loopback, and it is not what is tested
		DisableCompression:  true,
		MaxIdleConnsPerHost: 8,
	}}, nil
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func (u *upstream) ask(r *http.Request, body []byte) (*reply, error) {
	out, err := http.NewRequest(r.Method, u.base.Scheme+"://"+u.base.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	out.Header = r.Header.Clone()
	got, err := u.transport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return &reply{got.StatusCode, got.Header, text}, err
}

func statusBody(code int, message string) []byte {
	text, _ := json.Marshal(map[string]interface{}{"kind": "Status", "apiVersion": "v1", "metadata": struct{}{},
		"status": "Failure", "message": message, "code": code})
	return text
}

// replace the parts of an answer that the fault names.
func (f *fault) replace(to *reply) *reply {
	if f.Status != 0 {
		to = &reply{f.Status, http.Header{"Content-Type": {"application/json"}}, nil}
		to.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		if f.Message != "" {
			to.body = statusBody(f.Status, f.Message)
		}
	}
	for name, value := range f.Headers {
		to.header.Set(name, value)
	}
	if f.RetryDate != 0 {
		at := time.Now().Add(time.Duration(f.RetryDate) * time.Second)
		to.header.Set("Retry-After", at.UTC().Format(http.TimeFormat))
	}
	if f.Body != nil {
		to.body = []byte(*f.Body)
	}
	return to
}

func (a *reply) head() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	a.header.Del("Content-Length")
	a.header.Del("Transfer-Encoding")
	a.header.Write(&out)
	fmt.Fprintf(&out, "Content-Length: %d\r\n\r\n", len(a.body))
	return out.Bytes()
}

// piece of the answer that is sent when it is cut.
func (a *reply) piece(cut string) []byte {
	head := a.head()
	switch cut {
	case "status":
		return nil
	case "headers":
		return head[:bytes.IndexByte(head, '\n')+1+8]
	case "body":
		return append(head, a.body[:len(a.body)/2]...)
	}
	return append(head, a.body...)
}

func drip(to io.Writer, data []byte, ms int) error {
	for i := range data {
		if _, err := to.Write(data[i : i+1]); err != nil {
			return err
		}
		time.Sleep(time.Duration(ms) * time.Millisecond)
	}
	return nil
}

// pour what never ends, until the peer has enough.
func pour(to io.Writer, kind string) {
	start, more := "HTTP/1.1 200 OK\r\n", ""
	switch kind {
	case "headers":
		more = "X-More: " + strings.Repeat("y", 1000) + "\r\n"
	case "continue":
		start, more = "", "HTTP/1.1 100 Continue\r\n\r\n"
	case "line":
		start += "X-Line: "
		more = strings.Repeat("y", 4096)
	case "body":
		start += "Content-Type: application/json\r\nContent-Length: 1000000000000\r\n\r\n{\"kind\":\"Pod\","
		more = strings.Repeat(" ", 65536)
	case "chunks":
		start += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
		more = "1000\r\n" + strings.Repeat(" ", 4096) + "\r\n"
	}
	_, err := io.WriteString(to, start)
	for err == nil {
		_, err = io.WriteString(to, more)
	}
}

// deliver sends the answer as the fault wants it; false: the connection is over.
func (f *fault) deliver(conn *tls.Conn, raw net.Conn, a *reply) bool {
	if f.Endless != "" {
		pour(conn, f.Endless)
		return false
	}
	data := a.piece(f.Cut)
	if f.Raw != "" {
		data = []byte(f.Raw)
	}
	var err error
	if f.Drip > 0 {
		err = drip(conn, data, f.Drip)
	} else {
		_, err = conn.Write(data)
	}
	switch {
	case err != nil:
	case f.Then == "hang":
		hang(conn)
	case f.Then == "reset":
		reset(raw)
	case f.Then == "" && f.Cut == "" && f.Raw == "":
		return true
	}
	return false
}

func short(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:6])
}

// answerTo one request; false: the connection is over.
func (r *route) answerTo(conn *tls.Conn, raw net.Conn, request *http.Request, body []byte) bool {
	r.lock.Lock()
	r.requests++
	id := r.requests
	r.lock.Unlock()
	f := r.takeFault(request.Method + " " + request.URL.RequestURI())
	r.note(event{"e": "request", "id": id, "method": request.Method, "path": request.URL.RequestURI(),
		"body": string(body), "token": short(request.Header.Get("Authorization"))})
	healthy := !f.meets
	a, upstream := &reply{200, http.Header{"Content-Type": {"application/json"}}, []byte("{}")}, 0
	if healthy && request.URL.Query().Get("watch") != "" {
		return r.stream(conn, request, id)
	}
	if healthy || f.Forward {
		time.Sleep(time.Duration(f.Late * float64(time.Second)))
		got, err := r.up.ask(request, body)
		if err != nil {
			r.note(event{"e": "answer", "id": id, "upstream": 0, "status": 0, "error": err.Error()})
			reset(raw)
			return false
		}
		a, upstream = got, got.status
	}
	if f.Delay > 0 {
		time.Sleep(time.Duration(f.Delay * float64(time.Second)))
	}
	a = f.replace(a)
	// Before it is delivered: who sees the answer also sees this line.
	r.note(event{"e": "answer", "id": id, "upstream": upstream, "status": a.status})
	return f.deliver(conn, raw, a)
}

// stream an answer that has no end: what comes is sent on at once, and in both directions the end of one is the other's.
func (r *route) stream(conn *tls.Conn, request *http.Request, id int) bool {
	out, err := http.NewRequest(request.Method, r.up.base.Scheme+"://"+r.up.base.Host+request.URL.RequestURI(), nil)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out.Header = request.Header.Clone()
	got, err := r.up.transport.RoundTrip(out.WithContext(ctx))
	if err != nil {
		r.note(event{"e": "answer", "id": id, "upstream": 0, "status": 0, "error": err.Error()})
		return false
	}
	defer got.Body.Close()
	r.note(event{"e": "answer", "id": id, "upstream": got.StatusCode, "status": got.StatusCode})
	go func() { // nothing is sent on a watch: this ends with the connection
		conn.Read(make([]byte, 1))
		cancel()
	}()
	fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n", got.StatusCode,
		http.StatusText(got.StatusCode))
	io.Copy(conn, got.Body)
	return false
}

func (r *route) talk(conn *tls.Conn, raw net.Conn) {
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil || !r.answerTo(conn, raw, request, body) {
			return
		}
	}
}
