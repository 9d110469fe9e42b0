import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesFormat } from './formats.ts';

/** What each format takes and what it refuses, where that is not what one would guess. */
const cases: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  uri: [
    [
      '/shop?q=%zz',
      'http:',
      'urn:a b',
      'https://me:pw@shop.example:8443/%C3%A4',
      'http://[::1]:80',
      '*',
    ],
    [
      'shop',
      '',
      ':x',
      '/%4',
      'http://shop:web/',
      'http://[::1',
      'http://[10.0.0.1]/',
      'http://a:b:80/',
      'http://a#b',
      'http://a b/',
      '/a\nb',
    ],
  ],
  email: [
    [
      'a.b@shop.example',
      '"a b"@shop',
      'Ann (ops) <ann@shop>',
      'ann@[10.0.0.1]',
      'ann@shop (ops (all)) (day)',
    ],
    [
      'a..b@shop',
      '.a@shop',
      'ann@shop.',
      'Lee, Ann <ann@shop>',
      'ann@[shop]',
      '<ann@shop> x',
      '@shop',
    ],
  ],
  ipv4: [
    ['10.0.0.1', '::ffff:10.0.0.1', '::10.0.0.1'],
    ['10.0.0', '::ffff:a00:1', '::ffff:10.0.0.256'],
  ],
  mac: [
    ['00:1b:44:11:3a:b7', '001b44113ab7'],
    ['00:1b:44:11:3a', '001b44113ab', '00:1b-44:11-3a:b7'],
  ],
  ssn: [
    ['078-05-1120', '078 05 1120'],
    ['078051120', '078-051120'],
  ],
  rgbcolor: [['rgb( 0, 10 ,255)'], ['rgb(10%,0,0)', 'rgb(256,0,0)', 'rgb(01,0,0)']],
  'date-time': [
    ['2024-02-29t10:20:30z', '2024-02-29T10:20:30,5+01:00'],
    ['2023-02-29T10:20:30Z', '2024-02-29T24:00:00Z', '2024-02-29 10:20:30Z', '2024-02-29T10:20:30'],
  ],
  duration: [
    ['1h30m', '-1.5h', '3 days', 'about 2 weeks or so', '1 HR', '9999999999999h'],
    ['', '5', '5 moons', 'days', '99999999999999999999 days', '1 day 99999999999999999999 x'],
  ],
};

for (const [format, [taken, refused]] of Object.entries(cases))
  test(`the format ${format} takes what the API server takes`, () => {
    assert.deepEqual(
      taken.filter((text) => matchesFormat(format, text) !== true),
      [],
    );
    assert.deepEqual(
      refused.filter((text) => matchesFormat(format, text) !== false),
      [],
    );
  });
