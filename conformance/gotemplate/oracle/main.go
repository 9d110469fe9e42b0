// The oracle: renders templates with Go's text/template and Sprig, and prints what they give.
// It reads one request a line as JSON from standard input and writes one answer a line.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/semver/v3"
	"github.com/Masterminds/sprig/v3"
)

type request struct {
	Op         string            `json:"op"`
	Template   string            `json:"template"`
	Templates  map[string]string `json:"templates"`
	Data       json.RawMessage   `json:"data"`
	MissingKey string            `json:"missingKey"`
	Plain      bool              `json:"plain"`
	Constraint string            `json:"constraint"`
	Version    string            `json:"version"`
	Millis     int64             `json:"millis"`
}

type answer struct {
	Out        *string  `json:"out,omitempty"`
	Error      *string  `json:"error,omitempty"`
	Check      *bool    `json:"check,omitempty"`
	Problems   []string `json:"problems,omitempty"`
	NsPerOp    float64  `json:"nsPerOp,omitempty"`
	Iterations int      `json:"iterations,omitempty"`
}

func main() {
	time.Local = time.UTC
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var req request
			if err := json.Unmarshal(line, &req); err != nil {
				panic(err)
			}
			if err := encoder.Encode(handle(req)); err != nil {
				panic(err)
			}
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}

func handle(req request) answer {
	switch req.Op {
	case "version":
		return version(req.Version)
	case "strictVersion":
		v, err := semver.StrictNewVersion(req.Version)
		if err != nil {
			return failed(err)
		}
		return text(v.String())
	case "constraint":
		return constraint(req.Constraint, req.Version)
	case "bench":
		return bench(req)
	}
	tmpl, err := parse(req)
	if err != nil {
		return failed(err)
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, value(req.Data)); err != nil {
		return failed(err)
	}
	return text(b.String())
}

func parse(req request) (*template.Template, error) {
	tmpl := template.New("t")
	if !req.Plain {
		funcs := sprig.TxtFuncMap()
		delete(funcs, "env")
		delete(funcs, "expandenv")
		funcs["getHostByName"] = func(string) string { return "" }
		funcs["include"] = func(name string, data any) (string, error) {
			var b strings.Builder
			err := tmpl.ExecuteTemplate(&b, name, data)
			return b.String(), err
		}
		tmpl.Funcs(funcs)
	}
	if req.MissingKey != "" {
		tmpl.Option("missingkey=" + req.MissingKey)
	}
	for name, source := range req.Templates {
		if _, err := tmpl.New(name).Parse(source); err != nil {
			return nil, err
		}
	}
	return tmpl.Parse(req.Template)
}

func bench(req request) answer {
	tmpl, err := parse(req)
	if err != nil {
		return failed(err)
	}
	data := value(req.Data)
	var b strings.Builder
	run := func() {
		b.Reset()
		if err := tmpl.Execute(&b, data); err != nil {
			panic(err)
		}
	}
	for start := time.Now(); time.Since(start) < time.Duration(req.Millis)*time.Millisecond/4; {
		run()
	}
	n := 0
	start := time.Now()
	for time.Since(start) < time.Duration(req.Millis)*time.Millisecond {
		run()
		n++
	}
	out := b.String()
	return answer{Out: &out, NsPerOp: float64(time.Since(start).Nanoseconds()) / float64(n), Iterations: n}
}

func version(s string) answer {
	v, err := semver.NewVersion(s)
	if err != nil {
		return failed(err)
	}
	return text(fmt.Sprintf("%s|%s|%s", v.String(), v.Original(), v.Prerelease()))
}

func constraint(c, s string) answer {
	parsed, err := semver.NewConstraint(c)
	if err != nil {
		return failed(err)
	}
	v, err := semver.NewVersion(s)
	if err != nil {
		return failed(err)
	}
	check := parsed.Check(v)
	_, problems := parsed.Validate(v)
	texts := []string{}
	for _, problem := range problems {
		texts = append(texts, problem.Error())
	}
	shown := parsed.String()
	return answer{Out: &shown, Check: &check, Problems: texts}
}

func text(s string) answer {
	return answer{Out: &s}
}

func failed(err error) answer {
	s := err.Error()
	return answer{Error: &s}
}

// Values ---------------------------------------------------------------------------------------------------------------

// User is a struct for the data of templates.
type User struct {
	Name  string
	Age   int
	Tags  []string
	Inner *User
	Any   any
	inner string
}

// Greet is a method with an argument.
func (u User) Greet(greeting string) string { return greeting + ", " + u.Name }

// Fail is a method that gives an error.
func (u User) Fail() (string, error) { return "", fmt.Errorf("user %s failed", u.Name) }

// Self is a method that gives a struct.
func (u *User) Self() *User { return u }

// Named is a map with a method, as Helm's values are.
type Named map[string]any

// Count is the method of Named.
func (n Named) Count() int { return len(n) }

// Versions is a list with a method, as Helm's API versions are.
type Versions []string

// Has is the method of Versions.
func (v Versions) Has(want string) bool {
	for _, have := range v {
		if have == want {
			return true
		}
	}
	return false
}

// value reads JSON in which {"$kind": content} stands for a value of a Go type.
func value(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		panic(err)
	}
	return revive(v)
}

func revive(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = revive(v[i])
		}
		return v
	case map[string]any:
		if len(v) == 1 {
			for key, content := range v {
				if strings.HasPrefix(key, "$") {
					return typed(key[1:], content)
				}
			}
		}
		for key := range v {
			v[key] = revive(v[key])
		}
	}
	return v
}

func texts(content any) []string {
	out := []string{}
	for _, item := range content.([]any) {
		out = append(out, item.(string))
	}
	return out
}

func typed(kind string, content any) any {
	switch kind {
	case "strings":
		return texts(content)
	case "versions":
		return Versions(texts(content))
	case "bytes":
		b, _ := base64.StdEncoding.DecodeString(content.(string))
		return b
	case "ints":
		out := []int{}
		for _, item := range content.([]any) {
			out = append(out, int(item.(float64)))
		}
		return out
	case "stringMap":
		out := map[string]string{}
		for key, item := range content.(map[string]any) {
			out[key] = item.(string)
		}
		return out
	case "intMap":
		out := map[int]string{}
		for key, item := range content.(map[string]any) {
			var n int
			fmt.Sscan(key, &n)
			out[n] = item.(string)
		}
		return out
	case "named":
		return Named(revive(content).(map[string]any))
	case "time":
		t, err := time.Parse(time.RFC3339Nano, content.(string))
		if err != nil {
			panic(err)
		}
		return t.UTC()
	case "user":
		return user(content)
	case "nilUser":
		return (*User)(nil)
	case "nilMap":
		return map[string]any(nil)
	case "nilList":
		return []any(nil)
	}
	return number(kind, content)
}

func user(content any) *User {
	fields := content.(map[string]any)
	u := &User{Any: revive(fields["any"])}
	u.Name, _ = fields["name"].(string)
	if age, ok := fields["age"].(float64); ok {
		u.Age = int(age)
	}
	if tags, ok := fields["tags"]; ok {
		u.Tags = texts(tags)
	}
	if inner, ok := fields["inner"]; ok {
		u.Inner = user(inner)
	}
	return u
}

func number(kind string, content any) any {
	s := fmt.Sprint(content)
	if f, ok := content.(float64); ok {
		s = fmt.Sprintf("%.0f", f)
		if kind == "float32" {
			return float32(f)
		}
	}
	var signed int64
	var unsigned uint64
	fmt.Sscan(s, &signed)
	fmt.Sscan(s, &unsigned)
	switch kind {
	case "int":
		return int(signed)
	case "int8":
		return int8(signed)
	case "int16":
		return int16(signed)
	case "int32":
		return int32(signed)
	case "int64":
		return signed
	case "uint":
		return uint(unsigned)
	case "uint8":
		return uint8(unsigned)
	case "uint16":
		return uint16(unsigned)
	case "uint32":
		return uint32(unsigned)
	case "uint64":
		return unsigned
	case "duration":
		return time.Duration(signed)
	case "complex":
		var c complex128
		fmt.Sscan(content.(string), &c)
		return c
	}
	panic("unknown kind " + kind)
}
