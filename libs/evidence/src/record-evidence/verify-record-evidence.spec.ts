import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../jose/strict-json.js';
import { type CaseChange, recordEvidenceCase } from '../testing/record-evidence-case.js';
import type { EvidenceReport } from './evidence-steps.js';
import { AUTHORITY_X5T, LISTS, X5T } from '../testing/published-lists.js';
import { verifyRecordEvidence } from './node-evidence.js';
import type { EvidenceTrust } from './verify-record-evidence.js';
import { verifyRecordEvidenceWithWeb } from './web-evidence.js';

/** Node's verdict; a browser's is the same, as far as it goes. */
const verify = async (evidence: unknown, trust: EvidenceTrust): Promise<EvidenceReport> => {
  const bytes = Buffer.from(JSON.stringify(evidence));
  const [report, inBrowser] = await Promise.all([verifyRecordEvidence(bytes, trust), verifyRecordEvidenceWithWeb(bytes, trust)]);
  expect(withoutCertificate(inBrowser)).toEqual(withoutCertificate(report));
  return report;
};
const withoutCertificate = ({ steps }: EvidenceReport) =>
  steps.filter(({ step }) => step !== 'certificate' && step !== 'revocation').map(({ step, result, code }) => [step, result, code]);
const stopOf = ({ steps }: EvidenceReport) => {
  const stop = steps.find(({ result }) => result !== 'passed');
  return stop && [stop.step, stop.result, stop.code];
};
const ofCase = async (change: CaseChange) => {
  const { evidence, trust } = await recordEvidenceCase(change);
  return stopOf(await verify(evidence, trust));
};
const NEVER = { kid: 'bank-a-1', alg: 'EdDSA', jkt: 'another' };

describe('the evidence of a record', () => {
  it('verifies, also after its key was retired and compromised and its certificate revoked', async () => {
    const { evidence, trust } = await recordEvidenceCase();
    const report = await verify(evidence, trust);
    expect(report).toMatchObject({ verified: true });
    expect(report.steps.map(({ step }) => step)).toEqual([
      'form',
      'signature',
      'receipt',
      'commitment',
      'inclusion',
      'key',
      'certificate',
      'revocation',
    ]);
    expect(report.steps.at(-3)?.detail).toMatch(
      /ACTIVE at receipt; later retired at .*; compromised at .*, suspected since 2027-01-01T11:59:55/,
    );
  });

  it('verifies for a line of a sealed batch', async () => {
    const { evidence, trust } = await recordEvidenceCase({ sealed: true });
    const { verified, steps } = await verify(evidence, trust);
    expect([verified, steps[2]]).toMatchObject([true, { step: 'sealed', result: 'passed' }]);
  });

  it('leaves certificate and revocation to the command, in a browser', async () => {
    const { evidence, trust } = await recordEvidenceCase();
    const report = await verifyRecordEvidenceWithWeb(Buffer.from(JSON.stringify(evidence)), trust);
    expect([report.verified, report.steps.slice(-2)]).toMatchObject([
      true,
      [
        { step: 'certificate', result: 'not shown' },
        { step: 'revocation', result: 'not shown' },
      ],
    ]);
  });

  it('is pending while a fact has no proof yet, and nothing after it is reached', async () => {
    const { evidence, trust } = await recordEvidenceCase();
    const report = await verify({ ...evidence, fact: { fact: evidence.fact.fact } }, trust);
    expect(report.verified).toBe(false);
    expect(report.steps.slice(3).map(({ step, result }) => `${step} ${result}`)).toEqual([
      'commitment pending',
      'inclusion not reached',
      'key not reached',
      'certificate not reached',
      'revocation not reached',
    ]);
    const [first] = evidence.key.facts;
    const late = { ...evidence, key: { ...evidence.key, facts: [first, { fact: 'fct_0' }] } };
    expect(stopOf(await verify(late, trust))).toEqual(['key', 'pending', 'evidence.pending']);
  });

  it('believes no key that is not trusted', async () => {
    const { evidence, trust } = await recordEvidenceCase();
    expect(stopOf(await verify(evidence, { ...trust, receiptKeys: [] }))).toEqual(['receipt', 'failed', 'key.untrusted']);
    expect(stopOf(await verify(evidence, { ...trust, receiptKeys: trust.logKeys }))).toEqual(['receipt', 'failed', 'signature.invalid']);
    expect(stopOf(await verify(evidence, { ...trust, logKeys: [] }))).toEqual(['inclusion', 'failed', 'checkpoint.untrusted']);
    expect(await verify(evidence, { ...trust, receiptKeys: [...trust.logKeys, ...trust.receiptKeys] })).toMatchObject({ verified: true });
  });

  // Everything here is honestly signed and sealed, and yet does not prove the record.
  it.each<[step: string, code: string, why: string, change: CaseChange]>([
    ['receipt', 'evidence.mismatch', 'the receipt of another record', { receipt: { sub: 'another' } }],
    ['receipt', 'evidence.mismatch', 'a receipt of other bytes', { receipt: { payload_digest: 'AAAA' } }],
    ['receipt', 'evidence.mismatch', 'a receipt of another fact', { receipt: { fact: 'fct_3_1' } }],
    ['commitment', 'evidence.mismatch', 'another salt', { receipt: { commitment_salt: 'AAAA' } }],
    ['commitment', 'evidence.mismatch', 'another time of acceptance', { receipt: { iat: 1 } }],
    ['commitment', 'evidence.mismatch', 'a fact of another kind', { kinds: { accepted: 'record.equivocated' } }],
    ['commitment', 'evidence.mismatch', 'a fact without commitment', { bodies: { accepted: { record: 'rating' } } }],
    ['key', 'evidence.mismatch', 'another key registered under its kid', { bodies: { registered: NEVER } }],
    ['key', 'evidence.key_unregistered', 'a key never registered', { kinds: { registered: 'participant.key_activated' } }],
    ['key', 'evidence.key_not_good', 'a key only announced', { kinds: { registered: 'participant.key_announced' } }],
    ['key', 'evidence.key_not_good', 'a key retired 41 seconds before', { seconds: { retired: -41, compromised: -41 } }],
    ['key', 'evidence.mismatch', 'a key retired a moment before, told as active', { seconds: { retired: -9 } }],
    [
      'certificate',
      'evidence.certificate_facts',
      'a certificate never presented',
      { kinds: { presented: 'participant.certificate_added' } },
    ],
    [
      'certificate',
      'evidence.certificate_altered',
      'another authority presented',
      { bodies: { presented: { x5t: X5T, serial: '1234', issuer: 'another' } } },
    ],
    ['certificate', 'evidence.certificate_facts', 'the revocation of another', { bodies: { revoked: { x5t: 'another' } } }],
    ['revocation', 'evidence.list_foreign', 'a list of another authority of the same name', { list: 'foreign' }],
    ['revocation', 'evidence.list_expired', 'a list that was no longer in force', { list: 'expired' }],
    ['revocation', 'evidence.list_expired', 'a list that was not in force yet', { seconds: { checked: -5 * 86_400 } }],
    ['revocation', 'evidence.certificate_revoked', 'a list that names the certificate', { list: 'revoked' }],
    ['revocation', 'evidence.list_facts', 'the check of another certificate', { bodies: { checked: { x5t: 'another', list: 'any' } } }],
    ['revocation', 'evidence.list_facts', 'a fact that is no check', { kinds: { checked: 'participant.certificate_added' } }],
    ['revocation', 'evidence.mismatch', 'a check that came after the record', { seconds: { checked: 60 } }],
  ])('stops at %s with %s: %s', async (step, code, _why, change) => {
    expect(await ofCase(change)).toEqual([step, 'failed', code]);
  });

  it.each(['participant.enrolled', 'participant.enrolment_requested'])('takes a key registered among others by %s', async (kind) => {
    const jkt = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';
    const keys = [
      { ...NEVER, kid: 'another' },
      { ...NEVER, jkt },
    ];
    const { evidence, trust } = await recordEvidenceCase({ kinds: { registered: kind }, bodies: { registered: { keys } } });
    expect(await verify(evidence, trust)).toMatchObject({ verified: true });
  });

  it('takes a key whose registration is dated later but stands earlier in the log: a clock was set back', async () => {
    const { evidence, trust } = await recordEvidenceCase({ seconds: { registered: 5 } });
    expect(await verify(evidence, trust)).toMatchObject({ verified: true });
  });

  it('names a list that was altered or left out, and says so where none was kept', async () => {
    const { evidence, trust } = await recordEvidenceCase();
    const { revocation, ...certificate } = evidence.certificate!;
    const other = { ...certificate, revocation: { ...revocation, list: LISTS.expired } };
    expect(stopOf(await verify({ ...evidence, certificate: other }, trust))).toEqual(['revocation', 'failed', 'evidence.list_altered']);
    expect(stopOf(await verify({ ...evidence, certificate }, trust))).toEqual(['revocation', 'failed', 'evidence.list_missing']);
    const before = await recordEvidenceCase({ bodies: { presented: { x5t: X5T, serial: '1234', issuer: AUTHORITY_X5T } } });
    const { revocation: _none, ...unchecked } = before.evidence.certificate!;
    const report = await verify({ ...before.evidence, certificate: unchecked }, before.trust);
    expect([report.verified, stopOf(report)]).toEqual([true, ['revocation', 'not shown', undefined]]);
  });

  it('does not take another record’s parts', async () => {
    const [{ evidence, trust }, other] = await Promise.all([recordEvidenceCase(), recordEvidenceCase({ sealed: true })]);
    const { record, key, certificate } = evidence;
    const swapped: [unknown, string[]][] = [
      [{ ...evidence, fact: key.facts[0] }, ['receipt', 'failed', 'evidence.mismatch']],
      [{ ...evidence, fact: { ...evidence.fact, proof: key.facts[0]!.proof } }, ['commitment', 'failed', 'evidence.other_fact']],
      [{ ...evidence, key: { ...key, facts: certificate!.facts } }, ['key', 'failed', 'evidence.mismatch']],
      [{ ...evidence, key: { ...key, facts: [] } }, ['key', 'failed', 'evidence.key_unregistered']],
      [{ ...evidence, key: { ...key, facts: [...key.facts].reverse() } }, ['key', 'failed', 'evidence.facts_order']],
      [{ ...evidence, certificate: undefined }, ['certificate', 'failed', 'evidence.mismatch']],
      [{ ...evidence, record: { ...other.evidence.record, received: record.received } }, ['sealed', 'failed', 'proof.mismatch']],
      [{ ...evidence, more: 1 }, ['form', 'failed', 'evidence.malformed']],
    ];
    for (const [changed, stop] of swapped) expect(stopOf(await verify(changed, trust))).toEqual(stop);
  });
});

/** The evidence with one place changed, for each place: every character of short texts, many of long ones, every number and member. */
function* flips(value: JsonValue, put: (changed: JsonValue) => unknown, place = ''): Generator<[place: string, changed: unknown]> {
  if (typeof value === 'number') yield [place, put(value + 1)];
  if (typeof value === 'string') {
    const stride = Math.max(1, Math.floor(value.length / 40));
    for (let i = 0; i < value.length; i += i + stride >= value.length && i < value.length - 1 ? value.length - 1 - i : stride) {
      const flipped = String.fromCharCode(value.charCodeAt(i) ^ 1);
      yield [`${place}[${i}]`, put(value.slice(0, i) + flipped + value.slice(i + 1))];
    }
    yield [`${place} longer`, put(`${value}A`)];
    yield [`${place} shorter`, put(value.slice(0, -1))];
  }
  if (Array.isArray(value)) {
    const list = value as readonly JsonValue[];
    for (const [i, one] of list.entries()) yield* flips(one, (changed) => put(list.with(i, changed as never)), `${place}[${i}]`);
  } else if (typeof value === 'object' && value !== null) {
    const object = value as JsonObject;
    for (const [name, one] of Object.entries(object)) {
      yield* flips(one, (changed) => put({ ...object, [name]: changed }), `${place}/${name}`);
      // Without a proof it is pending, which is not verified either.
      yield [`${place} without ${name}`, put(Object.fromEntries(Object.entries(object).filter(([other]) => other !== name)))];
    }
  }
}

describe.each([['alone'], ['sealed']])('a record that came %s', (way) => {
  it('does not verify with any field changed in any place', async () => {
    const { evidence, trust } = await recordEvidenceCase({ sealed: way === 'sealed' });
    let tried = 0;
    for (const [place, changed] of flips(evidence as unknown as JsonObject, (whole) => whole)) {
      const { verified } = await verify(changed, trust);
      if (verified) expect.fail(`${place} can be changed unseen`);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(500);
  });
});
