{{/* The pod's template: the same for both kinds of store, but for the volume. */}}
{{- define "sluice.podTemplate" -}}
{{- $shared := eq .Values.store.kind "shared" -}}
metadata:
  labels:
    {{- /* Not the chart's version: another chart over the same program restarts nothing. */}}
    {{- include "sluice.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
    app.kubernetes.io/part-of: sluice
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- $annotations := deepCopy .Values.podAnnotations }}
  {{- if .Values.secrets.generate }}
  {{- /* A changed policy is followed; a changed secret is read at a start only. */}}
  {{- $_ := set $annotations "checksum/secret" (include "sluice.secretData" . | sha256sum) }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "sluice.serviceAccountName" . }}
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- include "sluice.podSecurityContext" . | nindent 4 }}
    {{- if not (kindIs "invalid" .Values.podSecurityContext.fsGroup) }}
    # Without it every start would walk the whole volume.
    fsGroupChangePolicy: OnRootMismatch
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.affinity }}
  affinity:
    {{- toYaml .Values.affinity | nindent 4 }}
  {{- else if $shared }}
  affinity:
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "sluice.selectorLabels" . | nindent 16 }}
  {{- end }}
  {{- if .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else if $shared }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "sluice.selectorLabels" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  containers:
    - name: control-plane
      image: {{ include "sluice.image" (dict "root" . "image" .Values.image) }}
      {{- with .Values.image.pullPolicy }}
      imagePullPolicy: {{ . }}
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      ports:
        - { name: http, containerPort: 8080 }
        - { name: status, containerPort: 8081 }
      envFrom:
        - secretRef: { name: {{ include "sluice.secretName" . }} }
      env:
        {{- include "sluice.env" . | nindent 8 }}
      startupProbe:
        httpGet: { path: /healthz, port: status }
        # Two minutes, for a store that has much to recover.
        periodSeconds: 2
        failureThreshold: 60
      # Ready: the API listens. By /readyz a store that is away would take all pods out of the Service.
      readinessProbe:
        tcpSocket: { port: http }
        periodSeconds: 5
      livenessProbe:
        httpGet: { path: /healthz, port: status }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      {{- with include "sluice.volumeMounts" . }}
      volumeMounts:
        {{- . | trim | nindent 8 }}
      {{- end }}
  {{- with include "sluice.volumes" . }}
  volumes:
    {{- . | trim | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* What is null is left to the cluster: OpenShift gives each namespace numbers of its own. */}}
{{- define "sluice.podSecurityContext" -}}
runAsNonRoot: true
{{- range $key := list "runAsUser" "runAsGroup" "fsGroup" }}
{{- /* Helm takes out a default that null is given for. */}}
{{- if not (kindIs "invalid" (index $.Values.podSecurityContext $key)) }}
{{ $key }}: {{ index $.Values.podSecurityContext $key | int64 }}
{{- end }}
{{- end }}
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "sluice.env" -}}
- { name: SLUICE_HTTP_HOST, value: 0.0.0.0 }
- { name: SLUICE_STATUS_HOST, value: 0.0.0.0 }
{{ if eq .Values.store.kind "folder" -}}
- { name: SLUICE_DATA_DIR, value: /var/lib/sluice }
{{- else -}}
{{- include "sluice.storeEnv" . }}
{{- end }}
{{- if not .Values.policy.fromImage }}
# The folder is mounted, not the file: a changed ConfigMap replaces the files of a folder only.
- { name: SLUICE_POLICY, value: /etc/sluice/policy.yaml }
{{- end }}
{{- if include "sluice.issuersName" . }}
- { name: SLUICE_ISSUERS_FILE, value: /etc/sluice-issuers/issuers.yaml }
{{- end }}
{{- with .Values.tls }}
{{- if .secret }}
- { name: SLUICE_TLS_CERT_FILE, value: /run/sluice-tls/{{ .certKey }} }
- { name: SLUICE_TLS_KEY_FILE, value: /run/sluice-tls/{{ .keyKey }} }
{{- if .clientCaKey }}
- { name: SLUICE_TLS_CLIENT_CA_FILE, value: /run/sluice-tls/{{ .clientCaKey }} }
{{- end }}
{{- end }}
{{- end }}
{{- if ne .Values.logLevel "info" }}
- { name: SLUICE_LOG_LEVEL, value: {{ .Values.logLevel }} }
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of the control plane over a shared store, and of the Job that makes one. */}}
{{- define "sluice.storeEnv" -}}
{{- with .Values.store.shared -}}
- { name: SLUICE_STORE_FILE, value: /run/sluice-store/{{ .key }} }
# The image's. Nothing is kept there.
- { name: SLUICE_DATA_DIR, value: "" }
{{- if .sentinel.secret }}
- { name: SLUICE_STORE_SENTINEL_FILE, value: /run/sluice-sentinel/{{ .sentinel.key }} }
{{- end }}
{{- if .tls.secret }}
- { name: SLUICE_STORE_CA_FILE, value: /run/sluice-store-tls/{{ .tls.caKey }} }
{{- if .tls.certKey }}
- { name: SLUICE_STORE_CERT_FILE, value: /run/sluice-store-tls/{{ .tls.certKey }} }
- { name: SLUICE_STORE_KEY_FILE, value: /run/sluice-store-tls/{{ .tls.keyKey }} }
{{- end }}
{{- end }}
{{- if not (kindIs "invalid" .confirmedBy) }}
- { name: SLUICE_STORE_REPLICAS, value: {{ .confirmedBy | int | quote }} }
{{- end }}
{{- end }}
{{- end -}}

{{- define "sluice.volumeMounts" -}}
{{- if not .Values.policy.fromImage }}
- { name: policy, mountPath: /etc/sluice, readOnly: true }
{{- end }}
{{- if eq .Values.store.kind "folder" }}
- { name: store, mountPath: /var/lib/sluice }
{{- else }}
{{- include "sluice.storeMounts" . }}
{{- end }}
{{- if include "sluice.issuersName" . }}
- { name: issuers, mountPath: /etc/sluice-issuers, readOnly: true }
{{- end }}
{{- if .Values.tls.secret }}
- { name: tls, mountPath: /run/sluice-tls, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sluice.storeMounts" -}}
{{- with .Values.store.shared }}
- { name: store, mountPath: /run/sluice-store, readOnly: true }
{{- if .sentinel.secret }}
- { name: sentinel, mountPath: /run/sluice-sentinel, readOnly: true }
{{- end }}
{{- if .tls.secret }}
- { name: store-tls, mountPath: /run/sluice-store-tls, readOnly: true }
{{- end }}
{{- end }}
{{- end -}}

{{- define "sluice.volumes" -}}
{{- if not .Values.policy.fromImage }}
- name: policy
  configMap: { name: {{ include "sluice.policyName" . }} }
{{- end }}
{{- if eq .Values.store.kind "shared" }}
{{- include "sluice.storeVolumes" . }}
{{- else if not .Values.store.folder.persistence.enabled }}
- name: store
  emptyDir: {}
{{- end }}
{{- with include "sluice.issuersName" . }}
- name: issuers
  configMap: { name: {{ . }} }
{{- end }}
{{- with .Values.tls.secret }}
- name: tls
  secret: { secretName: {{ . }}, defaultMode: 288 }
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* 288 is 0440: for the pods' group, and for nobody else. */}}
{{- define "sluice.storeVolumes" -}}
{{- with .Values.store.shared }}
- name: store
  secret: { secretName: {{ .secret }}, defaultMode: 288 }
{{- with .sentinel.secret }}
- name: sentinel
  secret: { secretName: {{ . }}, defaultMode: 288 }
{{- end }}
{{- with .tls.secret }}
- name: store-tls
  secret: { secretName: {{ . }}, defaultMode: 288 }
{{- end }}
{{- end }}
{{- end -}}
