import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { type GoValue, int64, renderText, sprigFunctions, TemplateLanguage } from '../index.ts';

const language = new TemplateLanguage(sprigFunctions());
const NOW = Date.UTC(2024, 1, 29, 12, 30, 45);

function render(template: string, data: GoValue = null): string {
  return renderText(language, 't', template, data, { now: () => NOW });
}

/** Expected output, or the error after `!`, without its place. */
function check(cases: readonly (readonly [string, string])[], data: GoValue = null): void {
  for (const [template, expected] of cases) {
    let actual: string;
    try {
      actual = render(template, data);
    } catch (error) {
      const message = error instanceof Error ? error.message : '';
      actual = `!${message.replace(/^.*?error calling /, '').replace(/^template: t:\d+:\d+: executing "t" at /, '')}`;
    }
    assert.equal(actual, expected, template);
  }
}

test('strings', () => {
  check([
    ['{{abbrev 5 "hello world"}} {{trunc -5 "hello world"}} {{trunc 2 "é"}}', 'he... world é'],
    ['{{substr 0 5 "hello world"}} {{nospace "a b"}} {{initials "First Try"}}', 'hello ab FT'],
    [
      '{{snakecase "HTTP20xOK"}} {{kebabcase "FirstName"}} {{camelcase "http_server"}}',
      'http_20x_ok first-name HttpServer',
    ],
    [
      '{{wrap 5 "hello big world"}}|{{indent 2 "a\\nb"}}|{{nindent 1 "a"}}',
      'hello\nbig\nworld|  a\n  b|\n a',
    ],
    ['{{quote 1 nil "a\\"b"}} {{squote "x"}} {{cat 1 nil "b"}}', '"1" "a\\"b" \'x\' 1 b'],
    [
      '{{(split "$" "a$b")._1}} {{splitList "," "a,b"}} {{join "-" (list 1 nil "x")}}',
      'b [a b] 1-x',
    ],
    ['{{substr 5 2 "hello world"}}', '!substr: runtime error: slice bounds out of range [5:2]'],
    ['{{fail "no"}}', '!fail: no'],
  ]);
});

test('numbers', () => {
  check([
    [
      '{{add "1" 2.9 true nil}} {{div 7 2}} {{mod -7 3}} {{max 1 "5"}} {{int "0x1F"}}',
      '4 3 -1 5 31',
    ],
    [
      '{{add 9223372036854775807 1}} {{addf 0.1 0.2}} {{divf 1 3}} {{round 2.345 2}}',
      '-9223372036854775808 0.3 0.3333333333333333 2.35',
    ],
    [
      '{{seq 0 2 10}} {{until 3}} {{untilStep 10 0 -3}} {{toDecimal "777"}}',
      '0 2 4 6 8 10 [0 1 2] [10 7 4 1] 511',
    ],
    ['{{div 1 0}}', '!div: runtime error: integer divide by zero'],
    ['{{until (add 1 1)}}', '!<1>: wrong type for value; expected int; got int64'],
  ]);
  check([['{{add .n 1}}', '9007199254740994']], { n: int64(9007199254740993n) });
});

test('lists and dicts', () => {
  check([
    [
      '{{first (list 1 2)}} {{rest (list 1 2)}} {{rest (list) | toJson}} {{chunk 2 (list 1 2 3)}}',
      '1 [2] null [[1 2] [3]]',
    ],
    [
      '{{uniq (list 1 1 1.0 "1")}} {{without (list 1 2) 1}} {{has 2 (list 1 2)}} {{concat (list 1) (list 2)}}',
      '[1 1 1] [2] true [1 2]',
    ],
    [
      '{{merge (dict "a" "" "m" (dict "x" 1)) (dict "a" 2 "m" (dict "y" 2))}}',
      'map[a:2 m:map[x:1 y:2]]',
    ],
    ['{{mergeOverwrite (dict "a" 1 "l" (list 1)) (dict "a" "" "l" (list 2))}}', 'map[a: l:[2]]'],
    ['{{dig "a" "b" "d" (dict "a" (dict "b" 1))}} {{dig "a" "c" "d" (dict "a" (dict))}}', '1 d'],
    [
      '{{$d := dict "a" 1}}{{$_ := set $d "b" 2}}{{$_ := unset $d "a"}}{{$d}} {{hasKey $d "b"}}',
      'map[b:2] true',
    ],
    ['{{first nil}}', '!first: runtime error: invalid memory address or nil pointer dereference'],
    ['{{append "x" 1}}', '!append: Cannot push on type string'],
  ]);
});

test('a deep copy shares nothing, a merge shares with its source', () => {
  check([
    [
      '{{$a := dict "x" (dict "y" 1)}}{{$b := deepCopy $a}}{{$_ := set $b.x "y" 2}}{{$a}}',
      'map[x:map[y:1]]',
    ],
    [
      '{{$a := dict "x" (dict "y" 1)}}{{$b := merge (dict) $a}}{{$_ := set $b.x "y" 2}}{{$a}}',
      'map[x:map[y:2]]',
    ],
  ]);
});

test('JSON as encoding/json writes and reads it', () => {
  check(
    [
      [
        '{{toJson .}} {{toRawJson "<"}} {{toJson "<"}}',
        '{"a":[1,null,"x"],"b":1000000} "<" "\\u003c"',
      ],
      ['{{toPrettyJson .}}', '{\n  "a": [\n    1,\n    null,\n    "x"\n  ],\n  "b": 1000000\n}'],
      ['{{(fromJson "{\\"a\\":{\\"b\\":1}}").a.b}} {{fromJson "x"}}', '1 <no value>'],
      [
        '{{mustFromJson "[1,]"}}',
        "!mustFromJson: invalid character ']' looking for beginning of value",
      ],
    ],
    { b: 1e6, a: [1, null, 'x'] },
  );
});

test('dates by Go layouts', () => {
  check([
    [
      '{{now | date "2006-01-02T15:04:05Z07:00"}} {{htmlDate 0}}',
      '2024-02-29T12:30:45Z 1970-01-01',
    ],
    [
      '{{dateInZone "Mon Jan _2 3:04PM MST -0700" now "America/New_York"}}',
      'Thu Feb 29 7:30AM EST -0500',
    ],
    [
      '{{now | dateModify "-1.5h" | date "15:04"}} {{duration "95"}} {{durationRound "2400h10m"}}',
      '11:00 1m35s 3mo',
    ],
    [
      '{{toDate "2006-01-02" "2020-02-29" | unixEpoch}} {{ago (toDate "2006-01-02" "2024-02-29")}}',
      '1582934400 12h30m45s',
    ],
    [
      '{{mustToDate "2006-01-02" "2021-02-29"}}',
      '!mustToDate: parsing time "2021-02-29": day out of range',
    ],
  ]);
});

test('regular expressions with the syntax and replacements of Go', () => {
  check([
    [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's syntax, not JavaScript's
      '{{regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"}} {{regexReplaceAll "a(x*)b" "-ab-axxb-" "$1W"}}',
      '-W-xxW- ---',
    ],
    [
      '{{regexFindAll "o*" "foo" -1}} {{regexSplit "a" "banana" -1}} {{regexQuoteMeta "1.2+"}}',
      '[ oo] [b n n ] 1\\.2\\+',
    ],
    [
      '{{regexFind "a(?=b)" "ab"}}',
      '!regexFind: regexp: Compile(`a(?=b)`): error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
    ['{{regexMatch "(" "a"}}', 'false'],
  ]);
});

test('encodings, hashes, paths, URLs and versions', () => {
  check([
    [
      '{{b64enc "é"}} {{b64dec "aGVsbG8="}} {{b64dec "!"}} {{b32enc "a"}}',
      'w6k= hello illegal base64 data at input byte 0 ME======',
    ],
    ['{{sha256sum "abc" | trunc 8}} {{adler32sum "abc"}}', 'ba7816bf 38600999'],
    [
      '{{base "/a/b.c"}} {{dir "/a/b"}} {{clean "a/../../b"}} {{ext "x.tar.gz"}}',
      'b.c /a ../b .gz',
    ],
    [
      '{{(urlParse "https://u:p@h:1/a%20b?q#f").path}} {{urlJoin (dict "host" "h" "path" "a b")}}',
      '/a b //h/a%20b',
    ],
    ['{{semverCompare ">=1.27-0" "1.27.3-gke.1"}} {{(semver "v1.2").Minor}}', 'true 2'],
    ['{{derivePassword 1 "long" "password" "user" "example.com"}}', 'ZedaFaxcZaso9*'],
    ['{{encryptAES "k" "plain" | decryptAES "k"}}', 'plain'],
  ]);
});

test('a certificate is signed by its authority, for the names asked', () => {
  const [ca = '', cert = '', key = ''] = render(
    '{{$ca := genCA "root" 10}}{{$c := genSignedCert "leaf" (list "10.0.0.1") (list "a.example.com") 5 $ca}}{{$ca.Cert}}|{{$c.Cert}}|{{$c.Key}}',
  ).split('|');
  const authority = new X509Certificate(ca);
  const leaf = new X509Certificate(cert);
  assert.equal(authority.ca, true);
  assert.ok(leaf.verify(authority.publicKey));
  assert.ok(leaf.checkIssued(authority));
  assert.equal(leaf.subject, 'CN=leaf');
  assert.equal(leaf.subjectAltName, 'DNS:a.example.com, IP Address:10.0.0.1');
  assert.equal(leaf.validToDate.getTime() - leaf.validFromDate.getTime(), 5 * 86_400_000);
  assert.match(key, /^-----BEGIN RSA PRIVATE KEY-----\n/);
});

test('keys come in the formats of OpenSSL', () => {
  for (const [type, header] of [
    ['ecdsa', 'EC PRIVATE KEY'],
    ['ed25519', 'PRIVATE KEY'],
  ]) {
    const pem = render(`{{genPrivateKey "${type}"}}`);
    assert.ok(pem.startsWith(`-----BEGIN ${header}-----\n`), type);
    const self = render('{{(genSelfSignedCertWithKey "x" nil nil 1 .).Cert}}', pem);
    const certificate = new X509Certificate(self);
    assert.ok(certificate.verify(certificate.publicKey), type);
  }
  assert.equal(render('{{genPrivateKey "x"}}'), 'Unknown type x');
  assert.match(render('{{htpasswd "u" "p"}}'), /^u:\$2a\$10\$.{53}$/);
});

test('randomness can be fixed', () => {
  const fixedBytes = new TemplateLanguage(
    sprigFunctions({ randomBytes: (count) => new Uint8Array(count).fill(7) }),
  );
  const template = '{{randAlphaNum 3}} {{randNumeric 2}} {{uuidv4}} {{randInt 5 6}}';
  const out = renderText(fixedBytes, 't', template, null);
  assert.equal(out, '777 77 07070707-0707-4707-8707-070707070707 5');
});
