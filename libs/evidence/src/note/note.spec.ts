import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../crypto/node-crypto.js';
import { webCrypto } from '../crypto/web-crypto.js';
import { createEd25519Signer } from '../jose/sign-jws.js';
import { naiveLeaf } from '../testing/naive-tree.js';
import { parseCheckpoint, signCheckpoint, verifyCheckpoint } from './checkpoint.js';
import { parseNote, signNote, verifyNote } from './note.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.js';
import { formatVkey, parseVkey, vkeyOf } from './vkey.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const signer = createEd25519Signer(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));

// The published example of golang.org/x/mod/sumdb/note.
const NEUMANN = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const ADAGE = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const ADAGE_SIGNED = `${ADAGE}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

describe.each([
  ['node:crypto', nodeCrypto],
  ['WebCrypto', webCrypto],
])('signed notes on %s', (_name, crypto) => {
  it('the example of Go’s note package verifies', async () => {
    const vkey = await parseVkey(crypto, NEUMANN);
    expect(formatVkey(vkey)).toBe(NEUMANN);
    await expect(verifyNote(crypto, parseNote(bytes(ADAGE_SIGNED)), [vkey])).resolves.toEqual([vkey]);
    const changed = parseNote(bytes(ADAGE_SIGNED.replace('answer', 'Answer')));
    await expect(verifyNote(crypto, changed, [vkey])).rejects.toMatchObject({ code: 'note.signature_invalid' });
  });

  it('unknown signatures are ignored; none known is refused', async () => {
    const note = parseNote(bytes(await signNote(crypto, 'x\n', 'somebody.example', signer)));
    await expect(verifyNote(crypto, note, [await parseVkey(crypto, NEUMANN)])).rejects.toMatchObject({ code: 'note.unsigned' });
  });

  it('a witness’s timestamped cosignature verifies (c2sp.org/tlog-cosignature)', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
    const digest = await crypto.sha256(Buffer.concat([Buffer.from('witness.example/w1\n'), Buffer.of(4), raw]));
    const id = Buffer.from(digest.subarray(0, 4));
    const vkey = await parseVkey(
      crypto,
      `witness.example/w1+${id.toString('hex')}+${Buffer.concat([Buffer.of(4), raw]).toString('base64')}`,
    );
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(1679315147n);
    const signature = sign(null, Buffer.from(`cosignature/v1\ntime 1679315147\n${text}`), privateKey);
    const line = `— witness.example/w1 ${Buffer.concat([id, time, signature]).toString('base64')}\n`;
    await expect(verifyNote(crypto, parseNote(bytes(`${text}\n${line}`)), [vkey])).resolves.toEqual([vkey]);
  });
});

describe('one change, one refusal', () => {
  const cases: [what: string, note: string][] = [
    ['no empty line', ADAGE_SIGNED.replace('\n\n', '\n')],
    ['no final newline', ADAGE_SIGNED.slice(0, -1)],
    ['a hyphen for the dash', ADAGE_SIGNED.replace('—', '-')],
    ['two spaces', ADAGE_SIGNED.replace('— ', '—  ')],
    ['a control character', ADAGE_SIGNED.replace('If', 'I\u0000')],
    ['no padding', ADAGE_SIGNED.replace('=\n', '\n')],
    ['stray trailing bits', ADAGE_SIGNED.replace('wJnAM=', 'wJnAN=')],
    ['a plus in the name', ADAGE_SIGNED.replace('PeterNeumann', 'Peter+Neumann')],
    ['no signature', `${ADAGE}\n`],
  ];
  it.each(cases)('%s', (_what, note) => expect(() => parseNote(bytes(note))).toThrow(/note\.malformed/));

  it('bytes that are not UTF-8', () => expect(() => parseNote(Uint8Array.of(0xff, 10, 10, 65, 10))).toThrow(/note\.malformed/));

  it.each([
    ['another key id', NEUMANN.replace('c74f20a3', 'c74f20a4')],
    ['another name', NEUMANN.replace('Peter', 'Paul')],
    ['an unknown type', NEUMANN.replace('+ARp', '+AhR')],
    ['a short key', NEUMANN.slice(0, -4)],
  ])('a vkey with %s', async (_what, text) =>
    expect(parseVkey(nodeCrypto, text)).rejects.toMatchObject({ code: expect.stringMatching(/^(vkey|base64)\.malformed$/) as string }),
  );

  it.each([
    ['a leading zero', 'o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
    ['a short root', 'o\n1\n47DEQg==\n'],
    ['an extension line', 'o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n'],
    ['no origin', '\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'],
  ])('a checkpoint with %s', (_what, text) => expect(() => parseCheckpoint(text)).toThrow(/checkpoint\.malformed/));
});

describe('a .tlog-proof', () => {
  const entry = bytes('{"an":"entry"}');

  async function sample() {
    const checkpoint = { origin: 'example.com/log', size: 1n, root: naiveLeaf(entry) };
    const proof = { extra: entry, index: 0n, path: [], checkpoint: await signCheckpoint(nodeCrypto, checkpoint, signer) };
    return { text: formatTlogProof(proof), trusted: [await vkeyOf(nodeCrypto, 'example.com/log', signer)] };
  }

  it('is written, read and verified; every flipped byte is noticed', async () => {
    const { text, trusted } = await sample();
    const check = async (proof: Uint8Array) => {
      const parsed = parseTlogProof(proof);
      return verifyTlogProof(nodeCrypto, parsed, parsed.extra!, trusted);
    };
    await expect(check(bytes(text))).resolves.toMatchObject({ size: 1n });
    for (let at = 0; at < bytes(text).length; at++) {
      const changed = bytes(text);
      changed[at]! ^= 1;
      await expect(check(changed), `byte ${at}`).rejects.toThrow();
    }
  });

  it('reads the form of the specification’s example', () => {
    const hash = 'gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=';
    const text = `c2sp.org/tlog-proof@v1\nindex 73894\n${hash}\n${hash}\n\nexample.com/fancylog\n109482\n${hash}\n\n— example.com/fancylog hI2DJw==\n`;
    expect(parseTlogProof(bytes(text))).toMatchObject({ index: 73894n, path: { length: 2 } });
    expect(parseTlogProof(bytes(text)).checkpoint.startsWith('example.com/fancylog\n109482\n')).toBe(true);
    expect(() => parseTlogProof(bytes(text.replace('index 7', 'index 07')))).toThrow(/tlog_proof\.malformed/);
    expect(() => parseTlogProof(bytes(text.replace('@v1', '@v2')))).toThrow(/tlog_proof\.malformed/);
  });

  it('a trusted key vouches only for the log of its own name', async () => {
    const { text } = await sample();
    const other = await vkeyOf(nodeCrypto, 'example.com/other', signer);
    const checkpoint = bytes(parseTlogProof(bytes(text)).checkpoint);
    await expect(verifyCheckpoint(nodeCrypto, checkpoint, [other])).rejects.toMatchObject({ code: 'checkpoint.untrusted' });
  });
});
