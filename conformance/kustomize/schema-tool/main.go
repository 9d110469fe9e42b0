// Prints what kube/kustomize needs of the Kubernetes schema that the official module embeds: for each kind, where lists
// are merged by keys, and whether the kind is namespaced. Everything below which no list is merged is left out.
//
// usage: go run . > ../../../kube/kustomize/src/generated/kubernetes-schema.json
package main

import (
	"encoding/json"
	"os"
	"sort"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

// A place in a schema. Fields: name to node number. Elements: node number of a list's element, -1 for none.
type node struct {
	Fields     map[string]int `json:"f,omitempty"`
	Additional int            `json:"a,omitempty"`
	Elements   int            `json:"e,omitempty"`
	Strategy   string         `json:"s,omitempty"`
	Keys       []string       `json:"k,omitempty"`
}

type output struct {
	Module     string         `json:"module"`
	Kinds      map[string]int `json:"kinds"`
	Namespaced []string       `json:"namespaced"`
	Cluster    []string       `json:"cluster"`
	// Definitions by name: a schema of one's own may refer to them.
	Definitions map[string]int `json:"definitions"`
	// Node 0 is never used, so that 0 can mean none.
	Nodes []node `json:"nodes"`
}

type compiler struct {
	defs  spec.Definitions
	nodes []node
	byRef map[string]int
}

func extension(s *spec.Schema, name string) string {
	v, _ := s.Extensions[name].(string)
	return v
}

func (c *compiler) compile(s *spec.Schema) int {
	if ref := s.Ref.String(); ref != "" {
		name := strings.TrimPrefix(ref, "#/definitions/")
		if i, ok := c.byRef[name]; ok {
			return i
		}
		d, ok := c.defs[name]
		if !ok {
			return 0
		}
		c.nodes = append(c.nodes, node{})
		i := len(c.nodes) - 1
		c.byRef[name] = i
		c.nodes[i] = c.fill(&d)
		return i
	}
	c.nodes = append(c.nodes, node{})
	i := len(c.nodes) - 1
	c.nodes[i] = c.fill(s)
	return i
}

func (c *compiler) fill(s *spec.Schema) node {
	n := node{}
	strategy, keys := (&openapi.ResourceSchema{Schema: s}).PatchStrategyAndKeyList()
	n.Strategy, n.Keys = strategy, keys
	for name := range s.Properties {
		p := s.Properties[name]
		if n.Fields == nil {
			n.Fields = map[string]int{}
		}
		n.Fields[name] = c.compile(&p)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		n.Additional = c.compile(s.AdditionalProperties.Schema)
	}
	if len(s.Type) == 1 && s.Type[0] == "array" && s.Items != nil && s.Items.Schema != nil {
		n.Elements = c.compile(s.Items.Schema)
	}
	return n
}

// prune drops all nodes that lead to no merged list, and numbers the rest anew, equal ones alike.
func prune(nodes []node, tables ...map[string]int) []node {
	useful := make([]bool, len(nodes))
	for changed := true; changed; {
		changed = false
		for i, n := range nodes {
			if useful[i] {
				continue
			}
			use := n.Strategy != "" || useful[n.Additional] || useful[n.Elements]
			for _, f := range n.Fields {
				use = use || useful[f]
			}
			if use && i > 0 {
				useful[i], changed = true, true
			}
		}
	}
	result := []node{{}}
	number := map[int]int{}
	var visit func(i int) int
	visit = func(i int) int {
		if i == 0 || !useful[i] {
			return 0
		}
		if j, ok := number[i]; ok {
			return j
		}
		result = append(result, node{})
		j := len(result) - 1
		number[i] = j
		n := nodes[i]
		m := node{Strategy: n.Strategy, Keys: n.Keys, Additional: visit(n.Additional), Elements: visit(n.Elements)}
		names := make([]string, 0, len(n.Fields))
		for name := range n.Fields {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			if f := visit(n.Fields[name]); f != 0 {
				if m.Fields == nil {
					m.Fields = map[string]int{}
				}
				m.Fields[name] = f
			}
		}
		result[j] = m
		return j
	}
	for _, table := range tables {
		names := make([]string, 0, len(table))
		for k := range table {
			names = append(names, k)
		}
		sort.Strings(names)
		for _, k := range names {
			if i := visit(table[k]); i != 0 {
				table[k] = i
			} else {
				delete(table, k)
			}
		}
	}
	return result
}

// merge gives equal nodes one number, until nothing changes.
func merge(nodes []node, tables ...map[string]int) []node {
	for {
		seen := map[string]int{}
		to := make([]int, len(nodes))
		result := []node{}
		for i, n := range nodes {
			b, _ := json.Marshal(n)
			if j, ok := seen[string(b)]; ok && i > 0 {
				to[i] = j
				continue
			}
			result = append(result, n)
			to[i] = len(result) - 1
			if i > 0 {
				seen[string(b)] = to[i]
			}
		}
		for i := range result {
			for k, v := range result[i].Fields {
				result[i].Fields[k] = to[v]
			}
			result[i].Additional, result[i].Elements = to[result[i].Additional], to[result[i].Elements]
		}
		for _, table := range tables {
			for k, v := range table {
				table[k] = to[v]
			}
		}
		if len(result) == len(nodes) {
			return result
		}
		nodes = result
	}
}

// Versions that the module knows the scope of, beside those it has a definition for.
var olderVersions = []string{
	"admissionregistration.k8s.io/v1beta1", "apiextensions.k8s.io/v1beta1", "apiregistration.k8s.io/v1beta1",
	"autoscaling/v2beta1", "autoscaling/v2beta2", "batch/v1beta1", "certificates.k8s.io/v1beta1",
	"coordination.k8s.io/v1beta1", "discovery.k8s.io/v1beta1", "events.k8s.io/v1beta1", "extensions/v1beta1",
	"flowcontrol.apiserver.k8s.io/v1beta1", "networking.k8s.io/v1beta1", "node.k8s.io/v1beta1", "policy/v1beta1",
	"rbac.authorization.k8s.io/v1beta1", "scheduling.k8s.io/v1beta1", "storage.k8s.io/v1beta1",
}

var olderKinds = []string{
	"PodSecurityPolicy", "NodeProxyOptions", "PodAttachOptions", "PodExecOptions", "PodPortForwardOptions",
	"PodProxyOptions", "ServiceProxyOptions", "ComponentStatus", "Scale",
	"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
}

func main() {
	// The first question about a scope makes the module load what it embeds.
	openapi.SchemaForResourceType(yaml.TypeMeta{APIVersion: "v1", Kind: "Pod"})
	root := openapi.Schema()
	c := &compiler{defs: root.Definitions, nodes: []node{{}}, byRef: map[string]int{}}
	kinds, definitions := map[string]int{}, map[string]int{}
	versions, names := map[string]bool{}, map[string]bool{}
	for _, v := range olderVersions {
		versions[v] = true
	}
	for _, k := range olderKinds {
		names[k] = true
	}
	defNames := make([]string, 0, len(root.Definitions))
	for name := range root.Definitions {
		defNames = append(defNames, name)
	}
	sort.Strings(defNames)
	for _, name := range defNames {
		d := root.Definitions[name]
		list, _ := d.Extensions["x-kubernetes-group-version-kind"].([]interface{})
		for _, e := range list {
			m, _ := e.(map[string]interface{})
			version, _ := m["version"].(string)
			kind, _ := m["kind"].(string)
			if g, _ := m["group"].(string); g != "" {
				version = g + "/" + version
			}
			versions[version], names[kind] = true, true
			ref := spec.MustCreateRef("#/definitions/" + name)
			kinds[version+"/"+kind] = c.compile(&spec.Schema{SchemaProps: spec.SchemaProps{Ref: ref}})
		}
	}
	out := output{Module: "sigs.k8s.io/kustomize/kyaml v0.21.2"}
	for _, name := range defNames {
		ref := spec.MustCreateRef("#/definitions/" + name)
		definitions[name] = c.compile(&spec.Schema{SchemaProps: spec.SchemaProps{Ref: ref}})
	}
	out.Nodes = merge(prune(c.nodes, kinds, definitions), kinds, definitions)
	out.Kinds, out.Definitions = kinds, definitions
	for version := range versions {
		for kind := range names {
			scoped, found := openapi.IsNamespaceScoped(yaml.TypeMeta{APIVersion: version, Kind: kind})
			switch {
			case found && scoped:
				out.Namespaced = append(out.Namespaced, version+"/"+kind)
			case found:
				out.Cluster = append(out.Cluster, version+"/"+kind)
			}
		}
	}
	sort.Strings(out.Namespaced)
	sort.Strings(out.Cluster)
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}
