{{/* What the operator itself may do. It deletes nothing: matches go with their integration by garbage collection. */}}
{{- define "operator.rules" -}}
# Reads what the admin wants. An integration's spec is the admin's alone, so it is never written.
- apiGroups: [integrations.insightful.io]
  resources: [oktaintegrations]
  verbs: [get, list, watch]
# Makes a match for every person and keeps its integration, Okta id, labels and owner reference, by server-side
# apply: `patch`, and `create` for a match that is not there yet. The decision in it is left to people.
- apiGroups: [integrations.insightful.io]
  resources: [employeematches]
  verbs: [get, list, watch, create, patch]
# Says in the status of both what is so, by server-side apply, and reads one status afresh, past the watch's cache.
- apiGroups: [integrations.insightful.io]
  resources: [oktaintegrations/status, employeematches/status]
  verbs: [get, patch]
# Reads the credentials that an integration names: one Secret by its name, never a list of them.
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.rbac.secretNames }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get]
# Tells people what happened; `patch` counts a repeated event instead of adding one.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "operator.subject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "operator.serviceAccountName" . }}
    namespace: {{ include "operator.namespace" . }}
{{- end }}
