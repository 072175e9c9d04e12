import { describe, expect, it } from 'vitest';
import { Refusal } from '#kernel';
import { memoryReader, parseVkeys, utf8, type Vkey, webCrypto } from '#evidence/verifier';
import { decisionReceiptCase } from '#evidence/testing/decision-receipt-case';
import { recordEvidenceCase } from '#evidence/testing/record-evidence-case';
import { outcomeOf, type Verdict } from './checks.js';
import { verifyDocument } from './verify-document.js';

const verify = (document: unknown, trusted: readonly Vkey[]): Promise<Verdict> =>
  verifyDocument(memoryReader(utf8.encode(typeof document === 'string' ? document : JSON.stringify(document))), trusted);

const receiptCase = async (change = {}) => {
  const { answer, vkeys } = await decisionReceiptCase(change);
  return { answer, trusted: await parseVkeys(webCrypto, vkeys) };
};

/** How many checks held, and what stopped the rest. */
const stopOf = ({ checks }: Verdict) => {
  const at = checks.findIndex(({ result }) => result !== 'holds');
  return [at, checks[at]?.result, checks[at]?.code];
};

describe('a decision receipt', () => {
  it('holds with its proof, in five steps', async () => {
    const { answer, trusted } = await receiptCase();
    const { what, checks } = await verify(answer, trusted);
    expect([what, checks.map(({ result }) => result)]).toEqual(['a decision receipt', Array(5).fill('holds')]);
    expect(checks[0]!.detail).toMatch(/^Decision dec_1: ALLOW, decided at .* for wallet, as fact fct_/);
  });

  it('waits without a proof, alone or in an answer', async () => {
    const { answer, trusted } = await receiptCase();
    for (const document of [{ receipt: answer.receipt }, answer.receipt, `  ${answer.receipt}\r\n`]) {
      const verdict = await verify(document, trusted);
      expect([outcomeOf(verdict.checks), stopOf(verdict)]).toEqual(['waits', [2, 'waits', undefined]]);
    }
  });

  it.each<[code: string, held: number, why: string, change: object]>([
    ['receipt.commitment_mismatch', 1, 'other counters than it commits to', { usage: '0:0:0:0' }],
    ['receipt.malformed', 1, 'no salt', { salt: '' }],
    ['receipt.malformed', 0, 'no outcome', { outcome: 1 }],
    ['receipt.other_fact', 2, 'another fact', { fact: 'fct_1_1' }],
  ])('stops with %s after %d: honestly signed, and yet %s', async (code, held, _why, change) => {
    const { answer, trusted } = await receiptCase(change);
    expect(stopOf(await verify(answer, trusted))).toEqual([held, 'fails', code]);
  });

  it('stops where something was altered, or a key is not trusted', async () => {
    const { answer, trusted } = await receiptCase();
    const [log, ...receipts] = trusted as [Vkey, ...Vkey[]];
    const other = (await receiptCase()).answer;
    const flipped = answer.proof.replace(/(index 1\n.)(.)/, (_, kept: string, one: string) => kept + (one === 'A' ? 'B' : 'A'));
    const stops: [unknown, readonly Vkey[], [number, string]][] = [
      [answer, [log], [0, 'key.untrusted']],
      [answer, receipts, [3, 'checkpoint.untrusted']],
      [{ ...answer, receipt: other.receipt }, trusted, [0, 'signature.invalid']],
      [{ ...answer, logIndex: '2' }, trusted, [2, 'receipt.other_index']],
      [{ ...answer, proof: 'none' }, trusted, [2, 'tlog_proof.malformed']],
      [{ ...answer, proof: other.proof }, trusted, [3, 'note.unsigned']],
      [{ ...answer, proof: flipped }, trusted, [4, 'proof.mismatch']],
      [answer.proof.replace('index 1', 'index 0'), trusted, [2, 'proof.mismatch']],
    ];
    for (const [document, keys, [held, code]] of stops) expect(stopOf(await verify(document, keys))).toEqual([held, 'fails', code]);
  });

  it('hands over a proof that verifies alone', async () => {
    const { answer, trusted } = await receiptCase();
    const { what, checks } = await verify(answer.proof, trusted);
    expect([what, outcomeOf(checks)]).toEqual(['a proof of one log entry', 'holds']);
  });
});

describe('the evidence of a record', () => {
  it.each([false, true])('holds as far as a browser can show it; sealed: %s', async (sealed) => {
    const { evidence, trust } = await recordEvidenceCase({ sealed });
    const { what, checks } = await verify(evidence, [...trust.logKeys, ...trust.receiptKeys]);
    expect([what, outcomeOf(checks)]).toEqual(['the evidence of a record', 'not shown']);
    expect(checks.filter(({ result }) => result === 'holds')).toHaveLength(sealed ? 7 : 6);
  });

  it('fails by the step that does not hold', async () => {
    const { evidence, trust } = await recordEvidenceCase({ receipt: { sub: 'another' } });
    const verdict = await verify(evidence, [...trust.logKeys, ...trust.receiptKeys]);
    expect([outcomeOf(verdict.checks), stopOf(verdict)]).toEqual(['fails', [2, 'fails', 'evidence.mismatch']]);
  });
});

describe('what cannot be verified at all', () => {
  const jws = (header: object) => `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.AAAA`;
  it.each<[code: string, document: string]>([
    ['file.empty', ' \n'],
    ['file.unknown', 'hello'],
    ['file.unknown', '{"a":1}'],
    ['file.unknown', '{"receipt":1}'],
    ['file.unknown', '{broken'],
    ['file.unknown', '{"receipt":"a","receipt":"b"}'],
    ['file.unknown', jws({ typ: 'credit-record+jwt' })],
    ['file.unknown', jws({ typ: 'constructor' })],
    ['file.unknown', jws({})],
    ['receipt.malformed', 'eyJ!!!'],
    ['file.other_tool', '{"gateway":"x","participant":"y","key":{}}'],
  ])('is refused with %s: %s', async (code, document) => {
    const error: unknown = await verify(document, []).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(Refusal);
    expect((error as Refusal).code).toBe(code);
  });

  it('is no text', async () => {
    const noise = memoryReader(Uint8Array.of(0xff, 0xfe, 0));
    await expect(verifyDocument(noise, [])).rejects.toMatchObject({ code: 'file.unknown' });
  });
});

it('an archive that is no export fails, and says so', async () => {
  const tar = new Uint8Array(1024);
  tar.set(utf8.encode('ustar'), 257);
  const verdict = await verifyDocument(memoryReader(tar), []);
  expect([verdict.what, stopOf(verdict)]).toEqual(['an export', [0, 'fails', 'bundle.malformed']]);
});
