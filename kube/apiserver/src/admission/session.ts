import { type Clock, passedMs } from '@capstan/lib-std';
import { ApiError } from '../api-error.ts';
import type { WebhookAnswer } from './webhook-call.ts';

const ATTEMPTS_MAX = 100;
const UNFINISHED_MAX = 1000;

/** A question to a webhook, and how to put it. */
export interface Question {
  /** Equal for equal questions: the webhook, and what it is asked about. */
  readonly key: string;
  ask(): Promise<WebhookAnswer>;
}

/** Thrown where an answer is needed that is not there yet: the request is run again with it. */
export class WebhookPending extends ApiError {
  readonly questions: readonly Question[];

  constructor(questions: readonly Question[]) {
    super(503, 'ServiceUnavailable', 'admission webhooks have not answered yet');
    this.questions = questions;
  }
}

interface Session {
  readonly answers: Map<string, WebhookAnswer>;
  /** Questions that are on their way. */
  readonly asked: Set<string>;
  /** What was drawn by lot, by kind: drawn again the same by the next attempt. */
  readonly drawn: Map<string, unknown[]>;
  readonly next: Map<string, number>;
  /** The time of the request, which stands still. */
  now: number | undefined;
}

function newSession(): Session {
  return {
    answers: new Map(),
    asked: new Set(),
    drawn: new Map(),
    next: new Map(),
    now: undefined,
  };
}

/**
 * Lets requests, which run in one go, wait for webhooks: a request that needs an answer is broken off before it has written
 * anything, and run again once the answer is there, on the state of that time and with the same lots.
 */
export class Sessions {
  #current: Session | undefined;
  /** Of writers who do not wait, until they come again. */
  readonly #unfinished = new Map<string, Session>();

  /** Runs a request until nothing it needs to know is missing. `restart` undoes what an attempt has left behind. */
  async run<T>(attempt: () => T | Promise<T>, restart: () => void): Promise<T> {
    const session = newSession();
    for (let i = 0; i < ATTEMPTS_MAX; i++) {
      try {
        return await this.#within(session, attempt);
      } catch (error) {
        if (!(error instanceof WebhookPending)) throw error;
        await answerAll(session, error.questions);
        restart();
      }
    }
    throw new ApiError(504, 'Timeout', 'request did not complete within requested timeout');
  }

  /** For a writer who cannot wait: throws WebhookPending, and finds the answers when it comes again with the same key. */
  runNow<T>(key: string, attempt: () => T): T {
    const session = this.#unfinished.get(key) ?? newSession();
    this.#unfinished.delete(key);
    try {
      return this.#within(session, attempt);
    } catch (error) {
      if (error instanceof WebhookPending) this.#keep(key, session, error.questions);
      throw error;
    }
  }

  /** The answer to a question, in this request. */
  answer(key: string): WebhookAnswer | undefined {
    return this.#current?.answers.get(key);
  }

  /** Something of chance that stays the same when the request is run again. */
  draw<T>(kind: string, make: () => T): T {
    const session = this.#current;
    if (session === undefined) return make();
    const at = session.next.get(kind) ?? 0;
    session.next.set(kind, at + 1);
    const drawn = session.drawn.get(kind) ?? [];
    session.drawn.set(kind, drawn);
    if (at === drawn.length) drawn.push(make());
    return drawn[at] as T;
  }

  /** A clock that stands still within a request. */
  steady(clock: Clock): Clock {
    return {
      now: () => {
        const session = this.#current;
        if (session === undefined) return clock.now();
        session.now ??= clock.now();
        return session.now;
      },
      passed: () => passedMs(clock),
      after: (delayMs, run) => clock.after(delayMs, run),
    };
  }

  #within<T>(session: Session, attempt: () => T): T {
    const outer = this.#current;
    session.next.clear();
    this.#current = session;
    try {
      return attempt();
    } finally {
      this.#current = outer;
    }
  }

  #keep(key: string, session: Session, questions: readonly Question[]): void {
    const [oldest] = this.#unfinished.keys();
    if (this.#unfinished.size >= UNFINISHED_MAX && oldest !== undefined) {
      this.#unfinished.delete(oldest);
    }
    this.#unfinished.set(key, session);
    // Answers never reject: a call that fails is an answer, too.
    void answerAll(session, questions);
  }
}

async function answerAll(session: Session, questions: readonly Question[]): Promise<void> {
  await Promise.all(
    questions.map(async ({ key, ask }) => {
      if (session.asked.has(key)) return;
      session.asked.add(key);
      session.answers.set(key, await ask());
    }),
  );
}
