package main

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/notaryproject/notation-core-go/signature"
	"github.com/notaryproject/notation-core-go/signature/cose"
	"github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	gocose "github.com/veraison/go-cose"
	"golang.org/x/crypto/ocsp"
)

type world struct {
	base string
	mux  *http.ServeMux
}

// signed is a case; the zero value of each field is what is usual.
type signed struct {
	name     string
	form     string // jws or cose.
	key      string
	tiers    int // Certificates of the chain.
	leaf     func(*x509.Certificate)
	root     func(*x509.Certificate)
	middle   func(*x509.Certificate)
	at       time.Duration // When it was signed, as from now.
	expires  time.Duration
	scheme   signature.SigningScheme
	statuses []responder
	lists    []list
	// Of the authority of time, in the same forms.
	token       func(tsa *tsa, message []byte) []byte
	tsaStatuses []responder
	tsa         func(*x509.Certificate)
	tsaKey      string
	tsaTrust    string // own (usual), none, leaf.
	policy      func(*trustpolicy.TrustPolicy)
	trust       string // root (usual), leaf, middle, other.
	corrupt     bool
	chainOf     func([]*x509.Certificate) []*x509.Certificate

	envelope []byte
	trusted  []*x509.Certificate
}

type tsa struct {
	holder *holder
	chain  []*x509.Certificate
	other  *holder
}

func (s signed) mediaType() string {
	if s.form == "cose" {
		return cose.MediaTypeEnvelope
	}
	return jws.MediaTypeEnvelope
}

func (s signed) policyDocument() *trustpolicy.Document {
	statement := trustpolicy.TrustPolicy{
		Name: "apps", RegistryScopes: []string{repository},
		SignatureVerification: trustpolicy.SignatureVerification{VerificationLevel: "strict"},
		TrustStores:           []string{"ca:example"}, TrustedIdentities: []string{"*"},
	}
	if s.scheme == signature.SigningSchemeX509SigningAuthority {
		statement.TrustStores = []string{"signingAuthority:example"}
	}
	if s.token != nil {
		statement.TrustStores = append(statement.TrustStores, "tsa:example")
	}
	if s.policy != nil {
		s.policy(&statement)
	}
	return &trustpolicy.Document{Version: "1.0", TrustPolicies: []trustpolicy.TrustPolicy{statement}}
}

// cases are all cases, each in both forms.
func (w *world) cases() []signed {
	var all []signed
	for index, one := range table() {
		for _, form := range []string{"jws", "cose"} {
			one.form = form
			one.name = fmt.Sprintf("%s %d %s", form, index, table()[index].name)
			all = append(all, w.sign(one, fmt.Sprintf("%s-%d", form, index)))
		}
	}
	return all
}

func (w *world) places(id string, subject string, statuses []responder, lists []list) (ocspURLs, crlURLs []string) {
	for index := range statuses {
		ocspURLs = append(ocspURLs, fmt.Sprintf("%s/ocsp/%s/%s/%d", w.base, id, subject, index))
	}
	for index := range lists {
		crlURLs = append(crlURLs, fmt.Sprintf("%s/crl/%s/%s/%d", w.base, id, subject, index))
	}
	return
}

func (w *world) answer(id, subject string, statuses []responder, lists []list, issuer, holder *holder) {
	for index, one := range statuses {
		w.mux.HandleFunc(fmt.Sprintf("/ocsp/%s/%s/%d/", id, subject, index), one.serve(issuer, holder))
	}
	for index, one := range lists {
		path := fmt.Sprintf("/crl/%s/%s/%d", id, subject, index)
		serve := one.serve(w.base+path, issuer, holder)
		w.mux.HandleFunc(path, serve)
		w.mux.HandleFunc(path+"/delta", serve)
	}
}

func then(first, second func(*x509.Certificate)) func(*x509.Certificate) {
	return func(template *x509.Certificate) {
		first(template)
		if second != nil {
			second(template)
		}
	}
}

func (w *world) sign(s signed, id string) signed {
	ocspURLs, crlURLs := w.places(id, "leaf", s.statuses, s.lists)
	places := func(template *x509.Certificate) {
		template.OCSPServer, template.CRLDistributionPoints = ocspURLs, crlURLs
		if s.leaf != nil {
			s.leaf(template)
		}
	}
	var chain []*x509.Certificate
	var leaf, issuer *holder
	root := issue("root", s.key, nil, then(authority, s.root))
	switch s.tiers {
	case 1:
		leaf = issue("alone", s.key, nil, then(codeSigner, places))
		chain = []*x509.Certificate{leaf.cert}
		issuer = leaf
		root = leaf
	case 3:
		issuer = issue("middle", s.key, root, then(authority, s.middle))
		leaf = issue("signer", s.key, issuer, then(codeSigner, places))
		chain = []*x509.Certificate{leaf.cert, issuer.cert, root.cert}
	default:
		issuer = root
		leaf = issue("signer", s.key, root, then(codeSigner, places))
		chain = []*x509.Certificate{leaf.cert, root.cert}
	}
	w.answer(id, "leaf", s.statuses, s.lists, issuer, leaf)
	switch s.trust {
	case "leaf":
		s.trusted = []*x509.Certificate{leaf.cert}
	case "middle":
		s.trusted = []*x509.Certificate{issuer.cert}
	case "other":
		s.trusted = []*x509.Certificate{issue("other", "", nil, authority).cert}
	default:
		s.trusted = []*x509.Certificate{root.cert}
	}
	s.envelope = w.envelope(s, leaf, chain)
	if s.token != nil {
		authority := w.timeAuthority(&s, id)
		s.envelope = countersign(s, authority)
	}
	if s.chainOf != nil {
		s.envelope = exchangeChain(s, s.chainOf(chain))
	}
	if s.corrupt {
		s.envelope = corrupted(s)
	}
	return s
}

func (w *world) timeAuthority(s *signed, id string) *tsa {
	ocspURLs, _ := w.places(id, "tsa", s.tsaStatuses, nil)
	root := issue("time root", s.tsaKey, nil, authority)
	own := issue("time", s.tsaKey, root, then(stamper, func(template *x509.Certificate) {
		template.OCSPServer = ocspURLs
		if s.tsa != nil {
			s.tsa(template)
		}
	}))
	w.answer(id, "tsa", s.tsaStatuses, nil, root, own)
	switch s.tsaTrust {
	case "none":
	case "leaf":
		s.trusted = append(s.trusted, own.cert)
	default:
		s.trusted = append(s.trusted, root.cert)
	}
	return &tsa{own, []*x509.Certificate{root.cert}, issue("other time", "", nil, stamper)}
}

func (w *world) envelope(s signed, leaf *holder, chain []*x509.Certificate) []byte {
	payload := must(json.Marshal(map[string]any{"targetArtifact": target}))
	now := time.Now().Add(s.at)
	request := &signature.SignRequest{
		Payload:       signature.Payload{ContentType: "application/vnd.cncf.notary.payload.v1+json", Content: payload},
		Signer:        plainSigner{leaf.key, chain},
		SigningTime:   now,
		SigningScheme: signature.SigningSchemeX509,
	}
	if s.scheme != "" {
		request.SigningScheme = s.scheme
	}
	if s.expires != 0 {
		request.Expiry = time.Now().Add(s.expires)
	}
	envelope := must(signature.NewEnvelope(s.mediaType()))
	if signed, err := envelope.Sign(request); err == nil {
		return signed
	}
	// notation does not sign what it would not take: sign by a sound certificate of the same key, and exchange the chain.
	sound := issue("signer", "", nil, authority)
	other := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: nameOf("signer"), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	codeSigner(other)
	sound.cert.NotBefore = now.Add(-time.Hour)
	der := must(x509.CreateCertificate(nil, other, sound.cert, leaf.key.Public(), sound.key))
	request.Signer = plainSigner{leaf.key, []*x509.Certificate{must(x509.ParseCertificate(der)), sound.cert}}
	signed, err := must(signature.NewEnvelope(s.mediaType())).Sign(request)
	if err != nil {
		panic(fmt.Sprint(s.name, ": ", err))
	}
	s.envelope = signed
	return exchangeChain(s, chain)
}

type plainSigner struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

func (p plainSigner) Sign([]byte) ([]byte, []*x509.Certificate, error) { panic("not asked") }
func (p plainSigner) KeySpec() (signature.KeySpec, error) {
	return signature.ExtractKeySpec(p.chain[0])
}
func (p plainSigner) CertificateChain() ([]*x509.Certificate, error) { return p.chain, nil }
func (p plainSigner) PrivateKey() crypto.PrivateKey                  { return p.key }

// change rewrites the unsigned headers of an envelope.
func change(s signed, jwsChange func(map[string]any), coseChange func(gocose.UnprotectedHeader)) []byte {
	if s.form == "cose" {
		var message gocose.Sign1Message
		if err := message.UnmarshalCBOR(s.envelope); err != nil {
			panic(err)
		}
		message.Headers.RawUnprotected = nil
		coseChange(message.Headers.Unprotected)
		return must(message.MarshalCBOR())
	}
	var envelope map[string]any
	if err := json.Unmarshal(s.envelope, &envelope); err != nil {
		panic(err)
	}
	jwsChange(envelope["header"].(map[string]any))
	return must(json.Marshal(envelope))
}

// corrupted says something else than what was signed.
func corrupted(s signed) []byte {
	if s.form == "cose" {
		var message gocose.Sign1Message
		if err := message.UnmarshalCBOR(s.envelope); err != nil {
			panic(err)
		}
		message.Payload[0] = ' '
		return must(message.MarshalCBOR())
	}
	var envelope map[string]any
	if err := json.Unmarshal(s.envelope, &envelope); err != nil {
		panic(err)
	}
	envelope["payload"] = base64.RawURLEncoding.EncodeToString([]byte("{}"))
	return must(json.Marshal(envelope))
}

func exchangeChain(s signed, chain []*x509.Certificate) []byte {
	return change(s, func(header map[string]any) {
		var texts []string
		for _, cert := range chain {
			texts = append(texts, base64.StdEncoding.EncodeToString(cert.Raw))
		}
		header["x5c"] = texts
	}, func(header gocose.UnprotectedHeader) {
		var raw []any
		for _, cert := range chain {
			raw = append(raw, cert.Raw)
		}
		header[gocose.HeaderLabelX5Chain] = raw
	})
}

func countersign(s signed, authority *tsa) []byte {
	var message []byte
	if s.form == "cose" {
		var envelope gocose.Sign1Message
		if err := envelope.UnmarshalCBOR(s.envelope); err != nil {
			panic(err)
		}
		message = envelope.Signature
	} else {
		var envelope struct{ Signature string }
		if err := json.Unmarshal(s.envelope, &envelope); err != nil {
			panic(err)
		}
		message = must(base64.RawURLEncoding.DecodeString(envelope.Signature))
	}
	token := s.token(authority, message)
	if token == nil {
		return s.envelope
	}
	const label = "io.cncf.notary.timestampSignature"
	return change(s, func(header map[string]any) { header[label] = token },
		func(header gocose.UnprotectedHeader) { header[label] = token })
}

const day = 24 * time.Hour

func from(notBefore, notAfter time.Duration) func(*x509.Certificate) {
	return func(template *x509.Certificate) {
		template.NotBefore, template.NotAfter = time.Now().Add(notBefore), time.Now().Add(notAfter)
	}
}

func stamp(change func(*timestamp.Timestamp)) func(*tsa, []byte) []byte {
	return func(authority *tsa, message []byte) []byte {
		return tokenFor(authority.holder, authority.chain, message, change)
	}
}

func ago(d time.Duration) func(*timestamp.Timestamp) {
	return func(t *timestamp.Timestamp) { t.Time = time.Now().Add(-d) }
}

func level(name string, override map[trustpolicy.ValidationType]trustpolicy.ValidationAction) func(*trustpolicy.TrustPolicy) {
	return func(p *trustpolicy.TrustPolicy) {
		p.SignatureVerification.VerificationLevel = name
		p.SignatureVerification.Override = override
	}
}

func afterExpiry(p *trustpolicy.TrustPolicy) {
	p.SignatureVerification.VerifyTimestamp = trustpolicy.OptionAfterCertExpiry
}

func reason(code int) func(*x509.RevocationList, *x509.RevocationListEntry) {
	return func(_ *x509.RevocationList, entry *x509.RevocationListEntry) { entry.ReasonCode = code }
}

func nobody(_ *x509.RevocationList, entry *x509.RevocationListEntry) { entry.SerialNumber = nil }

func foreign() *holder { return issue("foreign", "", nil, authority) }

// delegate is one whose certificate is of the same issuer.
func delegate(use x509.ExtKeyUsage) func(*holder) *holder {
	return func(issuer *holder) *holder {
		return issue("delegate", "", issuer, func(template *x509.Certificate) {
			template.KeyUsage = x509.KeyUsageDigitalSignature
			template.ExtKeyUsage = []x509.ExtKeyUsage{use}
		})
	}
}

func critical(id ...int) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier(id), Critical: true, Value: []byte{5, 0}}
}

func table() []signed {
	good, revoked, unknown := responder{status: ocsp.Good}, responder{status: ocsp.Revoked}, responder{status: ocsp.Unknown}
	expired := from(-40*day, -10*day)
	vouched := signature.SigningSchemeX509SigningAuthority
	later := invalidSince(time.Now().Add(-30 * time.Minute))
	earlier := invalidSince(time.Now().Add(-3 * time.Hour))
	cases := []signed{
		{name: "sound"},
		{name: "three certificates", tiers: 3},
		{name: "signed by itself", tiers: 1},
		{name: "trusted by its leaf", trust: "leaf"},
		{name: "trusted by what is between", tiers: 3, trust: "middle"},
		{name: "trusted by nobody", trust: "other"},
		{name: "trusted by nobody, audited", trust: "other", policy: level("audit", nil)},
		{name: "expires later", expires: day},
		{name: "has expired", at: -2 * time.Hour, expires: -time.Hour},
		{name: "has expired, permitted", at: -2 * time.Hour, expires: -time.Hour, policy: level("permissive", nil)},
		{name: "certificate has expired", leaf: expired, at: -20 * day},
		{name: "certificate has expired, permitted", leaf: expired, at: -20 * day, policy: level("permissive", nil)},
		{name: "certificate is not valid yet", leaf: from(day, 2*day)},
		{name: "vouched for", scheme: vouched},
		{name: "vouched for, expired since", scheme: vouched, leaf: expired, at: -20 * day},
		{name: "vouched for, expired before", scheme: vouched, leaf: expired, at: -5 * day},
		{name: "vouched for, without such a store", scheme: vouched, policy: func(p *trustpolicy.TrustPolicy) { p.TrustStores = []string{"ca:example"} }},
		{name: "corrupt", corrupt: true},
		{name: "corrupt, key rsa2048", corrupt: true, key: "rsa2048"},
		{name: "identity", policy: func(p *trustpolicy.TrustPolicy) {
			p.TrustedIdentities = []string{"x509.subject: C=US, ST=WA, O=Example"}
		}},
		{name: "other identity", policy: func(p *trustpolicy.TrustPolicy) { p.TrustedIdentities = []string{"x509.subject: C=US, ST=WA, O=Other"} }},
	}
	for _, key := range []string{"ec224", "ec384", "ec521", "rsa1024", "rsa2048", "rsa3072", "rsa4096"} {
		if key != "ec224" && key != "rsa1024" {
			cases = append(cases, signed{name: "key " + key, key: key})
		}
	}
	// Certificates that are not as they should be.
	cases = append(cases,
		signed{name: "leaf for servers", leaf: func(t *x509.Certificate) { t.ExtKeyUsage = append(t.ExtKeyUsage, x509.ExtKeyUsageServerAuth) }},
		signed{name: "leaf for any purpose", leaf: func(t *x509.Certificate) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }},
		signed{name: "leaf without purposes", leaf: func(t *x509.Certificate) { t.ExtKeyUsage = nil }},
		signed{name: "leaf that enciphers", leaf: func(t *x509.Certificate) { t.KeyUsage |= x509.KeyUsageKeyEncipherment | x509.KeyUsageDecipherOnly }},
		signed{name: "leaf without usages", leaf: func(t *x509.Certificate) { t.KeyUsage = 0 }},
		signed{name: "leaf that does not sign", leaf: func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageContentCommitment }},
		signed{name: "leaf that is an authority", leaf: func(t *x509.Certificate) { t.IsCA, t.BasicConstraintsValid = true, true }},
		signed{name: "root that signs no certificates", root: func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageDigitalSignature }},
		signed{name: "root that is no authority", root: func(t *x509.Certificate) { t.IsCA = false }},
		signed{name: "path too long", tiers: 3, root: func(t *x509.Certificate) { t.MaxPathLenZero = true }},
		signed{name: "path long enough", tiers: 3, root: func(t *x509.Certificate) { t.MaxPathLen = 1 }},
		signed{name: "chain without root", tiers: 3, chainOf: func(c []*x509.Certificate) []*x509.Certificate { return c[:2] }},
		signed{name: "chain without what is between", tiers: 3, chainOf: func(c []*x509.Certificate) []*x509.Certificate { return []*x509.Certificate{c[0], c[2]} }},
		signed{name: "chain with two roots", chainOf: func(c []*x509.Certificate) []*x509.Certificate { return append(c, c[1]) }},
		signed{name: "subject of many parts", leaf: func(t *x509.Certificate) {
			t.Subject.OrganizationalUnit = []string{"One", "Two, three"}
			t.Subject.Locality = []string{"#Here"}
			t.Subject.SerialNumber = "7"
			t.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: "example"}}
			t.NotAfter = time.Now().Add(-time.Hour)
		}},
	)
	// What responders say.
	status := func(name string, responders ...responder) {
		cases = append(cases, signed{name: "status: " + name, statuses: responders})
	}
	status("good", good)
	status("revoked", revoked)
	status("unknown", unknown)
	status("unknown, another says good", unknown, good)
	status("fails, another says good", responder{code: 500}, good)
	status("fails, another says revoked", responder{code: 500}, revoked)
	status("good, another says revoked", good, revoked)
	status("out of date", responder{status: ocsp.Good, change: func(r *ocsp.Response) { r.NextUpdate = time.Now().Add(-time.Minute) }})
	status("without an end", responder{status: ocsp.Good, change: func(r *ocsp.Response) { r.NextUpdate = time.Time{} }})
	status("of another certificate", responder{status: ocsp.Good, change: func(r *ocsp.Response) { r.SerialNumber = big.NewInt(5) }})
	status("corrupt", responder{status: ocsp.Good, corrupt: true})
	status("try later", responder{raw: ocsp.TryLaterErrorResponse})
	status("unauthorized", responder{raw: ocsp.UnauthorizedErrorResponse})
	status("malformed", responder{raw: []byte("hello")})
	status("empty", responder{raw: []byte{}})
	status("not found", responder{code: 404})
	status("by a stranger", responder{status: ocsp.Good, signer: func(*holder) *holder { return foreign() }})
	status("by a delegate", responder{status: ocsp.Good, signer: delegate(x509.ExtKeyUsageOCSPSigning)})
	status("by a delegate, revoked", responder{status: ocsp.Revoked, signer: delegate(x509.ExtKeyUsageOCSPSigning)})
	status("by a sibling", responder{status: ocsp.Good, signer: delegate(x509.ExtKeyUsageCodeSigning)})
	status("with something critical", responder{status: ocsp.Good, change: func(r *ocsp.Response) { r.ExtraExtensions = []pkix.Extension{critical(1, 2, 3)} }})
	cases = append(cases,
		signed{name: "status: revoked, logged", statuses: []responder{revoked}, policy: level("permissive", nil)},
		signed{name: "status: revoked, skipped", statuses: []responder{revoked}, policy: level("strict", map[trustpolicy.ValidationType]trustpolicy.ValidationAction{"revocation": "skip"})},
		signed{name: "status: revoked, enforced alone", statuses: []responder{revoked}, trust: "other", policy: level("audit", map[trustpolicy.ValidationType]trustpolicy.ValidationAction{"revocation": "enforce"})},
		signed{name: "status: asked over TLS", leaf: func(t *x509.Certificate) { t.OCSPServer = []string{"https://127.0.0.1:1/ocsp"} }},
		signed{name: "status: unreachable", leaf: func(t *x509.Certificate) { t.OCSPServer = []string{"http://127.0.0.1:1/ocsp"} }},
		signed{name: "status: revoked, vouched for", scheme: vouched, statuses: []responder{revoked}},
		signed{name: "status: invalid later than vouched for", scheme: vouched, at: -2 * time.Hour, statuses: []responder{{status: ocsp.Revoked, change: func(r *ocsp.Response) { r.ExtraExtensions = []pkix.Extension{later} }}}},
		signed{name: "status: invalid before vouched for", scheme: vouched, at: -2 * time.Hour, statuses: []responder{{status: ocsp.Revoked, change: func(r *ocsp.Response) { r.ExtraExtensions = []pkix.Extension{earlier} }}}},
		signed{name: "status: invalid later, but who knows when", at: -2 * time.Hour, statuses: []responder{{status: ocsp.Revoked, change: func(r *ocsp.Response) { r.ExtraExtensions = []pkix.Extension{later} }}}},
		signed{name: "status: three certificates", tiers: 3, statuses: []responder{good}},
		signed{name: "status: three certificates, revoked", tiers: 3, statuses: []responder{revoked}},
		signed{name: "status: key rsa2048", key: "rsa2048", statuses: []responder{good}},
		signed{name: "status: alone", tiers: 1, statuses: []responder{revoked}},
	)
	// What lists say.
	onList := func(name string, lists ...list) { cases = append(cases, signed{name: "list: " + name, lists: lists}) }
	onList("good", list{})
	onList("revoked", list{change: reason(0)})
	onList("compromised", list{change: reason(1)})
	onList("on hold", list{change: reason(6)})
	onList("released", list{change: reason(8)})
	onList("good, another says revoked", list{}, list{change: reason(1)})
	onList("fails, another says good", list{code: 500}, list{})
	onList("out of date", list{change: func(t *x509.RevocationList, entry *x509.RevocationListEntry) {
		t.NextUpdate = time.Now().Add(-time.Minute)
		nobody(t, entry)
	}})
	onList("by a stranger", list{signer: foreign()})
	onList("malformed", list{raw: []byte("hello")})
	onList("not found", list{code: 404})
	onList("with something critical", list{change: func(t *x509.RevocationList, entry *x509.RevocationListEntry) {
		t.ExtraExtensions = append(t.ExtraExtensions, critical(1, 2, 3))
		nobody(t, entry)
	}})
	onList("with a scope", list{change: func(t *x509.RevocationList, entry *x509.RevocationListEntry) {
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0}})
		nobody(t, entry)
	}})
	onList("entry with something critical", list{change: func(_ *x509.RevocationList, entry *x509.RevocationListEntry) {
		entry.ExtraExtensions = []pkix.Extension{critical(1, 2, 3)}
	}})
	onList("changes revoke", list{delta: reason(1)})
	onList("changes release", list{change: reason(6), delta: func(_ *x509.RevocationList, entry *x509.RevocationListEntry) {
		entry.ReasonCode, entry.RevocationTime = 8, time.Now().Add(-time.Minute)
	}})
	onList("changes are silent", list{delta: nobody})
	onList("changes are older", list{delta: func(t *x509.RevocationList, entry *x509.RevocationListEntry) {
		t.Number = big.NewInt(3)
		nobody(t, entry)
	}})
	cases = append(cases,
		signed{name: "list: after a responder that fails", statuses: []responder{{code: 500}}, lists: []list{{}}},
		signed{name: "list: after a responder that fails, revoked", statuses: []responder{{code: 500}}, lists: []list{{change: reason(1)}}},
		signed{name: "list: after a responder that does not know", statuses: []responder{unknown}, lists: []list{{}}},
		signed{name: "list: revoked, a responder says good", statuses: []responder{good}, lists: []list{{change: reason(1)}}},
		signed{name: "list: invalid later than vouched for", scheme: vouched, at: -2 * time.Hour, lists: []list{{change: func(_ *x509.RevocationList, entry *x509.RevocationListEntry) {
			entry.ExtraExtensions = []pkix.Extension{later}
		}}}},
		signed{name: "list: invalid before vouched for", scheme: vouched, at: -2 * time.Hour, lists: []list{{change: func(_ *x509.RevocationList, entry *x509.RevocationListEntry) {
			entry.ExtraExtensions = []pkix.Extension{earlier}
		}}}},
		signed{name: "list: its root must not sign lists", root: func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageCertSign }, lists: []list{{signer: foreign()}}},
		signed{name: "list: key rsa3072", key: "rsa3072", lists: []list{{change: reason(4)}}},
		signed{name: "list: over TLS", leaf: func(t *x509.Certificate) { t.CRLDistributionPoints = []string{"https://127.0.0.1:1/crl"} }},
		signed{name: "list: fresh one of the certificate's own", lists: []list{{}}, leaf: func(t *x509.Certificate) {
			t.ExtraExtensions = []pkix.Extension{{Id: freshest, Value: distributionPoint("http://127.0.0.1:1/crl")}}
		}},
	)
	// What authorities of time say.
	token := func(name string, one signed) {
		one.name = "token: " + name
		cases = append(cases, one)
	}
	token("sound", signed{token: stamp(nil)})
	token("none", signed{token: func(*tsa, []byte) []byte { return nil }})
	token("none, none needed yet", signed{token: func(*tsa, []byte) []byte { return nil }, policy: afterExpiry})
	token("none, needed", signed{token: func(*tsa, []byte) []byte { return nil }, policy: afterExpiry, leaf: expired, at: -20 * day})
	token("of an expired certificate", signed{token: stamp(ago(20 * day)), leaf: expired, at: -20 * day})
	token("of an expired certificate, needed", signed{token: stamp(ago(20 * day)), leaf: expired, at: -20 * day, policy: afterExpiry})
	token("too late", signed{token: stamp(ago(5 * day)), leaf: expired, at: -20 * day})
	token("too early", signed{token: stamp(ago(60 * day)), leaf: expired, at: -20 * day})
	token("too vague", signed{token: stamp(func(t *timestamp.Timestamp) { t.Accuracy = 90 * time.Minute }), leaf: from(-time.Hour, day)})
	token("vague enough", signed{token: stamp(func(t *timestamp.Timestamp) { t.Accuracy = 30*time.Minute + 5*time.Millisecond + 7*time.Microsecond }), leaf: from(-time.Hour, day)})
	token("of the baseline policy", signed{token: stamp(func(t *timestamp.Timestamp) { t.Policy = asn1.ObjectIdentifier{0, 4, 0, 2023, 1, 1} })})
	token("about something else", signed{token: func(a *tsa, _ []byte) []byte { return tokenFor(a.holder, a.chain, []byte("else"), nil) }})
	token("by an authority that nobody trusts", signed{token: stamp(nil), tsaTrust: "none"})
	token("by an authority trusted by its leaf", signed{token: stamp(nil), tsaTrust: "leaf"})
	token("by a stranger", signed{token: func(a *tsa, m []byte) []byte { return tokenFor(a.other, nil, m, nil) }})
	token("corrupt at its end", signed{token: func(a *tsa, m []byte) []byte {
		made := tokenFor(a.holder, a.chain, m, nil)
		made[len(made)-3] ^= 1
		return made
	}})
	token("garbage", signed{token: func(*tsa, []byte) []byte { return []byte("garbage") }})
	token("without certificates", signed{token: func(a *tsa, m []byte) []byte {
		return tokenFor(a.holder, nil, m, func(t *timestamp.Timestamp) { t.AddTSACertificate = false })
	}})
	token("without the root", signed{token: func(a *tsa, m []byte) []byte { return tokenFor(a.holder, nil, m, nil) }})
	token("by an authority of rsa2048", signed{token: stamp(nil), tsaKey: "rsa2048"})
	token("by an authority of ec384", signed{token: stamp(nil), tsaKey: "ec384"})
	token("by an authority that expired since", signed{token: stamp(ago(20 * day)), leaf: expired, at: -20 * day, tsa: func(t *x509.Certificate) { t.NotAfter = time.Now().Add(-day) }})
	token("by an authority that had expired", signed{token: stamp(nil), tsa: func(t *x509.Certificate) { t.NotAfter = time.Now().Add(-day) }})
	token("by one who signs code too", signed{token: stamp(nil), tsa: func(t *x509.Certificate) {
		t.ExtraExtensions = []pkix.Extension{purpose(true, timeStamping, codeSigning)}
	}})
	token("by one whose purpose is not critical", signed{token: stamp(nil), tsa: func(t *x509.Certificate) {
		t.ExtraExtensions = []pkix.Extension{purpose(false, timeStamping)}
	}})
	token("by one who signs code", signed{token: stamp(nil), tsa: func(t *x509.Certificate) {
		t.ExtraExtensions = []pkix.Extension{purpose(true, codeSigning)}
	}})
	token("by one without usages", signed{token: stamp(nil), tsa: func(t *x509.Certificate) { t.KeyUsage = 0 }})
	token("by one who agrees on keys", signed{token: stamp(nil), tsa: func(t *x509.Certificate) { t.KeyUsage |= x509.KeyUsageKeyAgreement }})
	token("by an authority in good standing", signed{token: stamp(nil), tsaStatuses: []responder{good}})
	token("by a revoked authority", signed{token: stamp(nil), tsaStatuses: []responder{revoked}})
	token("by an authority of unknown status", signed{token: stamp(nil), tsaStatuses: []responder{{code: 500}}})
	token("by a revoked authority, logged", signed{token: stamp(nil), tsaStatuses: []responder{revoked}, policy: level("permissive", nil)})
	token("vouched for besides", signed{token: stamp(nil), scheme: vouched})
	token("of a revoked certificate", signed{token: stamp(nil), statuses: []responder{revoked}})
	return cases
}
