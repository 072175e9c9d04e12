import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WireAllowanceSettlement } from '#contract';
import { createEd25519Signer, type JsonObject, signJws } from '#evidence';
import { AllowanceSpender, type SpenderOptions } from './allowance-spender.js';

const newSigner = () => createEd25519Signer(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
const signer = newSigner();
const keys = { keys: [signer.publicJwk] };
const start = 1_800_000_000;
const yuan = (amount: string) => ({ amount, currency: 'CNY' });

let folder: string;
let wallMs: number;
let runningMs: number;
const open: AllowanceSpender[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tallystick-spender-'));
  wallMs = start * 1000;
  runningMs = 0;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((spender) => spender.close()));
  rmSync(folder, { recursive: true, force: true });
});

const pass = (ms: number) => {
  wallMs += ms;
  runningMs += ms;
};

const claims: JsonObject = {
  iss: 'https://tally',
  jti: 'alw_1',
  sub: 'sub_1',
  service: 'checkout',
  holder: 'checkout-service',
  decision: 'dec_1',
  amount: yuan('100.00'),
  spends: 4,
  iat: start,
  nbf: start,
  exp: start + 600,
  settleBy: start + 4_200,
};

const tokenOf = (change: JsonObject = {}, by = signer, typ = 'allowance+jwt') => signJws(typ, { ...claims, ...change }, by);

async function spenderOf(change: Partial<SpenderOptions> = {}): Promise<AllowanceSpender> {
  const clocks = { wallMs: () => wallMs, runningMs: () => runningMs };
  const own = { token: tokenOf(), keys, issuer: 'https://tally', holder: 'checkout-service', file: file(), clocks };
  const spender = await AllowanceSpender.open({ ...own, ...change });
  open.push(spender);
  return spender;
}

const file = () => path.join(folder, 'alw_1.tally');

/** decision-api, as far as a settlement is concerned. */
function listener(lose = 0) {
  const told: WireAllowanceSettlement[] = [];
  const settleAllowance = (_id: string, settlement: WireAllowanceSettlement) => {
    told.push(settlement);
    if (told.length <= lose) return Promise.reject(new Error('no answer'));
    const results = settlement.spends.map(({ paymentReference }) => ({ paymentReference, result: 'SETTLED' as const }));
    return Promise.resolve({ results } as never);
  };
  return { told, settleAllowance };
}

describe('a token', () => {
  it.each<[string, () => Partial<SpenderOptions>, string]>([
    ['of another key', () => ({ token: tokenOf({}, newSigner()) }), 'signature.key_unknown'],
    ['under a key with our name', () => ({ token: tokenOf({}, { ...newSigner(), kid: signer.kid }) }), 'signature.invalid'],
    [
      'with one byte changed',
      () => ({ token: tokenOf().replace(/\.(.)/, (_, first: string) => `.${first === 'e' ? 'f' : 'e'}`) }),
      'signature',
    ],
    ['of another kind', () => ({ token: tokenOf({}, signer, 'decision-receipt+jwt') }), 'signature.header_refused'],
    ['of another holder', () => ({ token: tokenOf({ holder: 'wallet-service' }) }), 'allowance.foreign'],
    ['of another issuer', () => ({ token: tokenOf({ iss: 'https://elsewhere' }) }), 'allowance.foreign'],
    ['without an amount', () => ({ token: tokenOf({ amount: null }) }), 'allowance.malformed'],
  ])('%s opens nothing', async (_name, change, code) => {
    await expect(spenderOf(change())).rejects.toMatchObject({ code: expect.stringContaining(code) });
  });
});

describe('spending', () => {
  it('says yes within amount and count, and no beyond', async () => {
    const spender = await spenderOf();
    expect(await spender.spend(yuan('60.00'), 'A')).toEqual({
      outcome: 'ALLOW',
      repeated: false,
      left: { amount: yuan('40.00'), spends: 3 },
    });
    expect(await spender.spend(yuan('40.01'), 'B')).toMatchObject({ outcome: 'DENY', code: 'allowance.exceeded' });
    expect(await spender.spend(yuan('60.00'), 'A')).toMatchObject({ outcome: 'ALLOW', repeated: true });
    expect(await spender.spend(yuan('60.01'), 'A')).toMatchObject({ outcome: 'DENY', code: 'allowance.reference_reused' });
    for (const reference of ['C', 'D', 'E']) expect((await spender.spend(yuan('1.00'), reference)).outcome).toBe('ALLOW');
    expect(await spender.spend(yuan('1.00'), 'F')).toMatchObject({ outcome: 'DENY', code: 'allowance.exceeded' });
    await expect(spender.spend({ amount: '1.00', currency: 'EUR' }, 'G')).rejects.toMatchObject({ code: 'currency.unsupported' });
    expect((await spender.spend(yuan('0.00'), 'H')).outcome).toBe('DENY');
  });

  it('ends at its time, not before its start, and not when the clock is set back', async () => {
    const spender = await spenderOf();
    wallMs = (start - 10) * 1000;
    expect(await spender.spend(yuan('1.00'), 'A')).toMatchObject({ code: 'allowance.clock_back' });
    wallMs = start * 1000;
    pass(599_999);
    expect((await spender.spend(yuan('1.00'), 'A')).outcome).toBe('ALLOW');
    pass(1);
    expect(await spender.spend(yuan('1.00'), 'B')).toMatchObject({ code: 'allowance.expired' });
    wallMs = start * 1000;
    expect(await spender.spend(yuan('1.00'), 'B')).toMatchObject({ code: 'allowance.clock_back' });
    // Another process, which has not seen the time run, has the file.
    runningMs = 0;
    expect(await (await spenderOf()).spend(yuan('1.00'), 'C')).toMatchObject({ code: 'allowance.clock_back' });
    wallMs = (start - 10) * 1000;
    expect(await (await spenderOf({ file: path.join(folder, 'new') })).spend(yuan('1.00'), 'C')).toMatchObject({
      code: 'allowance.not_yet',
    });
  });

  it('goes on after a crash, also one in the middle of a line', async () => {
    await (await spenderOf()).spend(yuan('60.00'), 'A');
    appendFileSync(file(), '\n{"kind":"spent","id":"x","reference":"B","minor":"400');
    const again = await spenderOf();
    expect(again.spends().map(({ reference }) => reference)).toEqual(['A']);
    expect(await again.spend(yuan('40.00'), 'C')).toMatchObject({ outcome: 'ALLOW', left: { amount: yuan('0.00') } });
    expect((await spenderOf()).spends().map(({ reference }) => reference)).toEqual(['A', 'C']);
  });

  it('refuses a file that was changed, and the file of another allowance', async () => {
    await (await spenderOf()).spend(yuan('60.00'), 'A');
    await expect(spenderOf({ token: tokenOf({ jti: 'alw_2' }) })).rejects.toMatchObject({ code: 'allowance.other' });
    writeFileSync(file(), readFileSync(file(), 'utf8').replace('"6000"', '"0600"'));
    await expect(spenderOf()).rejects.toMatchObject({ code: 'journal.damaged' });
  });

  it('never exceeds the allowance, whoever spends on the file at once', async () => {
    const part = fc.record({ who: fc.nat(2), cents: fc.integer({ min: 1, max: 6_000 }), reference: fc.nat(9) });
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 2, maxLength: 12 }), async (parts) => {
        const mine = path.join(folder, `property-${++n}`);
        const spenders = await Promise.all([0, 1, 2].map(() => spenderOf({ file: mine })));
        const answers = await Promise.all(
          parts.map(async ({ who, cents, reference }) => {
            const { outcome } = await spenders[who]!.spend(yuan((cents / 100).toFixed(2)), `R${reference}`);
            return { outcome, cents, reference };
          }),
        );
        const allowed = new Map(answers.filter(({ outcome }) => outcome === 'ALLOW').map(({ reference, cents }) => [reference, cents]));
        expect([...allowed.values()].reduce((sum, cents) => sum + cents, 0)).toBeLessThanOrEqual(10_000);
        expect(allowed.size).toBeLessThanOrEqual(4);
        const kept = (await spenderOf({ file: mine })).spends().map(({ reference, minor }) => `${reference}=${minor}`);
        expect(kept.sort()).toEqual([...allowed].map(([reference, cents]) => `R${reference}=${cents}`).sort());
        await Promise.all(open.splice(0).map((spender) => spender.close()));
      }),
      { numRuns: 15 },
    );
  });
});

describe('settling', () => {
  it('tells each part until it was heard, and nothing twice after that', async () => {
    const spender = await spenderOf();
    await spender.spend(yuan('60.00'), 'A');
    const service = listener(1);
    await expect(spender.settle(service)).rejects.toThrow('no answer');
    await spender.spend(yuan('10.00'), 'B');
    expect((await spender.settle(service)).map(({ paymentReference }) => paymentReference)).toEqual(['A', 'B']);
    expect(await spender.settle(service)).toEqual([]);
    expect(service.told[1]!.spends[0]).toEqual({ paymentReference: 'A', amount: yuan('60.00'), at: new Date(wallMs).toISOString() });
    expect(await (await spenderOf()).settle(service)).toEqual([]);
  });

  it('ends the spending before it closes', async () => {
    const spender = await spenderOf();
    const other = await spenderOf();
    await spender.spend(yuan('60.00'), 'A');
    const service = listener();
    await spender.settle(service, { close: true });
    expect(service.told).toMatchObject([{ spends: [{ paymentReference: 'A' }] }, { spends: [], close: true }]);
    expect(await other.spend(yuan('1.00'), 'B')).toMatchObject({ outcome: 'DENY', code: 'allowance.ended' });
  });
});
