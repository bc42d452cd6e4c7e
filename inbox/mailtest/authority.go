package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Authority is a certificate authority for tests, with one server certificate
// that it issued. Both are valid from 1990 to 2090, so that they serve under a
// virtual clock too.
type Authority struct {
	ca, leaf   []byte // DER
	root       *x509.Certificate
	server     *x509.Certificate // what leaf was made from
	caKey, key *ecdsa.PrivateKey
}

// NewAuthority makes an authority and a server certificate for the given host
// names and IP addresses.
func NewAuthority(hosts ...string) (*Authority, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a test authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a test server key: %w", err)
	}
	root := template(1, "mail test authority")
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage = true, true, x509.KeyUsageCertSign
	ca, err := x509.CreateCertificate(rand.Reader, root, root, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("making a test authority: %w", err)
	}
	server := template(2, "mail test server")
	server.KeyUsage, server.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, h)
		}
	}
	leaf, err := x509.CreateCertificate(rand.Reader, server, root, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("making a test server certificate: %w", err)
	}
	return &Authority{ca: ca, leaf: leaf, root: root, server: server, caKey: caKey, key: key}, nil
}

// Certificate says how the servers' certificate differs from a good one.
type Certificate struct {
	Until    time.Time // how long it is good; zero: as ever
	Host     string    // the only name that it is for; "": the right ones
	Stranger bool      // an authority that nobody knows has issued it
}

// issue issues the server's certificate anew.
func (a *Authority) issue(c Certificate) ([]byte, error) {
	server, root, key := *a.server, a.root, a.caKey
	if !c.Until.IsZero() {
		server.NotAfter = c.Until
	}
	if c.Host != "" {
		server.DNSNames, server.IPAddresses = []string{c.Host}, nil
	}
	if c.Stranger {
		other, err := NewAuthority()
		if err != nil {
			return nil, err
		}
		root, key = other.root, other.caKey
	}
	leaf, err := x509.CreateCertificate(rand.Reader, &server, root, a.key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making a test server certificate: %w", err)
	}
	return leaf, nil
}

func template(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// PEM gives the authority's certificate, which clients must trust.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.ca})
}

// Pool gives the authority's certificate as what a tls.Config takes.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.PEM())
	return pool
}

// ServerPEM gives the server's certificate and its private key.
func (a *Authority) ServerPEM() (cert, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the test server key: %w", err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.leaf})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// ServerConfig gives what a server in this process needs.
func (a *Authority) ServerConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{a.leaf}, PrivateKey: a.key}}}
}
