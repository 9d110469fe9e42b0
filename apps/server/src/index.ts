export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
export { type Serving, serve } from './http/serve.ts';
export type { CrdPolicy } from './install-crds.ts';
export { eventLine, type LogEncoding, messageLine } from './log-lines.ts';
export type { ArtifactOptions } from './open-artifacts.ts';
export { createPageApi, type PageApiPorts } from './page-api.ts';
export { type PreviewOptions, previewApplication } from './preview-application.ts';
export { capstanCrds } from './probes/probe-crd.ts';
export type { ControlPlaneEvent } from './run-controllers.ts';
