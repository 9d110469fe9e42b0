import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { guardedConnect, guardedLookup, refuseAddress } from '@capstan/lib-egress';
import { messageOf } from '@capstan/lib-std';
import { askGrpcHealth } from './grpc-health.ts';
import type { Probe, ProbeTarget } from './probe-spec.ts';
import { askSql } from './sql-connection.ts';
import type { Outcome } from './verdict.ts';

type Target<Kind extends ProbeTarget['kind']> = Extract<ProbeTarget, { readonly kind: Kind }>;

/**
 * Asks once. A failure is an outcome; only an abort by `signal` is thrown. Nothing that the other side sends, and no
 * header of the question, gets into the message.
 */
export async function runProbe(
  { target, timeoutMs }: Pick<Probe, 'target' | 'timeoutMs'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<Outcome> {
  const stop = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stop.abort(new Error('late'));
  }, timeoutMs);
  const pass = () => stop.abort(signal.reason);
  signal.addEventListener('abort', pass, { once: true });
  if (signal.aborted) pass();
  try {
    return await ask(target, stop.signal);
  } catch (error) {
    signal.throwIfAborted();
    const reason = isLate ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error);
    return { ok: false, message: `${nameOf(target)}: ${reason}` };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', pass);
  }
}

function ask(target: ProbeTarget, signal: AbortSignal): Promise<Outcome> {
  switch (target.kind) {
    case 'http':
      return askHttp(target, signal);
    case 'tcp':
      return askTcp(target, signal);
    case 'grpc':
      return askGrpc(target, signal);
    case 'dns':
      return askDns(target, signal);
    case 'sql':
      return askDatabase(target, signal);
  }
}

/** Without what stands behind `?`: it may hold a token. */
function nameOf(target: ProbeTarget): string {
  if (target.kind === 'http') {
    const { origin, pathname } = new URL(target.url);
    return `${target.method} ${origin}${pathname}`;
  }
  if (target.kind === 'dns') return `dns ${target.type} ${target.name}`;
  const what = target.kind === 'sql' ? target.engine : target.kind;
  return `${what} ${target.host}:${target.port}`;
}

/** One cause of several attempts (IPv4, IPv6) is enough. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return messageOf(error);
}

/** One question; redirects are an answer, never followed. */
async function askHttp(target: Target<'http'>, signal: AbortSignal): Promise<Outcome> {
  const url = new URL(target.url);
  refuseAddress(url.hostname);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const { method, headers, expectStatus } = target;
  const status = await new Promise<number>((resolve, reject) => {
    const request = send(url, {
      method,
      headers: { 'user-agent': 'capstan-probe', ...headers },
      lookup: guardedLookup,
      agent: false,
      signal,
    });
    request.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.on('error', () => {});
      response.destroy();
    });
    request.on('error', reject);
    request.end();
  });
  const ok = expectStatus === undefined ? status >= 200 && status < 400 : status === expectStatus;
  const wanted = expectStatus === undefined ? '200 to 399' : `${expectStatus}`;
  const message = `${nameOf(target)}: answered ${status}${ok ? '' : `, not ${wanted}`}`;
  return { ok, message };
}

async function askTcp(target: Target<'tcp'>, signal: AbortSignal): Promise<Outcome> {
  const socket = guardedConnect(target.host, target.port);
  try {
    await once(socket, 'connect', { signal });
    return { ok: true, message: `${nameOf(target)}: connected` };
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

async function askGrpc(target: Target<'grpc'>, signal: AbortSignal): Promise<Outcome> {
  const serving = await askGrpcHealth(target, signal);
  const service = target.service === '' ? 'the server' : target.service;
  const message = `${nameOf(target)}: ${service} is ${serving}`;
  return { ok: serving === 'SERVING', message };
}

async function askDatabase(target: Target<'sql'>, signal: AbortSignal): Promise<Outcome> {
  const { login, secretName } = target;
  if (login === undefined) {
    const message = `${nameOf(target)}: Secret ${secretName} has no keys username and password`;
    return { ok: false, message };
  }
  await askSql({ ...target, ...login }, signal);
  return { ok: true, message: `${nameOf(target)}: answered` };
}

async function askDns(target: Target<'dns'>, signal: AbortSignal): Promise<Outcome> {
  const resolver = new Resolver({ tries: 1 });
  if (target.server !== undefined) {
    const address = target.server.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1');
    refuseAddress(isIP(address) === 0 ? address.replace(/:\d+$/, '') : address);
    resolver.setServers([target.server]);
  }
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const records = await resolver.resolve(target.name, target.type);
    const ok = Array.isArray(records) && records.length > 0;
    return { ok, message: `${nameOf(target)}: ${ok ? 'resolved' : 'has no record'}` };
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}
