// Command gitops judges objects and manifests as GitOps tools do: by kstatus, which Flux and kubectl-like tools use to
// decide whether an object is ready, by Argo CD's health scripts in Lua, and by the Go types of Flux's resources.
//
// It reads a JSON document from standard input and writes one to standard output.
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

// luaTimeout is Argo CD's time limit for a script.
const luaTimeout = time.Second

type question struct {
	// The health scripts by kind, as in Argo CD's ConfigMap.
	Scripts map[string]string `json:"scripts"`
	// A manifest of Flux's Kustomization with healthCheckExprs.
	Kustomization string                      `json:"kustomization"`
	Objects       []unstructured.Unstructured `json:"objects"`
	// Manifests of Flux's kinds, one YAML document each, to parse strictly.
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
	result := answer{Verdicts: []verdict{}, Kinds: []string{}}
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
		result.Verdicts = append(result.Verdicts, one)
	}
	for i, manifest := range asked.FluxManifests {
		kind, err := strict(manifest)
		if err != nil {
			return fmt.Errorf("manifest %d: %w", i, err)
		}
		result.Kinds = append(result.Kinds, kind)
	}
	return json.NewEncoder(out).Encode(result)
}

func judge(object *unstructured.Unstructured, script string, expressions map[string]*cel.StatusEvaluator) (verdict, error) {
	computed, err := status.Compute(object)
	if err != nil {
		return verdict{}, fmt.Errorf("kstatus: %w", err)
	}
	judged := verdict{Kstatus: computed.Status.String()}
	if evaluator := expressions[object.GetKind()]; evaluator != nil {
		result, err := evaluator.Evaluate(context.Background(), object)
		if err == nil {
			judged.Flux = result.Status.String()
		} else {
			// As in Flux, which retries: the expressions fail on an object without a status.
			judged.Flux = status.UnknownStatus.String()
		}
	}
	if script != "" {
		judged.Argo, judged.Message, err = health(object, script)
		if err != nil {
			return verdict{}, fmt.Errorf("health script: %w", err)
		}
	}
	return judged, nil
}

// health runs the script in the same environment as Argo CD: base, package and table libraries, and the object as `obj`.
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
	ctx, cancel := context.WithTimeout(context.Background(), luaTimeout)
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
		return "", "", fmt.Errorf("%q is not a health status of Argo CD", result)
	}
}

// luaValue converts a value as Argo CD does: numbers to numbers, lists to tables with indices from 1.
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

// strict parses a manifest into Flux's Go type. A field that the type lacks is an error.
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
		return "", fmt.Errorf("unknown kind %s %s", about.APIVersion, about.Kind)
	}
	return about.Kind, yaml.UnmarshalStrict([]byte(manifest), into)
}
