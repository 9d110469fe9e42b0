// Signatures of notation, good and bad, with what notation's own verifier says of each as source-controller calls it. Prints one
// line of JSON, then answers for its certificates until its input ends.
package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

type verdict struct {
	Name         string          `json:"name"`
	MediaType    string          `json:"mediaType"`
	Envelope     string          `json:"envelope"`
	Policy       json.RawMessage `json:"policy"`
	Certificates []string        `json:"certificates"`
	// verified, ignored, or why not.
	Says string `json:"says"`
}

// As in source-controller: one store for all types.
type trustStore struct{ certs []*x509.Certificate }

func (s trustStore) GetCertificates(context.Context, truststore.Type, string) ([]*x509.Certificate, error) {
	return s.certs, nil
}

var target ocispec.Descriptor

const repository = "registry.example.com/org/app"

func main() {
	size := must(strconv.ParseInt(os.Args[2], 10, 64))
	target = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(os.Args[1]), Size: size}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	world := &world{base: "http://" + listener.Addr().String(), mux: http.NewServeMux()}
	go func() { _ = http.Serve(listener, world.mux) }()
	var verdicts []verdict
	for _, one := range world.cases() {
		verdicts = append(verdicts, judge(one))
	}
	out := bufio.NewWriter(os.Stdout)
	if err := json.NewEncoder(out).Encode(verdicts); err != nil {
		panic(err)
	}
	out.Flush()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func judge(one signed) verdict {
	policy := one.policyDocument()
	found := verdict{
		Name: one.name, MediaType: one.mediaType(), Envelope: base64.StdEncoding.EncodeToString(one.envelope),
		Policy: must(json.Marshal(policy)),
	}
	for _, cert := range one.trusted {
		found.Certificates = append(found.Certificates, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})))
	}
	found.Says = says(one, policy)
	return found
}

func says(one signed, policy *trustpolicy.Document) string {
	judge, err := verifier.New(policy, trustStore{one.trusted}, nil)
	if err != nil {
		return err.Error()
	}
	outcome, err := judge.Verify(context.Background(), target, one.envelope, notation.VerifierVerifyOptions{
		ArtifactReference: fmt.Sprintf("%s@%s", repository, target.Digest), SignatureMediaType: one.mediaType(),
	})
	if err != nil {
		return err.Error()
	}
	for _, result := range outcome.VerificationResults {
		if result.Error != nil && result.Type == trustpolicy.TypeAuthenticity {
			return "ignored"
		}
	}
	return "verified"
}
