// Answers questions about Flux's post-build substitution and its builds of Kustomizations with Flux's own packages: a
// question of JSON a line on standard input, an answer a line on standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/fluxcd/pkg/envsubst"
	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/resmap"
)

// A question is about a text, or about a Kustomization (Object) of the files below Root.
type question struct {
	Text      *string
	Variables map[string]string
	Strict    bool

	Root   string
	Path   string
	Object map[string]any
}

// An answer: Error is '' when there is Out, which is the text, or the objects as YAML. Panic: the original does not
// survive the question.
type answer struct {
	Out   string `json:"out"`
	Error string `json:"error"`
	Panic bool   `json:"panic,omitempty"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<28)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			log.Fatal(err)
		}
		line, err := json.Marshal(respond(q))
		if err != nil {
			log.Fatal(err)
		}
		out.Write(append(line, '\n'))
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
}

func respond(q question) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{Error: fmt.Sprint(r), Panic: true}
		}
	}()
	run := build
	if q.Text != nil {
		run = substitute
	}
	out, err := run(q)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Out: out}
}

func substitute(q question) (string, error) {
	return envsubst.Eval(*q.Text, func(name string) (string, bool) {
		value, ok := q.Variables[name]
		return value, ok || !q.Strict
	})
}

// build does what kustomize-controller does between an artifact and the objects that it applies, without decryption.
func build(q question) (string, error) {
	folder := filepath.Join(q.Root, q.Path)
	object := unstructured.Unstructured{Object: q.Object}
	if _, err := kustomize.NewGenerator(q.Root, object).WriteFile(folder); err != nil {
		return "", err
	}
	built, err := kustomize.SecureBuild(q.Root, folder, false)
	if err != nil {
		return "", err
	}
	if _, ok, _ := unstructured.NestedMap(q.Object, "spec", "postBuild"); ok {
		if err := postBuild(built, object, q.Strict); err != nil {
			return "", err
		}
	}
	yaml, err := built.AsYaml()
	return string(yaml), err
}

func postBuild(built resmap.ResMap, object unstructured.Unstructured, strict bool) error {
	strategy, _, _ := unstructured.NestedString(object.Object, "spec", "postBuild", "substituteStrategy")
	for _, resource := range built.Resources() {
		// A dry run takes the variables of the spec alone: there is no cluster to ask.
		replaced, err := kustomize.SubstituteVariables(context.Background(), nil, object, resource,
			kustomize.SubstituteWithStrict(strict),
			kustomize.SubstituteWithAlways(strategy == "Always"),
			kustomize.SubstituteWithDryRun(true))
		if err != nil {
			return err
		}
		if replaced == nil {
			continue
		}
		if _, err := built.Replace(resource); err != nil {
			return err
		}
	}
	return nil
}
