// Times Go's YAML libraries in one warm process on the documents of a file, and prints the best of some rounds as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"time"

	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

const rounds = 5

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func best(work func()) float64 {
	shortest := time.Hour
	for range rounds {
		start := time.Now()
		work()
		shortest = min(shortest, time.Since(start))
	}
	return shortest.Seconds() * 1000
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	documents := strings.Split(strings.TrimSuffix(string(text), "---\n"), "---\n")
	nodes := make([]yaml3.Node, len(documents))
	values := make([]any, len(documents))
	times := map[string]float64{
		"read nodes": best(func() {
			for i, document := range documents {
				nodes[i] = yaml3.Node{}
				must(yaml3.Unmarshal([]byte(document), &nodes[i]))
			}
		}),
		"write nodes": best(func() {
			for i := range nodes {
				var out bytes.Buffer
				encoder := yaml3.NewEncoder(&out)
				encoder.SetIndent(2)
				encoder.CompactSeqIndent()
				must(encoder.Encode(&nodes[i]))
			}
		}),
		"read values": best(func() {
			for i, document := range documents {
				values[i] = nil
				must(yaml.Unmarshal([]byte(document), &values[i]))
			}
		}),
		"write values": best(func() {
			for _, value := range values {
				_, err := yaml.Marshal(value)
				must(err)
			}
		}),
	}
	must(json.NewEncoder(os.Stdout).Encode(times))
}
