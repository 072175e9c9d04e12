import { readFileSync, statSync } from 'node:fs';
import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import { type Clock, Refusal } from '#kernel';
import type { Scope, ServiceCaller } from './caller.js';

export const TOKEN_AUDIENCE = 'tallystick-decision-api';
const tokenSecondsMax = 900;
const tokensCachedMax = 10_000;
const tokenCharsMax = 4_096;

const CLOCK_SKEW_SECONDS = 10;
const RELOAD_MS_MIN = 1_000;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * Verifies the short-lived tokens of one configured issuer (EdDSA, keys from a JWKS file that is read again when it changes). A token is
 * verified once and remembered until it ends or the keys change.
 */
export class TokenVerifier {
  private readonly verified = new Map<string, ServiceCaller>();
  private keys: { readonly set: KeySet; readonly changedMs: number } | undefined;
  private lookedAtMs = 0;

  constructor(
    private readonly jwksFile: string,
    private readonly issuer: string,
    private readonly clock: Clock,
  ) {}

  /** From an `authorization` header. Refuses 401 `token.missing`, `token.invalid`, `token.expired`; 403 `scope.missing`. */
  authorize(header: string | undefined, scopes: readonly Scope[]): ServiceCaller | Promise<ServiceCaller> {
    const token = bearerOf(header);
    this.watchKeys();
    const known = this.verified.get(token);
    if (known) return this.admit(known, scopes);
    return this.verify(token).then((caller) => this.admit(caller, scopes));
  }

  /** Whether an admitted caller may go on: tokens end while streams are open. */
  admit(caller: ServiceCaller, scopes: readonly Scope[]): ServiceCaller {
    if (this.clock.now().getTime() >= caller.expiresAtMs) throw new Refusal('unauthenticated', 'token.expired', 'get a new token');
    for (const scope of scopes) {
      if (!caller.scopes.has(scope)) throw new Refusal('forbidden', 'scope.missing', `this call needs the scope ${scope}`);
    }
    return caller;
  }

  private async verify(token: string): Promise<ServiceCaller> {
    const { payload } = await this.check(token);
    const caller = callerOf(payload);
    if (this.verified.size >= tokensCachedMax) this.verified.delete(this.verified.keys().next().value!);
    this.verified.set(token, caller);
    return caller;
  }

  private async check(token: string): Promise<{ payload: JWTPayload }> {
    if (!this.keys)
      throw new Refusal('unavailable', 'token.keys_missing', 'the keys of the token issuer are not there yet', { retryAfterSeconds: 1 });
    try {
      return await jwtVerify(token, this.keys.set, {
        issuer: this.issuer,
        audience: TOKEN_AUDIENCE,
        algorithms: ['EdDSA'],
        currentDate: this.clock.now(),
        clockTolerance: CLOCK_SKEW_SECONDS,
        maxTokenAge: tokenSecondsMax,
        requiredClaims: ['sub', 'exp', 'iat'],
      });
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Refusal('unauthenticated', 'token.expired', 'get a new token');
      throw new Refusal('unauthenticated', 'token.invalid', 'the token is not one of the configured issuer for this audience');
    }
  }

  /** At most one look at the file per second. Other keys: everything verified with the old ones is forgotten. */
  private watchKeys(): void {
    const nowMs = performance.now();
    if (this.keys && nowMs - this.lookedAtMs < RELOAD_MS_MIN) return;
    this.lookedAtMs = nowMs;
    try {
      const changedMs = statSync(this.jwksFile).mtimeMs;
      if (this.keys?.changedMs === changedMs) return;
      this.keys = { set: createLocalJWKSet(JSON.parse(readFileSync(this.jwksFile, 'utf8'))), changedMs };
      this.verified.clear();
    } catch {
      // Half-written or gone: the keys we have stay in force; without any, `check` says so.
    }
  }
}

function bearerOf(header: string | undefined): string {
  const token = header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : '';
  if (token === '') throw new Refusal('unauthenticated', 'token.missing', 'send "authorization: Bearer <token>"');
  if (token.length > tokenCharsMax)
    throw new Refusal('unauthenticated', 'token.invalid', 'the token is too long', { limit: `tokenCharsMax=${tokenCharsMax}` });
  return token;
}

function callerOf({ sub, exp, iat, scope }: JWTPayload): ServiceCaller {
  const valid = typeof scope === 'string' && /^[a-z0-9][a-z0-9-]{1,39}$/.test(sub!) && exp! - iat! <= tokenSecondsMax;
  if (!valid)
    throw new Refusal('unauthenticated', 'token.invalid', 'a token names its service in sub, its scopes, and lives 15 minutes at most');
  return { name: sub!, scopes: new Set(scope.split(' ')), expiresAtMs: exp! * 1000 };
}
