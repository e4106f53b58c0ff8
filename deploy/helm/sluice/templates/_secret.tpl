{{/*
What the generated Secret holds: what stands there already, else fresh ones in the form that "sluice secret new" prints. It is
made once a rendering, for the checksum at the pods is over the same.
*/}}
{{- define "sluice.secretData" -}}
{{- if not (hasKey .Values "madeSecret") -}}
{{- $found := lookup "v1" "Secret" .Release.Namespace (include "sluice.secretName" .) -}}
{{- $data := dict -}}
{{- if $found -}}
{{- $data = default dict $found.data -}}
{{- else -}}
{{- $token := randBytes 32 | replace "+" "-" | replace "/" "_" | trimSuffix "=" -}}
{{- $data = dict "SLUICE_SECRET" (randBytes 32 | b64enc) "SLUICE_ADMIN_TOKEN" ($token | b64enc) -}}
{{- end -}}
{{- $_ := set .Values "madeSecret" (toYaml $data) -}}
{{- end -}}
{{- .Values.madeSecret -}}
{{- end -}}

{{/*
Not empty where Helm could ask a cluster. A list that is empty is an answer, and Helm may always list the Secrets of the
namespace: it keeps its releases there.
*/}}
{{- define "sluice.clusterAnswers" -}}
{{- if lookup "v1" "Secret" .Release.Namespace "" }}yes{{ end -}}
{{- end -}}
