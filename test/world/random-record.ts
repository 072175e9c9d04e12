import { ACCOUNT_STATUS, PAYMENT_PROFILE } from '#contract';
import type { Dice } from '../sim/dice.js';

const DAY_MS = 86_400_000;
const NOTHING_OWED = ['13', '62'];
const NOTHING_DUE = ['11', ...NOTHING_OWED];

/** A rating or performance with texts of all planes of Unicode and amounts of up to 18 digits. */
export function randomRecord(dice: Dice, head: { iss: string; sub: string; jti: string; seq: number }) {
  const at = Date.now() - dice.int(0, 30) * DAY_MS - dice.int(0, 1_000);
  const whole = {
    ...head,
    iat: Math.floor(Date.now() / 1_000) - dice.int(0, 50),
    asOf: new Date(at).toISOString(),
    validUntil: new Date(Date.now() + dice.int(1, 90) * DAY_MS).toISOString(),
  };
  return dice.int(0, 1) === 0
    ? { ...whole, kind: 'rating', rating: randomRating(dice) }
    : { ...whole, kind: 'performance', performance: randomPerformance(dice) };
}

function randomRating(dice: Dice): object {
  const min = dice.int(0, 500);
  const max = min + dice.int(1, 9_000);
  return {
    score: dice.int(min, max),
    scale: { min, max },
    band: randomText(dice, 16),
    factors: Array.from({ length: dice.int(0, 5) }, (_, i) => ({ code: `CODE_${i}`, text: randomText(dice, 200) })),
    model: { id: 'random', version: '1' },
  };
}

function randomPerformance(dice: Dice): object {
  const status = dice.pick(Object.keys(ACCOUNT_STATUS));
  const owed = NOTHING_OWED.includes(status) ? 0n : randomMinor(dice);
  const late = NOTHING_DUE.includes(status) ? 0n : 1n + (owed - 1n) / BigInt(dice.int(1, 9));
  const known = dice.int(0, 24);
  const month = () => dice.pick(Object.keys(PAYMENT_PROFILE).filter((code) => code !== 'B'));
  return {
    status,
    balance: { amount: written(owed), currency: 'CNY' },
    pastDue: { amount: written(late), currency: 'CNY' },
    paymentProfile: Array.from({ length: known }, month).join('').padEnd(24, 'B'),
  };
}

/** 1 to 18 digits. */
function randomMinor(dice: Dice): bigint {
  const digits = Array.from({ length: dice.int(1, 18) }, (_, i) => dice.int(i === 0 ? 1 : 0, 9));
  return BigInt(digits.join(''));
}

function written(minor: bigint): string {
  const digits = minor.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

const AWKWARD = ['"', '\\', '/', '\u2028', '\u202e', '\u0301', '\ufeff', '<', '{'];

/** Of all 17 planes, with what JSON must escape, what joins and what turns the direction of writing; no control characters, no half ones. */
function randomText(dice: Dice, charactersMax: number): string {
  const character = () => {
    const code = dice.int(0, 16) * 0x10000 + dice.int(0, 0xffff);
    const isRefused = code < 0x20 || code === 0x7f || (code >= 0xd800 && code <= 0xdfff);
    return isRefused || dice.chance(0.1) ? dice.pick(AWKWARD) : String.fromCodePoint(code);
  };
  return Array.from({ length: dice.int(1, charactersMax) }, character).join('');
}
