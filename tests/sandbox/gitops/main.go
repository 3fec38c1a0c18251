// Command gitops judges manifests and objects as the tools do that keep a cluster in step with Git: with kstatus, by
// which Flux and kubectl-like tools tell whether an object is ready; with the Lua of Argo CD's health scripts; and with
// the Go types of Flux's own resources.
//
// It reads one JSON document from standard input and writes one to standard output.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	helm "github.com/fluxcd/helm-controller/api/v2"
	kustomize "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/cel"
	source "github.com/fluxcd/source-controller/api/v1"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// luaTime is how long Argo CD lets a script run.
const luaTime = time.Second

type question struct {
	// The health script of each kind, as in Argo CD's ConfigMap.
	Scripts map[string]string `json:"scripts"`
	// Flux's Kustomization whose healthCheckExprs are asked.
	Kustomization string                      `json:"kustomization"`
	Objects       []unstructured.Unstructured `json:"objects"`
	// Manifests of Flux's kinds, each one YAML document, to be read strictly.
	FluxManifests []string `json:"fluxManifests"`
}

type verdict struct {
	Kstatus string `json:"kstatus"`
	Flux    string `json:"flux"`
	Argo    string `json:"argo"`
	Message string `json:"message"`
}

type answer struct {
	Verdicts []verdict `json:"verdicts"`
	// The kinds of the manifests, in their order.
	Kinds []string `json:"kinds"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var asked question
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return err
	}
	said := answer{Verdicts: []verdict{}, Kinds: []string{}}
	expressions, err := healthCheckExpressions(asked.Kustomization)
	if err != nil {
		return fmt.Errorf("the Kustomization: %w", err)
	}
	for i := range asked.Objects {
		object := &asked.Objects[i]
		one, err := judge(object, asked.Scripts[object.GetKind()], expressions)
		if err != nil {
			return fmt.Errorf("object %d: %w", i, err)
		}
		said.Verdicts = append(said.Verdicts, one)
	}
	for i, manifest := range asked.FluxManifests {
		kind, err := strict(manifest)
		if err != nil {
			return fmt.Errorf("manifest %d: %w", i, err)
		}
		said.Kinds = append(said.Kinds, kind)
	}
	return json.NewEncoder(out).Encode(said)
}

func judge(object *unstructured.Unstructured, script string, expressions map[string]*cel.StatusEvaluator) (verdict, error) {
	computed, err := status.Compute(object)
	if err != nil {
		return verdict{}, fmt.Errorf("kstatus: %w", err)
	}
	said := verdict{Kstatus: computed.Status.String()}
	if evaluator := expressions[object.GetKind()]; evaluator != nil {
		result, err := evaluator.Evaluate(context.Background(), object)
		if err == nil {
			said.Flux = result.Status.String()
		} else {
			// So does Flux, and looks again: an object without a status has nothing to ask.
			said.Flux = status.UnknownStatus.String()
		}
	}
	if script != "" {
		said.Argo, said.Message, err = health(object, script)
		if err != nil {
			return verdict{}, fmt.Errorf("health script: %w", err)
		}
	}
	return said, nil
}

// health runs the script with no more than Argo CD gives one: the language, its tables, and the object as `obj`.
func health(object *unstructured.Unstructured, script string) (string, string, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(library.open), Protect: true}, lua.LString(library.name)); err != nil {
			return "", "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), luaTime)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", luaValue(state, object.Object))
	if err := state.DoString(script); err != nil {
		return "", "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", errors.New("it does not return a table")
	}
	result, message := lua.LVAsString(table.RawGetString("status")), lua.LVAsString(table.RawGetString("message"))
	switch result {
	case "Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown":
		return result, message, nil
	default:
		return "", "", fmt.Errorf("%q is no health status of Argo CD", result)
	}
}

// luaValue hands a value over as Argo CD does: numbers as numbers, lists as tables from 1.
func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case string:
		return lua.LString(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(luaValue(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, luaValue(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}

func healthCheckExpressions(manifest string) (map[string]*cel.StatusEvaluator, error) {
	evaluators := map[string]*cel.StatusEvaluator{}
	if manifest == "" {
		return evaluators, nil
	}
	var kustomization kustomize.Kustomization
	if err := yaml.UnmarshalStrict([]byte(manifest), &kustomization); err != nil {
		return nil, err
	}
	for _, check := range kustomization.Spec.HealthCheckExprs {
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return nil, err
		}
		evaluators[check.Kind] = evaluator
	}
	return evaluators, nil
}

// strict reads a manifest into the Go type that Flux has for it; a field that the type does not have is an error.
func strict(manifest string) (string, error) {
	var about struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal([]byte(manifest), &about); err != nil {
		return "", err
	}
	var into any
	switch about.APIVersion + "/" + about.Kind {
	case kustomize.GroupVersion.String() + "/Kustomization":
		into = &kustomize.Kustomization{}
	case source.GroupVersion.String() + "/GitRepository":
		into = &source.GitRepository{}
	case helm.GroupVersion.String() + "/HelmRelease":
		into = &helm.HelmRelease{}
	default:
		return "", fmt.Errorf("%s %s is not known here", about.APIVersion, about.Kind)
	}
	return about.Kind, yaml.UnmarshalStrict([]byte(manifest), into)
}
