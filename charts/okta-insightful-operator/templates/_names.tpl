{{- define "operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 53 | trimSuffix "-" }}
{{- end }}

{{/* Prefix of the names of all objects, and the full name of most. 53 characters leave room for "-reviewer". */}}
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

{{/* Namespace of the release's objects, except the roles in `watchNamespaces`. */}}
{{- define "operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/*
Name of an object in the given namespace. In another one than the release's it has the release's namespace in it, because
releases of the same name may have theirs there, too.
*/}}
{{- define "operator.nameIn" -}}
{{- $own := include "operator.namespace" .release }}
{{- if eq (default $own .namespace) $own }}
{{- include "operator.fullname" .release }}
{{- else }}
{{- printf "%s-%s" $own (include "operator.fullname" .release) }}
{{- end }}
{{- end }}

{{/* Global pull secrets and those of this chart, without duplicates. */}}
{{- define "operator.pullSecrets" -}}
{{- with concat .Values.imagePullSecrets (.Values.global.imagePullSecrets | default list) | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Host aliases and DNS of a pod. */}}
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

{{/*
Image without tag. `global.imageRegistry` replaces the registry of `image.repository`: its first part, if that has a dot or
a port or is `localhost`, as in every image reference. Without any registry, container runtimes would ask Docker Hub for an
image that is not there.
*/}}
{{- define "operator.repository" -}}
{{- $repository := .Values.image.repository -}}
{{- with .Values.global.imageRegistry -}}
{{- $repository = printf "%s/%s" . (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" $repository "") -}}
{{- end -}}
{{- if not (or (contains "/" $repository) (eq .Values.image.pullPolicy "Never")) -}}
{{- fail (printf "image.repository %q has no registry. Set it to where the image is, such as --set image.repository=registry.example.com/%s, or set global.imageRegistry. An image that is on the nodes already needs image.pullPolicy=Never" $repository $repository) -}}
{{- end -}}
{{ $repository }}
{{- end }}

{{/* With a digest, the tag is only informative. */}}
{{- define "operator.image" -}}
{{- $repository := include "operator.repository" . -}}
{{- if .Values.image.digest -}}
{{ $repository }}{{ with .Values.image.tag }}:{{ . }}{{ end }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/*
The operator's environment variables. `env` replaces a variable of the chart with the same name, because the API server
accepts each name only once.
*/}}
{{- define "operator.env" -}}
{{- $own := dict "LEASE" (printf "%s/%s" (include "operator.namespace" .) (include "operator.fullname" .)) }}
{{- /* IPv4 and IPv6; the program falls back to IPv4 on a machine without IPv6. */}}
{{- $_ := set $own "METRICS_ADDRESS" "[::]:8080" }}
{{- /* A subdirectory that only the operator's user can read. */}}
{{- $_ := set $own "STATE_DIR" "/var/lib/okta-insightful-operator/state" }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
{{- /* Once either is set, only these are trusted: the authorities of the image, and the bundle. */}}
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
{{- if .Values.audit.values }}
{{- $_ := set $own "AUDIT_VALUES" "true" }}
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

{{/* The selector of a Deployment is immutable: name and instance only. */}}
{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Of the pod of `helm test`. Not the selector's labels: the Deployment and its budget do not count it. */}}
{{- define "operator.checkLabels" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}-check
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

{{/* Labels and annotations of an object without others. */}}
{{- define "operator.metadata" -}}
labels:
  {{- include "operator.labels" . | nindent 2 }}
{{- with .Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
