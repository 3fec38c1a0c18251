{{- define "operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* The prefix of every object's name, and the whole name of most. 53 characters leave room for "-reviewer". */}}
{{- define "operator.fullname" -}}
{{- $name := include "operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Where everything of the release goes that has a namespace, but for what `watchNamespaces` asks for. */}}
{{- define "operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* Those of the company for all charts, and those for this one; each once. */}}
{{- define "operator.pullSecrets" -}}
{{- with concat .Values.imagePullSecrets (.Values.global.imagePullSecrets | default list) | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* How a pod finds other machines. */}}
{{- define "operator.hosts" -}}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "operator.serviceAccountName" -}}
{{- default (include "operator.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{/* The digest says exactly which image it is; the tag then only helps who reads it. */}}
{{- define "operator.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}{{ with .Values.image.tag }}:{{ . }}{{ end }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ $tag }}
{{- end }}
{{- end }}

{{/*
The operator's variables. What the chart sets is left out where `env` has a variable of that name: the API server takes a
list with each name once.
*/}}
{{- define "operator.env" -}}
{{- $own := dict "LEASE" (printf "%s/%s" (include "operator.namespace" .) (include "operator.fullname" .)) }}
{{- /* IPv4 and IPv6; the program falls back to IPv4 on a machine without IPv6. */}}
{{- $_ := set $own "METRICS_ADDRESS" "[::]:8080" }}
{{- /* A directory of its own in the volume, which the operator makes for itself alone. */}}
{{- $_ := set $own "STATE_DIR" "/var/lib/okta-insightful-operator/state" }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
{{- /* With either of these set, only what both name is trusted: the image's own authorities, and the bundle. */}}
{{- $_ := set $own "SSL_CERT_FILE" "/etc/ssl/certs/ca-certificates.crt" }}
{{- $_ := set $own "SSL_CERT_DIR" "/etc/okta-insightful-operator/ca" }}
{{- end }}
{{- with .Values.proxy.httpsProxy }}
{{- $_ := set $own "HTTPS_PROXY" . }}
{{- end }}
{{- with .Values.proxy.noProxy }}
{{- $_ := set $own "NO_PROXY" . }}
{{- end }}
{{- with .Values.logging.level }}
{{- $_ := set $own "RUST_LOG" . }}
{{- end }}
{{- with .Values.logging.format }}
{{- $_ := set $own "LOG_FORMAT" . }}
{{- end }}
{{- range .Values.env }}
{{- $_ := unset $own .name }}
{{- end }}
{{- $variables := list }}
{{- range $name, $value := $own }}
{{- $variables = append $variables (dict "name" $name "value" $value) }}
{{- end }}
{{- toYaml (concat $variables .Values.env) }}
{{- end }}

{{/* What a Deployment's selector holds can never change: name and instance only. */}}
{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "operator.labels" -}}
{{- $own := dict
  "app.kubernetes.io/name" (include "operator.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- merge $own (deepCopy .Values.commonLabels) | toYaml }}
{{- end }}

{{/* The labels and annotations of an object that needs no others. */}}
{{- define "operator.metadata" -}}
labels:
  {{- include "operator.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
