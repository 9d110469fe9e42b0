export { type BackoffPolicy, backoffDelayMs } from './backoff.ts';
export { BoundedCache } from './bounded-cache.ts';
export { type Clock, ManualClock, passedMs } from './clock.ts';
export { type Diagnostic, formatDiagnostic, formatLocation, type Location } from './diagnostic.ts';
export { CapstanError, type ErrorKind, type ErrorOptions, messageOf, redact } from './error.ts';
export { hexOf } from './hex.ts';
export { invariant, unreachable } from './invariant.ts';
export { ownBytes } from './own-bytes.ts';
export { valueAt } from './value-at.ts';
