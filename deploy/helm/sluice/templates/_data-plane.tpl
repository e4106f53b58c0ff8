{{- define "sluice.dataPlaneLabels" -}}
{{- include "sluice.labels" . | replace "control-plane" "filter" -}}
{{- end -}}

{{/* The cluster that Istio makes of the control plane's Service. */}}
{{- define "sluice.istioCluster" -}}
outbound|{{ .Values.service.port }}||{{ include "sluice.serviceHost" . }}
{{- end -}}

{{- define "sluice.serviceHost" -}}
{{ include "sluice.fullname" . }}.{{ .Release.Namespace }}.svc.cluster.local
{{- end -}}

{{/* Of a proxy, from the Secret in its own namespace. The second secret is there during a rotation only. */}}
{{- define "sluice.proxyEnv" -}}
{{- range $variable := list "SLUICE_SECRET" "SLUICE_SECRET_ALSO" }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.dataPlane.secret }}
      key: {{ $variable }}
      {{- if eq $variable "SLUICE_SECRET_ALSO" }}
      optional: true
      {{- end }}
{{- end }}
{{- end -}}

{{/* All that an Envoy must know before it can ask: docs/policy.md, "Edge settings". */}}
{{- define "sluice.edgeSettings" -}}
{{- with .root.Values.dataPlane -}}
version: 1
controlPlane:
  cluster: {{ $.cluster }}
table:
  name: {{ .table.name }}
  capacity: {{ .table.capacity | int }}
follow: {{ .follow }}
{{- with .policy }}
policy:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
{{- end -}}
