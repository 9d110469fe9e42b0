import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, loadKubeconfig } from '@capstan/kube-client';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, whyNoBrowser } from './browser.ts';
import { type Running, startQuickStart } from './quick-start.ts';

const skip = whyNoBrowser();
const WEBAPP = 'applications/webapp/overlays/production/kustomization.yaml';

let running: Running;
let browser: Browser;

before(async () => {
  if (skip !== false) return;
  running = await startQuickStart();
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  await running?.stop();
});

/** A page that fails the test on any error in its console. */
async function openPage(path = '/'): Promise<{ readonly page: Page; readonly errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(running.page + path);
  return { page, errors };
}

const production = '/apps/Application/argocd/webapp-production';

test('the list shows the apps of both families, synced and healthy', { skip }, async () => {
  const { page, errors } = await openPage();
  const row = (name: string) => page.locator('.app-row', { hasText: name });
  for (const name of ['root-app', 'webapp-production', 'webapp-staging', 'my-app']) {
    await row(name).getByText('Synced').waitFor({ timeout: 20_000 });
    await row(name).getByText('Healthy').waitFor({ timeout: 20_000 });
  }
  await row('my-app').getByText('Flux').waitFor();
  await row('root-app').getByText('Argo CD').waitFor();
  assert.deepEqual(errors, []);
  await page.close();
});

test('the keyboard searches, moves and opens; Escape goes back', { skip }, async () => {
  const { page } = await openPage();
  await page.locator('.app-row').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('webapp');
  await page.getByText(/^2 of \d+$/).waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(/webapp-staging/);
  await page.locator('.app-title').waitFor();
  await page.keyboard.press('Escape');
  await page.waitForURL(/\/$/);
  await page.close();
});

test('filters narrow the list, and an empty result says how to leave it', { skip }, async () => {
  const { page } = await openPage();
  await page.getByRole('button', { name: /^Flux/ }).click();
  await page.locator('.app-row', { hasText: 'my-app' }).waitFor();
  assert.equal(await page.locator('.app-row', { hasText: 'root-app' }).count(), 0);
  await page.getByLabel('Search apps').fill('there is no such app');
  await page.getByText('No app matches').waitFor();
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.locator('.app-row', { hasText: 'root-app' }).waitFor();
  await page.close();
});

test('one app shows its tree down to Pods, manifests, the diff and the history', {
  skip,
}, async () => {
  const { page, errors } = await openPage(production);
  await page.locator('.node', { hasText: 'Pod' }).first().waitFor();
  assert.ok((await page.locator('.node', { hasText: 'ReplicaSet' }).count()) >= 1);
  await page.locator('.node', { hasText: 'Deployment' }).first().click();
  const panel = page.getByRole('complementary');
  await panel.getByRole('tab', { name: 'Live' }).click();
  await panel.getByText('kind: Deployment').waitFor();
  await panel.getByRole('tab', { name: 'Diff' }).click();
  await panel.getByText('Git and the cluster agree').waitFor();
  await panel.getByRole('tab', { name: 'Events' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.locator('.history').getByText('current').waitFor();
  assert.deepEqual(errors, []);
  await page.close();
});

test('a push is seen without a reload: commit, author and new Pods', { skip }, async () => {
  const { page } = await openPage(production);
  await page.locator('.node', { hasText: 'Pod' }).nth(2).waitFor();
  const sha = running.push(
    WEBAPP,
    (text) => text.replace(/count: \d+/, 'count: 5'),
    'Scale the web app to five',
  );
  await page
    .locator('.commit', { hasText: 'Scale the web app to five' })
    .waitFor({ timeout: 5000 });
  await page.locator('.commit', { hasText: sha.slice(0, 7) }).waitFor();
  await page.locator('.commit', { hasText: 'Ada Lovelace' }).waitFor();
  await page.locator('.node', { hasText: 'Pod' }).nth(4).waitFor({ timeout: 5000 });
  await page.close();
});

test('a deleted Deployment comes back while one watches', { skip }, async () => {
  const client = connect(await loadKubeconfig({ file: running.kubeconfig }));
  const ref = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    namespace: 'production',
    name: 'webapp',
  };
  const first = await client.get(ref);
  await client.delete(ref);
  let healed = first;
  for (let i = 0; i < 100 && healed?.metadata.uid === first?.metadata.uid; i++) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    healed = await client.get(ref).catch(() => first);
  }
  assert.notEqual(healed?.metadata.uid, first?.metadata.uid);
  await client.close?.();
});

test('a broken commit changes nothing and says file and line; a fixed one recovers', {
  skip,
}, async () => {
  const { page } = await openPage(production);
  await page.locator('.node', { hasText: 'Deployment' }).first().waitFor();
  let before = '';
  running.push(
    WEBAPP,
    (text) => {
      before = text;
      return `${text}\n  broken: [\n`;
    },
    'Break it',
  );
  const condition = page.locator('.condition.error');
  await condition.waitFor({ timeout: 10_000 });
  assert.match((await condition.textContent()) ?? '', /kustomization\.yaml/);
  assert.match((await condition.textContent()) ?? '', /line \d+|:\d+/);
  assert.ok((await page.locator('.node', { hasText: 'Pod' }).count()) >= 5);
  running.push(WEBAPP, () => before, 'Mend it');
  await condition.waitFor({ state: 'detached', timeout: 10_000 });
  await page.locator('.commit', { hasText: 'Mend it' }).waitFor();
  await page.close();
});

test('roll back goes to the earlier commit and turns automated sync off', { skip }, async () => {
  const { page } = await openPage(production);
  await page.getByRole('tab', { name: 'History' }).click();
  page.on('dialog', (dialog) => dialog.accept());
  const last = page.locator('.history li').last();
  const sha = await last.locator('code').getAttribute('title');
  await last.getByRole('button', { name: 'Roll back to this' }).click();
  await page.locator('.facts', { hasText: 'off' }).waitFor({ timeout: 10_000 });
  await page
    .locator('.history li')
    .first()
    .locator(`code[title="${sha}"]`)
    .waitFor({ timeout: 10_000 });
  await page.close();
});

test('refresh and sync answer, and show no error', { skip }, async () => {
  const { page } = await openPage('/apps/Application/argocd/webapp-staging');
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByRole('button', { name: 'Sync', exact: true }).click();
  await page.locator('.app-title').getByText('Synced').waitFor({ timeout: 10_000 });
  assert.equal(await page.locator('.action-error').count(), 0);
  await page.close();
});

test('the theme turns and stays; an unknown page and app say so', { skip }, async () => {
  const { page } = await openPage('/no/such/page');
  await page.getByText('There is no such page').waitFor();
  await page.getByRole('button', { name: /Theme/ }).click();
  await page.getByRole('button', { name: /Theme/ }).click();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.goto(`${running.page}/apps/Application/argocd/nothing-here`);
  await page.getByText(/cannot be shown|was deleted/).waitFor();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.close();
});

test('a lost server is said, not hidden', { skip }, async () => {
  const { page } = await openPage();
  await page.locator('.app-row').first().waitFor();
  await running.stop();
  await page.getByText('The connection to Capstan is lost').waitFor({ timeout: 10_000 });
  await page.close();
});
