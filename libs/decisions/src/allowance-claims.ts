import { ALLOWANCE_TYP, type AllowanceClaims } from '#contract';
import { type JsonObject, type Signer, signJws } from '#evidence';
import { formatId, toWireMoney } from '#kernel';
import type { Allowance } from './allowance.js';

const secondsOf = (at: Date) => Math.floor(at.getTime() / 1000);

/** The claims of an allowance. Its end is rounded down and its start, too: it never promises longer than the ledger keeps. */
function allowanceClaims(allowance: Allowance, issuer: string): AllowanceClaims {
  const { counterparty, channel, issuedAt } = allowance;
  return {
    iss: issuer,
    jti: formatId('alw', allowance.id),
    sub: formatId('sub', allowance.subject),
    service: allowance.service,
    holder: allowance.holder,
    amount: toWireMoney(allowance.money),
    spends: allowance.spendsMax,
    ...(counterparty === undefined ? {} : { counterparty }),
    ...(channel === undefined ? {} : { channel }),
    decision: formatId('dec', allowance.id),
    iat: secondsOf(issuedAt),
    nbf: secondsOf(issuedAt),
    exp: secondsOf(allowance.expiresAt),
    settleBy: secondsOf(allowance.holdUntil),
  };
}

/** The allowance as a compact JWS. The same allowance gives the same text, always. */
export function signAllowance(allowance: Allowance, signer: Signer, issuer: string): string {
  return signJws(ALLOWANCE_TYP, allowanceClaims(allowance, issuer) as unknown as JsonObject, signer);
}
