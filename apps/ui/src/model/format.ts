/** `12s`, `5m`, `3h`, `8d`: how long before `now` (milliseconds) the RFC 3339 time `at` was; '' for no time. */
export function formatAge(at: string, now: number): string {
  const then = Date.parse(at);
  if (Number.isNaN(then)) return '';
  const seconds = Math.max(0, Math.round((now - then) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** The part of a revision that people say: seven characters of a commit, `main@1a2b3c4` of a Flux revision. */
export function shortRevision(revision: string): string {
  const flux = /^(.*)@sha1:([0-9a-f]{7})/.exec(revision);
  if (flux !== null) return `${flux[1]}@${flux[2]}`;
  return /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 7) : revision;
}

/** A name that fits: the middle of a long one is left out, for its end tells Pods apart. */
export function shortName(name: string, lengthMax: number): string {
  if (name.length <= lengthMax) return name;
  const tail = Math.floor((lengthMax - 1) / 2);
  return `${name.slice(0, lengthMax - 1 - tail)}…${name.slice(-tail)}`;
}

/** A link only when it is a web address; a `javascript:` URL from a manifest must never become one. */
export function safeLink(url: string): string | null {
  return /^https?:\/\//i.test(url) ? url : null;
}
