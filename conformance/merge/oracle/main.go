// The judge of kube/merge: Kubernetes' own libraries behind JSON lines. Each line on standard input is a request, each line
// on standard output its answer. Nothing here decides anything; it only calls the official packages.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

type request struct {
	Op string `json:"op"`

	// session: a sequence of writes to one object
	Group   string                     `json:"group"`
	Version string                     `json:"version"`
	Kind    string                     `json:"kind"`
	Models  map[string]json.RawMessage `json:"models"`
	Steps   []step                     `json:"steps"`

	// patches
	Original json.RawMessage `json:"original"`
	Modified json.RawMessage `json:"modified"`
	Current  json.RawMessage `json:"current"`
	Patch    json.RawMessage `json:"patch"`
}

type step struct {
	Op          string          `json:"op"`
	Manager     string          `json:"manager"`
	Force       bool            `json:"force"`
	Subresource string          `json:"subresource"`
	Object      json.RawMessage `json:"object"`
	Time        string          `json:"time"`
}

type answer struct {
	Steps  []stepAnswer    `json:"steps,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
	Panic  string          `json:"panic,omitempty"`
}

type stepAnswer struct {
	Object json.RawMessage `json:"object,omitempty"`
	Error  string          `json:"error,omitempty"`
	Causes []string        `json:"causes,omitempty"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	sessions := newSessions()
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		var r request
		var a answer
		if err := json.Unmarshal(line, &r); err != nil {
			a.Error = "bad request: " + err.Error()
		} else if r.Op == "session" {
			a = sessions.run(r)
		} else if r.Op == "bench" {
			a = sessions.bench(r)
		} else {
			a = patchAnswer(r)
		}
		b, err := json.Marshal(a)
		if err != nil {
			b = []byte(fmt.Sprintf(`{"error":%q}`, err.Error()))
		}
		out.Write(b)
		out.WriteByte('\n')
		out.Flush()
	}
}

// patchAnswer tells a panic of a library apart: there is nothing to agree with then.
func patchAnswer(r request) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Panic: fmt.Sprint(p)}
		}
	}()
	result, err := runPatch(r)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: result}
}

func errorText(err error) (string, []string) {
	var causes []string
	if status, ok := err.(*apierrors.StatusError); ok && status.ErrStatus.Details != nil {
		for _, c := range status.ErrStatus.Details.Causes {
			causes = append(causes, c.Message+" at "+c.Field)
		}
	}
	return err.Error(), causes
}
