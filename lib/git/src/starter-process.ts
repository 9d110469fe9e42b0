/** The program of the small process that starts git for a large one (see git-starter.ts). Ends with it, and git as well. */
import { type GitRequest, runGitProcess } from './git-process.ts';

export type ToStarter =
  | { readonly id: number; readonly request: GitRequest }
  | { readonly id: number; readonly abort: true };

const running = new Map<number, AbortController>();

process.on('message', (message: ToStarter) => {
  if ('abort' in message) running.get(message.id)?.abort();
  else void run(message.id, message.request);
});
process.on('disconnect', () => {
  for (const each of running.values()) each.abort();
});

async function run(id: number, request: GitRequest): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  const outcome = await runGitProcess(request, abort.signal);
  running.delete(id);
  if (process.connected) process.send?.({ id, outcome });
}
