/** The SDKs of clouds are loaded by those who use a cloud, not by all who start. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const HOOK = `
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    if (/node_modules\\/(@aws-sdk|@smithy|@azure|@google-cloud|google-auth-library|gcp-metadata)\\//.test(url)) console.log(url);
    return next(url, context);
  },
});
`;

test('no SDK is loaded by what imports this package', async () => {
  const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
  const load = async (code: string) => {
    const args = ['--import', hook, '--input-type=module', '--eval', code];
    return await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname });
  };
  const clouds = JSON.stringify(import.meta.resolve('./index.ts'));
  assert.equal((await load(`await import(${clouds})`)).stdout, '');
  const used = await load(`await import(${clouds}); await import('@aws-sdk/client-kms')`);
  assert.match(used.stdout, /client-kms/);
});
