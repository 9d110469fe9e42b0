// Runs helm commands in one warm process: reads JSON lines {"cwd", "args"}, answers each with {"out", "err", "code"} (texts in
// base64), as the helm binary would print them. The peer of conformance/helm/random.ts for thousands of charts.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log"
	"os"

	"helm.sh/helm/v4/pkg/cmd"
)

type question struct {
	Cwd  string   `json:"cwd"`
	Args []string `json:"args"`
}

type answer struct {
	Out  []byte `json:"out"`
	Err  []byte `json:"err"`
	Code int    `json:"code"`
}

func run(q question) (a answer) {
	var out, errors bytes.Buffer
	defer func() {
		a.Out, a.Err = out.Bytes(), errors.Bytes()
		if e := recover(); e != nil {
			a.Err, a.Code = []byte("panic"), 2
		}
	}()
	if err := os.Chdir(q.Cwd); err != nil {
		log.Fatal(err)
	}
	root, err := cmd.NewRootCmd(&out, q.Args, func(bool) {})
	if err != nil {
		log.Fatal(err)
	}
	root.SetOut(&out)
	root.SetErr(&errors)
	root.SetArgs(q.Args)
	if root.Execute() != nil {
		a.Code = 1
	}
	return a
}

func main() {
	answers := json.NewEncoder(os.Stdout)
	os.Stdout = os.Stderr
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(run(q)); err != nil {
			log.Fatal(err)
		}
	}
}
