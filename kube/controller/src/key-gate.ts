/** Which keys this process may reconcile, when several share the work. */
export interface KeyGate {
  owns(key: string): boolean;
  /** Tells a controller when that changes; returns the way to stop it. */
  join(tenant: GateTenant): () => void;
}

/** What a controller does at a gate. */
export interface GateTenant {
  /** Stops what is not owned any more; resolves when none of it runs. */
  release(): Promise<void>;
  /** More may be owned than before. */
  resume(): void;
}
