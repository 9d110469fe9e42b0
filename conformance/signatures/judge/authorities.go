// Certificates, and those who answer for them: responders (OCSP), lists (CRL), authorities of time (RFC 3161).
package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"
	"golang.org/x/crypto/ocsp"
)

type holder struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var serial int64 = 1000

func newKey(kind string) crypto.Signer {
	curves := map[string]elliptic.Curve{"ec224": elliptic.P224(), "ec384": elliptic.P384(), "ec521": elliptic.P521()}
	sizes := map[string]int{"rsa1024": 1024, "rsa2048": 2048, "rsa3072": 3072, "rsa4096": 4096}
	if size, ok := sizes[kind]; ok {
		return must(rsa.GenerateKey(rand.Reader, size))
	}
	curve, ok := curves[kind]
	if !ok {
		curve = elliptic.P256()
	}
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func nameOf(common string) pkix.Name {
	return pkix.Name{Country: []string{"US"}, Province: []string{"WA"}, Organization: []string{"Example"}, CommonName: common}
}

// issue makes a certificate; change sees the template last. Without an issuer it signs itself.
func issue(common, kind string, issuer *holder, change func(*x509.Certificate)) *holder {
	serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      nameOf(common),
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	key := newKey(kind)
	if change != nil {
		change(template)
	}
	parent := holder{template, key}
	if issuer != nil {
		parent = *issuer
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key))
	return &holder{must(x509.ParseCertificate(der)), key}
}

func authority(template *x509.Certificate) {
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	template.NotBefore = time.Now().Add(-100 * 24 * time.Hour)
}

func codeSigner(template *x509.Certificate) {
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
}

// purpose is an extended key usage as authorities of time need it: Go would not mark it as critical.
func purpose(critical bool, ids ...asn1.ObjectIdentifier) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: must(asn1.Marshal(ids))}
}

var (
	timeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	codeSigning  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	invalidity   = asn1.ObjectIdentifier{2, 5, 29, 24}
	freshest     = asn1.ObjectIdentifier{2, 5, 29, 46}
	changes      = asn1.ObjectIdentifier{2, 5, 29, 27}
)

func stamper(template *x509.Certificate) {
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.NotBefore = time.Now().Add(-90 * 24 * time.Hour)
	template.ExtraExtensions = []pkix.Extension{purpose(true, timeStamping)}
}

// tokenFor is a time-stamp token about a message.
func tokenFor(tsa *holder, chain []*x509.Certificate, message []byte, change func(*timestamp.Timestamp)) []byte {
	hash := crypto.SHA256
	digest := sha256.Sum256(message)
	stamp := &timestamp.Timestamp{
		HashAlgorithm: hash, HashedMessage: digest[:], Time: time.Now(), SerialNumber: big.NewInt(7),
		Policy: asn1.ObjectIdentifier{1, 2, 3, 4}, Certificates: chain, AddTSACertificate: true,
	}
	if change != nil {
		change(stamp)
	}
	answer := must(stamp.CreateResponseWithOpts(tsa.cert, tsa.key, hash))
	var parts struct {
		Status asn1.RawValue
		Token  asn1.RawValue
	}
	if _, err := asn1.Unmarshal(answer, &parts); err != nil {
		panic(err)
	}
	return parts.Token.FullBytes
}

type responder struct {
	status  int
	change  func(*ocsp.Response)
	signer  func(issuer *holder) *holder // Who answers; the issuer when nil.
	raw     []byte
	code    int
	corrupt bool
}

func (r responder) serve(issuer, subject *holder) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if r.code != 0 {
			w.WriteHeader(r.code)
			return
		}
		if r.raw != nil {
			_, _ = w.Write(r.raw)
			return
		}
		template := ocsp.Response{
			Status: r.status, SerialNumber: subject.cert.SerialNumber,
			ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
		}
		if r.status == ocsp.Revoked {
			template.RevokedAt = time.Now().Add(-time.Hour)
		}
		signer := issuer
		if r.signer != nil {
			signer = r.signer(issuer)
			template.Certificate = signer.cert
		}
		if r.change != nil {
			r.change(&template)
		}
		answer := must(ocsp.CreateResponse(issuer.cert, signer.cert, template, signer.key))
		if r.corrupt {
			answer[len(answer)-3] ^= 1
		}
		_, _ = w.Write(answer)
	}
}

type list struct {
	change func(template *x509.RevocationList, entry *x509.RevocationListEntry)
	delta  func(template *x509.RevocationList, entry *x509.RevocationListEntry)
	signer *holder
	raw    []byte
	code   int
}

func (l list) serve(url string, issuer, subject *holder) http.HandlerFunc {
	signer := issuer
	if l.signer != nil {
		signer = l.signer
	}
	build := func(number int64, change func(*x509.RevocationList, *x509.RevocationListEntry), more ...pkix.Extension) []byte {
		template := &x509.RevocationList{
			Number: big.NewInt(number), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
			ExtraExtensions: more,
		}
		for index := range int64(100) {
			template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
				x509.RevocationListEntry{SerialNumber: big.NewInt(1<<40 + index), RevocationTime: time.Now()})
		}
		if change != nil {
			entry := x509.RevocationListEntry{SerialNumber: subject.cert.SerialNumber, RevocationTime: time.Now().Add(-time.Hour)}
			before := len(template.RevokedCertificateEntries)
			change(template, &entry)
			if len(template.RevokedCertificateEntries) == before && entry.SerialNumber != nil {
				template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, entry)
			}
		}
		return must(x509.CreateRevocationList(rand.Reader, template, signer.cert, signer.key))
	}
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case l.code != 0:
			w.WriteHeader(l.code)
		case l.raw != nil:
			_, _ = w.Write(l.raw)
		case bytes.HasSuffix([]byte(r.URL.Path), []byte("/delta")):
			_, _ = w.Write(build(9, l.delta, pkix.Extension{Id: changes, Critical: true, Value: must(asn1.Marshal(5))}))
		case l.delta != nil:
			_, _ = w.Write(build(5, l.change, pkix.Extension{Id: freshest, Value: distributionPoint(url + "/delta")}))
		default:
			_, _ = w.Write(build(5, l.change))
		}
	}
}

func distributionPoint(url string) []byte {
	name := asn1.RawValue{Class: 2, Tag: 6, Bytes: []byte(url)}
	full := asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: must(asn1.Marshal(name))}
	point := asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: must(asn1.Marshal(full))}
	return must(asn1.Marshal([][]asn1.RawValue{{point}}))
}

func invalidSince(at time.Time) pkix.Extension {
	return pkix.Extension{Id: invalidity, Value: must(asn1.MarshalWithParams(at.UTC(), "generalized"))}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
