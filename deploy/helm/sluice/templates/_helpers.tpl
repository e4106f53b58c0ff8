{{/*
Names. A label has 63 characters, and the longest are "NAME-store-init" of a Job's pods and "NAME-" with a hash of ten of a
StatefulSet's.
*/}}
{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 51 | trimSuffix "-" -}}
{{- end -}}

{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 51 | trimSuffix "-" -}}
{{- else if contains (include "sluice.name" .) .Release.Name -}}
{{- .Release.Name | trunc 51 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "sluice.name" .) | trunc 51 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sluice.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sluice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: control-plane
{{- end -}}

{{- define "sluice.labels" -}}
{{ include "sluice.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sluice
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sluice.image" -}}
{{- $image := .image -}}
{{- $tagged := printf "%s:%s" $image.repository (default .root.Chart.AppVersion $image.tag) -}}
{{- if $image.digest }}{{ printf "%s@%s" $tagged $image.digest }}{{ else }}{{ $tagged }}{{ end -}}
{{- end -}}

{{- define "sluice.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sluice.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The Secret with SLUICE_SECRET and SLUICE_ADMIN_TOKEN, whoever makes it. */}}
{{- define "sluice.secretName" -}}
{{- default (include "sluice.fullname" .) .Values.secrets.existing -}}
{{- end -}}

{{- define "sluice.policyName" -}}
{{- default (printf "%s-policy" (include "sluice.fullname" .)) .Values.policy.existing -}}
{{- end -}}

{{- define "sluice.issuersName" -}}
{{- if .Values.issuers.existing -}}
{{- .Values.issuers.existing -}}
{{- else if .Values.issuers.inline -}}
{{- printf "%s-issuers" (include "sluice.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "sluice.replicas" -}}
{{- if kindIs "invalid" .Values.replicas -}}
{{- ternary 1 2 (eq .Values.store.kind "folder") -}}
{{- else -}}
{{- .Values.replicas | int -}}
{{- end -}}
{{- end -}}

{{/* Defaults of maps stand here: in values.yaml Helm would merge them into what an operator gives. */}}
{{- define "sluice.edgeNamespaces" -}}
{{- toYaml (default (dict "matchLabels" (dict "sluice.dev/edge" "true")) .Values.networkPolicy.edgeNamespaces) -}}
{{- end -}}
