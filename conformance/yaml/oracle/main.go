// Answers, line by line, what Go's YAML and JSON libraries make of an input. Requests and answers are JSON lines; see
// run-oracle.ts for the operations.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	yaml3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

type request struct {
	Op    string `json:"op"`
	Input string `json:"input"`
}

type answer struct {
	Error  string  `json:"error,omitempty"`
	Output string  `json:"output,omitempty"`
	Wide   string  `json:"wide,omitempty"`
	Four   string  `json:"four,omitempty"`
	Nodes  []*node `json:"nodes,omitempty"`
}

type node struct {
	Kind    string  `json:"kind"`
	Style   uint32  `json:"style"`
	Tag     string  `json:"tag"`
	Value   string  `json:"value"`
	Anchor  string  `json:"anchor"`
	Content []*node `json:"content"`
	Head    string  `json:"headComment"`
	Line    string  `json:"lineComment"`
	Foot    string  `json:"footComment"`
	Row     int     `json:"line"`
	Column  int     `json:"column"`
}

var kinds = map[yaml3.Kind]string{
	yaml3.DocumentNode: "document", yaml3.MappingNode: "mapping", yaml3.SequenceNode: "sequence",
	yaml3.ScalarNode: "scalar", yaml3.AliasNode: "alias",
}

func describe(n *yaml3.Node) *node {
	out := &node{
		Kind: kinds[n.Kind], Style: uint32(n.Style), Tag: n.Tag, Value: n.Value, Anchor: n.Anchor, Content: []*node{},
		Head: n.HeadComment, Line: n.LineComment, Foot: n.FootComment, Row: n.Line, Column: n.Column,
	}
	for _, child := range n.Content {
		out.Content = append(out.Content, describe(child))
	}
	return out
}

func decodeAll(input string) ([]*yaml3.Node, error) {
	decoder := yaml3.NewDecoder(strings.NewReader(input))
	var documents []*yaml3.Node
	for {
		var n yaml3.Node
		err := decoder.Decode(&n)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, &n)
	}
}

func encode(documents []*yaml3.Node, indent int, compact bool) (string, error) {
	var out bytes.Buffer
	encoder := yaml3.NewEncoder(&out)
	encoder.SetIndent(indent)
	if compact {
		encoder.CompactSeqIndent()
	}
	for _, document := range documents {
		if err := encoder.Encode(document); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

func nodes(input string) (answer, error) {
	documents, err := decodeAll(input)
	if err != nil {
		return answer{}, err
	}
	var result answer
	for _, document := range documents {
		result.Nodes = append(result.Nodes, describe(document))
	}
	if result.Output, err = encode(documents, 2, true); err != nil {
		return result, fmt.Errorf("emit: %w", err)
	}
	if result.Wide, err = encode(documents, 2, false); err != nil {
		return result, err
	}
	result.Four, err = encode(documents, 4, false)
	return result, err
}

func decodeJSON(input string) (value any, err error) {
	decoder := json.NewDecoder(strings.NewReader(input))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

type unmarshaller = func([]byte, any, ...yaml.JSONOpt) error

func unmarshal(input string, with unmarshaller) (answer, error) {
	var value any
	err := with([]byte(input), &value, func(d *json.Decoder) *json.Decoder {
		d.UseNumber()
		return d
	})
	if err != nil {
		return answer{}, err
	}
	return text(json.Marshal(value))
}

func text(output []byte, err error) (answer, error) { return answer{Output: string(output)}, err }

func perform(r request) (answer, error) {
	switch r.Op {
	case "nodes":
		return nodes(r.Input)
	case "unmarshal":
		return unmarshal(r.Input, yaml.Unmarshal)
	case "unmarshal-strict":
		return unmarshal(r.Input, yaml.UnmarshalStrict)
	case "node-value":
		var value any
		if err := yaml3.Unmarshal([]byte(r.Input), &value); err != nil {
			return answer{}, err
		}
		output, err := json.Marshal(value)
		// encoding/json spells the replacement of an invalid octet as an escape; the character is what counts here.
		return text(bytes.ReplaceAll(output, []byte(`\ufffd`), []byte("\ufffd")), err)
	case "marshal":
		value, err := decodeJSON(r.Input)
		if err != nil {
			return answer{}, err
		}
		return text(yaml.Marshal(value))
	case "pretty":
		var value any
		if err := json.Unmarshal([]byte(r.Input), &value); err != nil {
			return answer{}, err
		}
		var out bytes.Buffer
		encoder := yaml3.NewEncoder(&out)
		encoder.SetIndent(2)
		err := encoder.Encode(value)
		return answer{Output: out.String()}, err
	case "json":
		var value any
		if err := json.Unmarshal([]byte(r.Input), &value); err != nil {
			return answer{}, err
		}
		return text(json.Marshal(value))
	case "json-indent":
		var value any
		if err := json.Unmarshal([]byte(r.Input), &value); err != nil {
			return answer{}, err
		}
		return text(json.MarshalIndent(value, "", "  "))
	}
	return answer{}, fmt.Errorf("unknown operation %q", r.Op)
}

func safely(r request) (result answer, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("panic: %v", problem)
		}
	}()
	return perform(r)
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			var r request
			result, problem := answer{}, json.Unmarshal(line, &r)
			if problem == nil {
				result, problem = safely(r)
			}
			if problem != nil {
				result.Error = problem.Error()
			}
			if encoder.Encode(result) != nil {
				os.Exit(1)
			}
		}
		if err != nil {
			out.Flush()
			return
		}
	}
}
