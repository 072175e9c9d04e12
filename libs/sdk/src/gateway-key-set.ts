import { type JsonWebKey, parsePublicJwk, type VerificationKey } from '#evidence';
import { Refusal } from '#kernel';

/** Unknown keys may be named by anybody: the set is not loaded anew more often than this. */
const reloadEveryMs = 5_000;

/** The gateway's published keys, loaded once and again where a signature names one that is not among them. */
export class GatewayKeySet {
  private known: Promise<readonly VerificationKey[]> | undefined;
  private loadedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly load: () => Promise<readonly JsonWebKey[]>) {}

  /** Runs a verification under the keys; once more under fresh ones where its key was unknown. */
  async using<T>(verify: (findKey: (kid: string) => VerificationKey | undefined) => Promise<T>): Promise<T> {
    try {
      return await verify(await this.finder());
    } catch (error) {
      const mayBeNew =
        error instanceof Refusal && error.code === 'signature.key_unknown' && performance.now() - this.loadedAtMs > reloadEveryMs;
      if (!mayBeNew) throw error;
      this.known = undefined;
      return await verify(await this.finder());
    }
  }

  private async finder(): Promise<(kid: string) => VerificationKey | undefined> {
    if (!this.known) {
      this.loadedAtMs = performance.now();
      this.known = this.load().then((jwks) => jwks.map((jwk) => ({ ...parsePublicJwk(jwk), state: 'ACTIVE' as const })));
      this.known.catch(() => (this.known = undefined));
    }
    const keys = await this.known;
    return (kid) => keys.find((key) => key.kid === kid);
  }
}
