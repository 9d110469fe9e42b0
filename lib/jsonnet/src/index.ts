export { type ExternalValue, evaluateJsonnet, type JsonnetOptions } from './evaluate-jsonnet.ts';
export type { JsonValue } from './manifest.ts';
