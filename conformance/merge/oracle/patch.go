package main

import (
	"encoding/json"
	"fmt"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

func runPatch(r request) (json.RawMessage, error) {
	switch r.Op {
	case "quantity", "labelselector", "fieldselector", "duration", "names":
		var text string
		if err := json.Unmarshal(r.Original, &text); err != nil {
			return nil, err
		}
		return runText(r.Op, text)
	case "jsonmerge":
		return jsonpatch.MergePatch(r.Original, r.Patch)
	case "createjsonmerge":
		return jsonpatch.CreateMergePatch(r.Original, r.Modified)
	case "threewayjson":
		return jsonmergepatch.CreateThreeWayJSONMergePatch(r.Original, r.Modified, r.Current)
	case "jsonpatch":
		patch, err := jsonpatch.DecodePatch(r.Patch)
		if err != nil {
			return nil, err
		}
		return patch.Apply(r.Original)
	}
	object, err := scheme.Scheme.New(schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind})
	if err != nil {
		return nil, err
	}
	switch r.Op {
	case "strategic":
		return strategicpatch.StrategicMergePatch(r.Original, r.Patch, object)
	case "twoway":
		return strategicpatch.CreateTwoWayMergePatch(r.Original, r.Modified, object)
	case "threeway":
		meta, err := strategicpatch.NewPatchMetaFromStruct(object)
		if err != nil {
			return nil, err
		}
		return strategicpatch.CreateThreeWayMergePatch(r.Original, r.Modified, r.Current, meta, true)
	}
	return nil, fmt.Errorf("unknown op %q", r.Op)
}
