{{/*
files/monitoring/dashboard.json with a uid and a title of this release, whose pods it shows first.
*/}}
{{- define "operator.dashboard" -}}
{{- $fullname := include "operator.fullname" . }}
{{- $release := printf "%s/%s" (include "operator.namespace" .) $fullname }}
{{- $dashboard := .Files.Get "files/monitoring/dashboard.json" | fromJson }}
{{- $_ := set $dashboard "uid" (printf "okta-insightful-%s" (sha256sum $release | trunc 16)) }}
{{- $_ := set $dashboard "title" (printf "%s (%s)" $dashboard.title $release) }}
{{- range $variable := $dashboard.templating.list }}
{{- if eq $variable.name "release" }}
{{- $_ := set $variable "current" (dict "text" (list $fullname) "value" (list $fullname)) }}
{{- end }}
{{- end }}
{{- toPrettyJson $dashboard }}
{{- end }}
