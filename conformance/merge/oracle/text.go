package main

import (
	"encoding/json"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// runText reads one of the small languages of the API and prints it again, or says what is wrong.
func runText(op, text string) (json.RawMessage, error) {
	switch op {
	case "quantity":
		q, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, err
		}
		return json.Marshal(q.String())
	case "labelselector":
		s, err := labels.Parse(text)
		if err != nil {
			return nil, err
		}
		return json.Marshal(s.String())
	case "fieldselector":
		s, err := fields.ParseSelector(text)
		if err != nil {
			return nil, err
		}
		return json.Marshal(s.String())
	case "duration":
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		return json.Marshal(d.String())
	}
	return json.Marshal([][]string{
		validation.IsDNS1123Subdomain(text), validation.IsDNS1123Label(text), validation.IsDNS1035Label(text),
		validation.IsWildcardDNS1123Subdomain(text), content.IsLabelKey(text), content.IsLabelValue(text),
		validation.IsValidPortName(text), validation.IsConfigMapKey(text), content.IsPathSegmentName(text),
	})
}
