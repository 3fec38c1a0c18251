{{/*
The rules of files/monitoring/alerts.yaml with the names of this release, the URL of the runbook and the `overrides`.
*/}}
{{- define "operator.alerts" -}}
{{- $given := .Values.monitoring.alerts }}
{{- $fullname := include "operator.fullname" . }}
{{- $namespace := include "operator.namespace" . }}
{{- /* Pods are named after their Deployment and ReplicaSet; a long name lacks the dash before the last part. */}}
{{- $pods := `pod=~"%s-[a-z0-9]+(-[a-z0-9]+)?"` }}
{{- $own := `namespace="%s", ` }}
{{- $labels := "app.kubernetes.io/name=%s,app.kubernetes.io/instance=%s" }}
{{- $usual := .Chart.Name }}
{{- $integrations := default (printf $pods $fullname) $given.selector }}
{{- $operator := default (print (printf $own $namespace) (printf $pods $fullname)) $given.selector }}
{{- $text := .Files.Get "files/monitoring/alerts.yaml"
  | replace (print (printf $own $usual) (printf $pods $usual)) $operator
  | replace (printf $pods $usual) $integrations
  | replace (printf $labels $usual $usual) (printf $labels (include "operator.name" .) .Release.Name)
  | replace (printf "get lease %s " $usual) (printf "get lease %s " $fullname)
  | replace (printf " -n %s " $usual) (printf " -n %s " $namespace)
  | replace (printf "- name: %s\n" $usual) (printf "- name: %s\n" $fullname) }}
{{- $file := fromYaml $text }}
{{- $known := list }}
{{- range $group := $file.groups }}
{{- $rules := list }}
{{- range $rule := $group.rules }}
{{- $known = append $known $rule.alert }}
{{- if $given.runbookUrl }}
{{- $section := splitList "#" $rule.annotations.runbook | last }}
{{- $_ := unset $rule.annotations "runbook" }}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s#%s" $given.runbookUrl $section) }}
{{- end }}
{{- $override := get $given.overrides $rule.alert | default dict }}
{{- if not $override.disabled }}
{{- $rules = mergeOverwrite $rule (omit $override "disabled") | append $rules }}
{{- end }}
{{- end }}
{{- $_ := set $group "rules" $rules }}
{{- end }}
{{- range $name, $_ := $given.overrides }}
{{- if not (has $name $known) }}
{{- fail (printf "monitoring.alerts.overrides: there is no alert %s; there are %s" $name (join ", " $known)) }}
{{- end }}
{{- end }}
{{- toYaml $file }}
{{- end }}
