import { formatId, type ShardedId } from '#kernel';
import { FULL_BUDGET } from '../call-budget.js';
import { type Consent, isLive } from '../consent.js';
import type { ConsentKeyClaim, ConsentLedger, ConsentVersion, HeldConsents } from '../consent-store.js';

/** The consent ledger in memory, where nothing is read. Whoever uses it runs one transaction at a time, so holding needs no lock. */
export class MemoryConsentLedger implements ConsentLedger {
  consents = new Map<string, Consent>();
  versions: ConsentVersion[] = [];
  private claims = new Map<string, ConsentKeyClaim>();

  constructor(private readonly now: () => Date) {}

  snapshot(): () => void {
    const { consents, versions, claims } = this;
    [this.consents, this.claims] = [new Map(consents), new Map(claims)];
    return () => void Object.assign(this, { consents, versions, claims });
  }

  async hold(ids: readonly ShardedId[]): Promise<HeldConsents> {
    const held = ids.map((id) => this.consents.get(formatId('cns', id)));
    const at = new Date(Math.max(this.now().getTime(), ...held.map((consent) => consent?.changedAt.getTime() ?? 0)));
    return { at, consents: held.map((consent) => consent && { consent, budget: FULL_BUDGET }) };
  }

  async saveVersions(versions: readonly ConsentVersion[]): Promise<void> {
    for (const { consent } of versions) {
      const name = formatId('cns', consent.id);
      this.consents.set(name, { ...consent, uses: 0, period: undefined });
    }
    this.versions = [...this.versions, ...versions];
  }

  async claimKey(claim: ConsentKeyClaim): Promise<ConsentKeyClaim | undefined> {
    const name = `${claim.participant} ${claim.key}`;
    const first = this.claims.get(name);
    if (!first) this.claims.set(name, claim);
    return first;
  }

  async liveOfLink(link: ShardedId): Promise<ShardedId[]> {
    const live = [...this.consents.values()].filter((consent) => consent.link.uuid === link.uuid && isLive(consent));
    return live.map(({ id }) => id).sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  }
}
