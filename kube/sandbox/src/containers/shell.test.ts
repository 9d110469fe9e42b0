import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tarEnd, tarFile } from '@capstan/lib-files';
import type { Process } from './commands.ts';
import { ContainerFiles } from './container-files.ts';
import { runCommand } from './shell.ts';

const mounts = new Map([['/config/a', Buffer.from('from a ConfigMap\n')]]);

function container(files = new ContainerFiles(() => mounts)) {
  const folder = { path: '/' };
  return async (words: readonly string[], stdin: string | Uint8Array = '', tty = false) => {
    const output = { stdout: '', stderr: '', bytes: Buffer.alloc(0) };
    const process: Process = {
      files,
      folder,
      environment: new Map([['NAME', 'value']]),
      hostname: 'web-1',
      tty,
      stdin: (async function* () {
        yield Buffer.from(stdin as Uint8Array);
      })(),
      write(stream, chunk) {
        output[stream] += Buffer.from(chunk as Uint8Array).toString();
        if (stream === 'stdout')
          output.bytes = Buffer.concat([output.bytes, Buffer.from(chunk as Uint8Array)]);
      },
      resolve: (path) =>
        (path.startsWith('/') ? path : `${folder.path}/${path}`)
          .replace(/^\/+/, '/')
          .replace(/\/\.?$/, '') || '/',
      now: () => 0,
      pause: async () => undefined,
    };
    return { code: await runCommand(words, process), ...output };
  };
}

async function sh(script: string): Promise<string> {
  const { code, stdout, stderr } = await container()(['sh', '-c', script]);
  return `${code} ${stdout}${stderr}`;
}

test('a script has steps, conditions, pipes, redirections, quotes and variables', async () => {
  assert.equal(await sh('echo a; echo b && false || echo c'), '0 a\nb\nc\n');
  assert.equal(
    await sh(`echo "$NAME 'x'" '$NAME' \${NAME}s; exit 3; echo never`),
    "3 value 'x' $NAME values\n",
  );
  assert.equal(await sh('echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f | wc -l'), '0 2\n');
  assert.equal(
    await sh('cd /tmp && pwd; test -d /tmp && test ! -e /nope && echo "yes; yes"'),
    '0 /tmp\nyes; yes\n',
  );
  assert.equal(
    await sh('cat /config/a; nonsense; echo $?'),
    '0 from a ConfigMap\nnonsense: simulated container: not found\n'.replace(
      'nonsense:',
      '127\nnonsense:',
    ),
  );
  assert.match(await sh('echo x > /nope/x'), /^1 sh: can't create \/nope\/x: No such file/);
});

test('output and errors go where a redirection sends them', async () => {
  const run = container();
  const result = await run([
    'sh',
    '-c',
    'echo bad >&2; nonsense 2>&1; nonsense 2>/dev/null; echo good 1>&2',
  ]);
  assert.deepEqual(
    [result.stdout, result.stderr],
    ['nonsense: simulated container: not found\n', 'bad\ngood\n'],
  );
  const piped = await run(['sh', '-c', 'nonsense 2>&1 | cat > /tmp/all; cat /tmp/all']);
  assert.equal(piped.stdout, 'nonsense: simulated container: not found\n');
});

test('a shell without a script reads one, and a terminal shows what is typed', async () => {
  const run = container();
  assert.equal((await run(['sh'], 'echo 1\nexit 4\necho 2\n')).stdout, '1\n');
  const typed = await run(['bash'], 'echp\x7fo hi\rexit 5\r', true);
  assert.equal(typed.code, 5);
  assert.equal(typed.stdout, '/ # echp\b \bo hi\r\nhi\r\n/ # exit 5\r\n');
});

test('tar takes files in and gives them out again', async () => {
  const run = container();
  const archive = Buffer.concat([tarFile('d/a', Buffer.from([0, 255]), false), tarEnd()]);
  assert.equal((await run(['tar', '-xmf', '-', '-C', '/tmp'], archive)).code, 0);
  assert.equal((await run(['ls', '/tmp/d'])).stdout, 'a\n');
  const { bytes, stderr } = await run(['tar', 'cf', '-', '/tmp/d']);
  assert.equal(stderr, "tar: removing leading '/' from member names\n");
  assert.equal(bytes.includes('tmp/d/a'), true);
  assert.equal((await run(['tar', 'xf', '-', '-C', '/nope'], archive)).code, 1);
  assert.equal((await run(['tar', 'cf', '-', '/nope'])).code, 1);
  assert.equal((await run(['tar', 'xf', '-'], 'no archive')).code, 1);
});

test('what a container may keep has a bound', async () => {
  const files = new ContainerFiles(() => new Map());
  files.write('/tmp/a', new Uint8Array(60 * 1024 * 1024));
  assert.throws(() => files.write('/tmp/b', new Uint8Array(5 * 1024 * 1024)), /No space left/);
  files.remove('/tmp/a');
  files.write('/tmp/b', new Uint8Array(1));
});
