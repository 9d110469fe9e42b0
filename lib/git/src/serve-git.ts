import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { killGroup } from './git-process.ts';
import { gitEnvironment } from './run-git.ts';

export interface HostedRepository {
  /** The bare repository on disk. */
  readonly folder: string;
  readonly readOnly?: boolean;
}

export interface RefUpdate {
  readonly ref: string;
  readonly before: string;
  /** All zeros: deleted. */
  readonly after: string;
}

export interface GitHostOptions {
  /** The repository at a path such as `team/app.git`; undefined gives 404. The path holds no empty, `.` or `..` part. */
  readonly find: (path: string) => HostedRepository | undefined;
  /** With it, every request needs this user and password. */
  readonly basicAuth?: { readonly username: string; readonly password: string };
  /** Called after a push was stored, with the refs it named. A failure of the callback never fails the push. */
  readonly onPush?: (path: string, updates: readonly RefUpdate[]) => void;
  /** Bound of one request body, inflated; 512 MB when absent. */
  readonly bodyBytesMax?: number;
}

type Service = 'git-upload-pack' | 'git-receive-pack';

const BODY_BYTES_MAX = 512 * 1024 * 1024;
const COMMANDS_BYTES_MAX = 64 * 1024;

/**
 * Git's smart HTTP protocol (gitprotocol-http, versions 0 to 2) over the system's git: clone, fetch and push with stock
 * git. The returned handler answers every request given to it.
 */
export function createGitHost(
  options: GitHostOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!isAuthorized(request, options)) {
      response.setHeader('WWW-Authenticate', 'Basic realm="git", charset="UTF-8"');
      answer(response, 401, 'authentication is needed\n');
      return;
    }
    const found = /^\/(.+?)\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(url.pathname);
    const path = found === null ? undefined : repositoryPath(found[1]!);
    const repository = path === undefined ? undefined : options.find(path);
    const isThere = repository !== undefined && existsSync(join(repository.folder, 'HEAD'));
    if (found === null || path === undefined || repository === undefined || !isThere) {
      answer(response, 404, 'there is no repository here\n');
      return;
    }
    const service = found[2] === 'info/refs' ? url.searchParams.get('service') : found[2];
    if (!isService(service)) {
      answer(response, 403, 'only the smart protocol is served; use a current git\n');
    } else if (service === 'git-receive-pack' && repository.readOnly === true) {
      answer(response, 403, 'this repository is read-only\n');
    } else if (found[2] === 'info/refs') {
      advertise(service, repository, { request, response });
    } else {
      exchange(service, { repository, path, options }, { request, response });
    }
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function repositoryPath(encoded: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
  const parts = path.split('/');
  const bad = parts.some((part) => part === '' || part.startsWith('.') || part.startsWith('-'));
  return bad || /[\u0000-\u001f\\]/.test(path) ? undefined : path;
}

function isService(text: string | null | undefined): text is Service {
  return text === 'git-upload-pack' || text === 'git-receive-pack';
}

function isAuthorized(request: IncomingMessage, { basicAuth }: GitHostOptions): boolean {
  if (basicAuth === undefined) return true;
  const { username, password } = basicAuth;
  const wanted = Buffer.from(
    `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`,
  );
  const given = Buffer.from(request.headers.authorization ?? '');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}

function start(service: Service, repository: HostedRepository, request: IncomingMessage) {
  const version = request.headers['git-protocol'];
  const args = [service.slice('git-'.length), '--stateless-rpc', repository.folder];
  if (request.method === 'GET') args.splice(2, 0, '--http-backend-info-refs');
  return spawn('git', args, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: gitEnvironment({
      environment:
        typeof version === 'string' && /^[a-z0-9=:]{1,64}$/.test(version)
          ? { GIT_PROTOCOL: version }
          : {},
      settings: [
        ['safe.directory', repository.folder],
        ['uploadpack.allowAnySHA1InWant', 'true'],
        ['uploadpack.allowFilter', 'true'],
        ['receive.autogc', 'false'],
        ['receive.fsckObjects', 'true'],
        ['http.receivepack', 'true'],
      ],
    }),
  });
}

function advertise(service: Service, repository: HostedRepository, exchange: Exchange): void {
  const { request, response } = exchange;
  if (request.method !== 'GET') {
    answer(response, 405, 'GET only\n');
    return;
  }
  const child = start(service, repository, request);
  response.writeHead(200, headers(`application/x-${service}-advertisement`));
  // Version 2 answers carry no service line for upload-pack; receive-pack has no version 2.
  const isVersion2 = /version=2/.test(String(request.headers['git-protocol'] ?? ''));
  if (service === 'git-receive-pack' || !isVersion2) {
    response.write(`${packetLine(`# service=${service}\n`)}0000`);
  }
  child.stdin.end();
  finish(child, exchange);
}

function exchange(
  service: Service,
  at: { repository: HostedRepository; path: string; options: GitHostOptions },
  exchange: Exchange,
): void {
  const { request, response } = exchange;
  if (
    request.method !== 'POST' ||
    request.headers['content-type'] !== `application/x-${service}-request`
  ) {
    answer(response, 415, `POST of application/x-${service}-request only\n`);
    return;
  }
  const child = start(service, at.repository, request);
  const limit = at.options.bodyBytesMax ?? BODY_BYTES_MAX;
  let bytes = 0;
  let head = Buffer.alloc(0);
  const observe = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) killGroup(child);
    if (head.length < COMMANDS_BYTES_MAX) head = Buffer.concat([head, chunk]);
  };
  const body =
    request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
  body.on('data', observe);
  pipeline(body, child.stdin, () => undefined);
  response.writeHead(200, headers(`application/x-${service}-result`));
  finish(child, exchange, () => {
    if (service === 'git-receive-pack') report(at, head);
  });
}

/** Sends what the child says, and ends it when the client goes away. */
function finish(child: ChildProcess, { response }: Exchange, done?: () => void): void {
  child.stderr!.resume();
  child.on('error', () => response.destroy());
  response.on('close', () => {
    if (child.exitCode === null && !response.writableFinished) killGroup(child);
  });
  child.stdout!.pipe(response, { end: false });
  child.on('close', (code) => {
    response.end();
    if (code === 0) done?.();
  });
}

function report(
  at: { readonly path: string; readonly options: GitHostOptions },
  body: Buffer,
): void {
  const updates = parseCommands(body);
  if (updates.length === 0) return;
  try {
    at.options.onPush?.(at.path, updates);
  } catch {
    // The push is stored; whoever listens is on his own.
  }
}

/** The ref commands at the head of a receive-pack request: `old new name`, up to the flush packet. */
export function parseCommands(body: Buffer): readonly RefUpdate[] {
  const updates: RefUpdate[] = [];
  let at = 0;
  while (at + 4 <= body.length) {
    const length = Number.parseInt(body.toString('latin1', at, at + 4), 16);
    if (!(length > 4) || at + length > body.length) break;
    const line = body.toString('utf8', at + 4, at + length).split('\0')[0]!;
    const found = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs\/\S+)/.exec(line);
    if (found !== null) updates.push({ before: found[1]!, after: found[2]!, ref: found[3]! });
    at += length;
  }
  return updates;
}

function packetLine(text: string): string {
  return (text.length + 4).toString(16).padStart(4, '0') + text;
}

function headers(type: string): Record<string, string> {
  return {
    'Content-Type': type,
    'Cache-Control': 'no-cache, max-age=0, must-revalidate',
    Pragma: 'no-cache',
    Expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  };
}
