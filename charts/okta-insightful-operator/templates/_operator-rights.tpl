{{/* Permissions of the operator. It deletes no match: those are garbage-collected with their integration. */}}
{{- define "operator.rules" -}}
# Reads integrations. Their spec belongs to the admin and is never written.
- apiGroups: [integrations.insightful.io]
  resources: [oktaintegrations]
  verbs: [get, list, watch]
# Creates a match for each person and owns its integration, Okta id, labels and owner reference, by server-side
# apply: `patch`, and `create` for a new match. The decision belongs to people.
- apiGroups: [integrations.insightful.io]
  resources: [employeematches]
  verbs: [get, list, watch, create, patch]
# Keeps one object for each employee without a person: a view that nothing is read back from.
- apiGroups: [integrations.insightful.io]
  resources: [unmatchedemployees]
  verbs: [list, create, patch, delete]
# Writes the statuses of all three by server-side apply, and reads single statuses past the watch cache.
- apiGroups: [integrations.insightful.io]
  resources: [oktaintegrations/status, employeematches/status]
  verbs: [get, patch]
- apiGroups: [integrations.insightful.io]
  resources: [unmatchedemployees/status]
  verbs: [patch]
# Reads the credentials that an integration names: single Secrets by name, never a list.
- apiGroups: [""]
  resources: [secrets]
  {{- with .Values.rbac.secretNames }}
  resourceNames: {{ toJson . }}
  {{- end }}
  verbs: [get]
# Publishes events; `patch` counts a repeated event instead of adding another.
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
