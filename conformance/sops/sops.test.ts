import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decryptSops, isSopsFile, type SopsFormat, type SopsKeys } from '@capstan/lib-sops';
import { CapstanError } from '@capstan/lib-std';
import { officialProgram, whyNotOfficial } from '../tools/official.ts';

const VERSION = '3.13.3';
const CANARY = 'canary-9f1c';

/** Plain files by format: every type, order that JSON.parse would lose, comments, several documents, odd texts. */
const FILES: Readonly<Record<string, { readonly format: SopsFormat; readonly text: string }>> = {
  'secret.yaml': {
    format: 'yaml',
    text: `# a comment
apiVersion: v1
kind: Secret
metadata:
    name: app # inline
    namespace: default
stringData:
    password: ${CANARY}
    "10": ten
    "2": two
    multi: |
        line one
        line two
    empty: ""
    quoted: "yes"
    unicode: "é \\u00e9 \\U0001F600"
numbers:
    int: 42
    big: 9007199254740993
    negative: -7
    float: 3.14
    small: 1.5e-9
    large: 1e21
    whole: 2.0
    octal: 0o17
flags: [true, false]
nothing: null
when: 2020-01-02T03:04:05Z
list:
    # in a list
    - one
    - two: 2
      # before three
      three: 3
    - [a, b]
tail: end
# last words
`,
  },
  'documents.yaml': {
    format: 'yaml',
    text: `a: ${CANARY}\n---\nb: two\n---\nc:\n    - 1\n    - 2.5\n`,
  },
  'data.json': {
    format: 'json',
    text: `{"z": "${CANARY}", "10": 1, "2": [1, 2.5, true, null, {"x": "<&>"}], "empty": {}, "none": [], "big": 9007199254740993, "tiny": 1e-9, "text": "a\\"b\\\\c\\u00e9\\n"}`,
  },
  'app.env': {
    format: 'dotenv',
    text: `# comment\nPASSWORD=${CANARY}\nEMPTY=\nURL=https://x/?a=b&c=d\nQUOTED="a b"\nLINES=one\\ntwo\n`,
  },
  'app.ini': {
    format: 'ini',
    text: `[database]\nuser = app\npassword = ${CANARY}\n\n[empty]\n\n[other]\na = 1\nlong_name = x y\n`,
  },
  'key.bin': { format: 'binary', text: `-----BEGIN KEY-----\n${CANARY}\n-----END KEY-----\n` },
};

describe('files of the real sops', { skip: whyNotOfficial('sops', VERSION) }, () => {
  let folder: string;
  let sops: string;
  const identities: string[] = [];
  const recipients: string[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sops-'));
    sops = officialProgram('sops', VERSION);
    const keygen = officialProgram('age-keygen', '1.3.2');
    for (let at = 0; at < 3; at++) {
      const text = execFileSync(keygen, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      identities.push(text);
      recipients.push(/public key: (\S+)/.exec(text)?.[1] ?? '');
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(args: readonly string[], env: Record<string, string> = {}): Buffer {
    return execFileSync(sops, [...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  function encrypt(name: string, options: readonly string[]): Buffer {
    writeFileSync(join(folder, name), FILES[name]?.text ?? '');
    return run(['encrypt', ...options, name]);
  }

  function official(name: string, encrypted: Buffer): string {
    writeFileSync(join(folder, name), encrypted);
    return run(['decrypt', name], { SOPS_AGE_KEY: identities.join('\n') }).toString();
  }

  const age = (...which: readonly number[]) => [
    '--age',
    which.map((at) => recipients[at]).join(','),
  ];

  const open = async (name: string, encrypted: Uint8Array, keys: SopsKeys = { age: identities }) =>
    Buffer.from(
      await decryptSops(encrypted, { format: FILES[name]?.format ?? 'yaml', keys }),
    ).toString();

  /** Which values are encrypted, as a rule of .sops.yaml says it. */
  const selections: readonly Readonly<Record<string, unknown>>[] = [
    {},
    { encrypted_regex: '^(data|stringData|list)$' },
    { unencrypted_regex: '^(metadata|kind|apiVersion)$' },
    { encrypted_suffix: 'word' },
    { unencrypted_suffix: 'name' },
    { encrypted_comment_regex: 'comment|in a list' },
    { unencrypted_comment_regex: 'inline|in a list' },
    { encrypted_regex: '^(stringData)$', mac_only_encrypted: true },
  ];

  function encryptBy(name: string, rule: object): Buffer {
    const creation = { age: [recipients[0], recipients[1]].join(','), ...rule };
    writeFileSync(join(folder, 'rules.yaml'), JSON.stringify({ creation_rules: [creation] }));
    writeFileSync(join(folder, name), FILES[name]?.text ?? '');
    return run(['--config', 'rules.yaml', 'encrypt', name]);
  }

  for (const name of Object.keys(FILES)) {
    test(`${name} is opened to the same bytes`, async () => {
      const isTree = name.endsWith('.yaml');
      for (const selection of isTree ? selections : [{}]) {
        const encrypted = encryptBy(name, selection);
        assert.ok(isSopsFile(encrypted, FILES[name]?.format ?? 'yaml'));
        for (const identity of [0, 1]) {
          const plain = await open(name, encrypted, { age: [identities[identity] ?? ''] });
          assert.equal(plain, official(name, encrypted), `${name} ${JSON.stringify(selection)}`);
        }
      }
    });
  }

  test('any key of each group opens it, when groups have to agree', async () => {
    const config = {
      creation_rules: [
        {
          shamir_threshold: 2,
          key_groups: [
            { age: [recipients[0]] },
            { age: [recipients[1]] },
            { age: [recipients[2]] },
          ],
        },
      ],
    };
    writeFileSync(join(folder, 'split.yaml'), FILES['documents.yaml']?.text ?? '');
    writeFileSync(join(folder, 'groups.yaml'), JSON.stringify(config));
    const encrypted = run(['--config', 'groups.yaml', 'encrypt', 'split.yaml']);
    writeFileSync(join(folder, 'split.yaml'), encrypted);
    const expected = run(['decrypt', 'split.yaml'], {
      SOPS_AGE_KEY: identities.join('\n'),
    }).toString();
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      assert.equal(
        await open('documents.yaml', encrypted, {
          age: [identities[a] ?? '', identities[b] ?? ''],
        }),
        expected,
      );
    }
    await assert.rejects(open('documents.yaml', encrypted, { age: [identities[0] ?? ''] }), {
      code: 'SOPS_NO_KEY',
    });
  });

  test('a PGP key opens it', {
    skip: spawnSync('gpg', ['--version']).error !== undefined,
  }, async () => {
    const home = join(folder, 'gnupg');
    const env = { PATH: process.env['PATH'] ?? '', GNUPGHOME: home, HOME: folder };
    execFileSync('mkdir', ['-m', '700', home]);
    const gpg = (...args: readonly string[]) =>
      execFileSync('gpg', [...args], {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    for (const [user, algorithm, usage] of [
      ['rsa@example.com', 'rsa2048', 'encrypt,sign,cert'],
      ['cv@example.com', 'future-default', 'default'],
    ] as const) {
      gpg('--batch', '--passphrase', '', '--quick-generate-key', user, algorithm, usage, 'never');
      const fingerprint =
        /^fpr:(?:[^:]*:){8}([0-9A-F]+)/m.exec(gpg('--list-keys', '--with-colons', user))?.[1] ?? '';
      writeFileSync(join(folder, 'secret.yaml'), FILES['secret.yaml']?.text ?? '');
      const encrypted = execFileSync(sops, ['encrypt', '--pgp', fingerprint, 'secret.yaml'], {
        cwd: folder,
        env,
      });
      const key = gpg('--armor', '--export-secret-keys', user);
      writeFileSync(join(folder, 'secret.yaml'), encrypted);
      const expected = execFileSync(sops, ['decrypt', 'secret.yaml'], {
        cwd: folder,
        env,
      }).toString();
      assert.equal(await open('secret.yaml', encrypted, { pgp: [key] }), expected);
    }
    spawnSync('gpgconf', ['--kill', 'all'], { env });
  });

  test('a file that was changed anywhere gives nothing, and its error tells nothing', async () => {
    const encrypted = encrypt('secret.yaml', [
      ...age(0),
      '--encrypted-regex',
      '^(stringData|list)$',
    ]).toString();
    const values = [...encrypted.matchAll(/ENC\[AES256_GCM,data:([^,]+),iv/g)].map(
      ([, data = '']) => data,
    );
    const [first = '', second = ''] = values;
    const changes: readonly (readonly [string, string])[] = [
      ['an unencrypted value', encrypted.replace('namespace: default', 'namespace: kube-system')],
      ['an unencrypted number', encrypted.replace('int: 42', 'int: 43')],
      [
        'two values exchanged',
        encrypted.replace(first, '@').replace(second, first).replace('@', second),
      ],
      ['a value taken away', encrypted.replace(/^ +multi: .*\n/m, '')],
      ['a value added', encrypted.replace('kind: Secret', 'kind: Secret\nmore: x')],
      ['plain text in place of a value', encrypted.replace(/password: ENC.*/, 'password: plain')],
      ['no mac', encrypted.replace(/^ +mac: .*\n/m, '')],
      ['another time', encrypted.replace(/lastmodified: "(\d{4})/, 'lastmodified: "1999')],
    ];
    for (const [title, text] of changes) {
      assert.notEqual(text, encrypted, title);
      await assert.rejects(open('secret.yaml', Buffer.from(text)), (error: unknown) => {
        assert.ok(error instanceof CapstanError, title);
        assert.match(error.code, /^SOPS_(?:DAMAGED|METADATA)$/, title);
        assert.doesNotMatch(
          `${error.message} ${error.stack} ${JSON.stringify(error)}`,
          new RegExp(CANARY),
          title,
        );
        return true;
      });
    }
  });

  test('the keys of somebody else open nothing; too large a file is not looked at', async () => {
    const encrypted = encrypt('secret.yaml', age(0));
    await assert.rejects(
      open('secret.yaml', encrypted, { age: [identities[1] ?? ''] }),
      (error: CapstanError) => {
        assert.equal(error.code, 'SOPS_NO_KEY');
        assert.doesNotMatch(error.message, /AGE-SECRET-KEY/);
        return true;
      },
    );
    await assert.rejects(open('secret.yaml', encrypted, {}), { code: 'SOPS_NO_KEY' });
    const large = Buffer.concat([encrypted, Buffer.alloc(6 * 1024 * 1024, '\n')]);
    await assert.rejects(open('secret.yaml', large), { code: 'SOPS_LIMIT' });
    assert.equal(isSopsFile(Buffer.from('a: b\nsops: no\n'), 'json'), false);
  });
});
