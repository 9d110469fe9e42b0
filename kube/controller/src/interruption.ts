/** Why a reconcile's signal aborts. Code that stops by itself rethrows `signal.reason`; nobody else needs to look at it. */

/** There is something newer to do for this key: stop, the key runs again at once. */
export class Superseded extends Error {
  constructor(reason?: string) {
    super(reason === undefined ? 'superseded by something newer' : `superseded: ${reason}`);
    this.name = 'Superseded';
  }
}

/** The process is about to end. */
export class Shutdown extends Error {
  constructor() {
    super('shutting down');
    this.name = 'Shutdown';
  }
}

/** Another process holds the lease now: what was begun as leader must stop. */
export class LeadershipLost extends Error {
  constructor(lease: string) {
    super(`the lease ${lease} is no longer held by this process`);
    this.name = 'LeadershipLost';
  }
}

/** Another replica is the one to do this now. */
export class Moved extends Error {
  constructor() {
    super('another replica does this now');
    this.name = 'Moved';
  }
}
