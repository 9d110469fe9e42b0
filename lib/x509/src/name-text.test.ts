import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distinguishedName } from './certificate.ts';
import { nameText } from './name-text.ts';

test('names are printed as Go prints them', () => {
  const table: readonly (readonly [Parameters<typeof distinguishedName>[0], string])[] = [
    [[], ''],
    [
      [
        ['2.5.4.6', 'US'],
        ['2.5.4.10', 'Example'],
        ['2.5.4.8', 'WA'],
        ['2.5.4.3', 'signer'],
      ],
      'CN=signer,O=Example,ST=WA,C=US',
    ],
    [
      [
        ['2.5.4.11', 'One'],
        ['2.5.4.11', 'Two, three'],
        ['2.5.4.7', '#Here'],
        ['2.5.4.10', ' a "b" '],
      ],
      'OU=One+OU=Two\\, three,O=\\ a \\"b\\"\\ ,L=\\#Here',
    ],
    [[['0.9.2342.19200300.100.1.25', 'example']], '0.9.2342.19200300.100.1.25=#13076578616d706c65'],
  ];
  for (const [attributes, text] of table)
    assert.equal(nameText(distinguishedName(attributes)), text);
});
