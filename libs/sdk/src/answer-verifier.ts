import {
  BOUND_RESPONSE_PROFILE,
  checkContentDigest,
  checkWithNode,
  type ContentDigest,
  fieldValue,
  type HttpResponseMessage,
  isSigned,
  type JsonWebKey,
  parseContentDigest,
  parsePublicJwk,
  RESPONSE_PROFILE,
  type VerificationKey,
  verifyHttpSignature,
} from '#evidence';
import { Refusal } from '#kernel';

/** An answer that is not the gateway's, or not to this request: nothing in it may be believed. */
export class UnverifiedAnswerError extends Error {
  override readonly name = 'UnverifiedAnswerError';

  constructor(
    readonly status: number,
    /** Which check failed, as in the gateway's own list: `signature.missing`, `signature.invalid`, `digest.mismatch`, … */
    readonly code: string,
    detail: string,
  ) {
    super(`answer ${status} not verified: ${code}: ${detail}`);
  }
}

/** Verifies answers of the gateway under its published keys, and that each belongs to the request it came back for. */
export class AnswerVerifier {
  private keys: Promise<readonly VerificationKey[]> | undefined;

  /** `load` gives the gateway's JWKS; asked again when an answer names a key that is not in it. */
  constructor(private readonly load: () => Promise<readonly JsonWebKey[]>) {}

  /** `received` is the digest of the body as it came. Throws `UnverifiedAnswerError`. */
  async verify(answer: HttpResponseMessage, received: ContentDigest): Promise<void> {
    try {
      await this.check(answer).catch((error: unknown) => this.checkAgain(error, answer));
      checkContentDigest(parseContentDigest(fieldValue(answer.headers, 'content-digest') ?? ''), received);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new UnverifiedAnswerError(answer.status, error.code, error.detail);
    }
  }

  private checkAgain(error: unknown, answer: HttpResponseMessage): Promise<void> {
    if (!(error instanceof Refusal && error.code === 'signature.key_unknown')) throw error;
    this.keys = undefined;
    return this.check(answer);
  }

  /** An answer that covers our fresh nonce needs no look at the clock. */
  private async check(answer: HttpResponseMessage): Promise<void> {
    const profile = isSigned(answer.request) ? BOUND_RESPONSE_PROFILE : RESPONSE_PROFILE;
    this.keys ??= this.load().then((jwks) => jwks.map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' as const })));
    const keys = await this.keys.catch((error: unknown) => {
      this.keys = undefined;
      throw error;
    });
    await verifyHttpSignature(answer, profile, { findKey: (kid) => keys.find((key) => key.kid === kid), check: checkWithNode });
  }
}
