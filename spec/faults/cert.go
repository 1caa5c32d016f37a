package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificates that a listener can show, by the name of the fault; "" is the right one.
type certificates struct {
	byName map[string]*tls.Certificate
}

type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

const day = 24 * time.Hour

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// makeAuthority: valid since the day before yesterday, so that a reporter whose clock goes an hour back still believes it.
func makeAuthority(name string) (*authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             began.Add(-2 * day),
		NotAfter:              began.Add(30 * day),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err = x509.ParseCertificate(der)
	return &authority{cert, key}, err
}

func (a *authority) sign(from, till time.Time, ips []net.IP, names []string) (*tls.Certificate, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "kube-apiserver"},
		NotBefore:    from,
		NotAfter:     till,
		IPAddresses:  ips,
		DNSNames:     names,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func makeCertificates(dir string) (*certificates, error) {
	trusted, err := makeAuthority("headway-faults-ca")
	if err != nil {
		return nil, err
	}
	other, err := makeAuthority("headway-other-ca")
	if err != nil {
		return nil, err
	}
	here, elsewhere := []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"elsewhere.invalid"}
	yesterday, tomorrow := began.Add(-day), began.Add(20*day)
	c := &certificates{byName: map[string]*tls.Certificate{}}
	for _, row := range []struct {
		name       string
		by         *authority
		from, till time.Time
		ips        []net.IP
		names      []string
	}{
		{"", trusted, yesterday, tomorrow, here, nil},
		{"other_ca", other, yesterday, tomorrow, here, nil},
		{"other_name", trusted, yesterday, tomorrow, nil, elsewhere},
		{"expired", trusted, yesterday, began.Add(-time.Hour), here, nil},
		{"not_yet", trusted, began.Add(day), tomorrow, here, nil},
	} {
		if c.byName[row.name], err = row.by.sign(row.from, row.till, row.ips, row.names); err != nil {
			return nil, err
		}
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.cert.Raw})
	return c, os.WriteFile(filepath.Join(dir, "ca.crt"), text, 0o644)
}

// signToken makes a service account token with any claims, such as one that is over already: the API server gives none
// for less than ten minutes.
func signToken(path string, claims json.RawMessage) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", errors.New("no PEM in " + path)
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	signed := b64([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + b64(claims)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + b64(signature), nil
}
