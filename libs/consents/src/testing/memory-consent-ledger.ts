import { formatId, type ShardedId } from '#kernel';
import { type CallBudget, FULL_BUDGET } from '../call-budget.js';
import { type Consent, isLive } from '../consent.js';
import type { ConsentKeyClaim, ConsentLedger, ConsentVersion, Counted, HeldConsents, KeptUse, PlacedUse } from '../consent-store.js';

/** The consent ledger in memory. Whoever uses it runs one transaction at a time, so holding needs no lock. */
export class MemoryConsentLedger implements ConsentLedger {
  consents = new Map<string, Consent>();
  versions: ConsentVersion[] = [];
  uses: KeptUse[] = [];
  private budgets = new Map<string, CallBudget>();
  private claims = new Map<string, ConsentKeyClaim>();

  constructor(private readonly now: () => Date) {}

  snapshot(): () => void {
    const { consents, versions, uses, budgets, claims } = this;
    [this.consents, this.budgets, this.claims] = [new Map(consents), new Map(budgets), new Map(claims)];
    return () => void Object.assign(this, { consents, versions, uses, budgets, claims });
  }

  async hold(ids: readonly ShardedId[]): Promise<HeldConsents> {
    const held = ids.map((id) => this.consents.get(formatId('cns', id)));
    const at = new Date(Math.max(this.now().getTime(), ...held.map((consent) => consent?.changedAt.getTime() ?? 0)));
    return { at, consents: held.map((consent) => consent && { consent, budget: this.budgets.get(budgetOf(consent)) ?? FULL_BUDGET }) };
  }

  async saveUses(uses: readonly PlacedUse[], counted: readonly Counted[]): Promise<void> {
    for (const { consent, budget } of counted) {
      const known = this.consents.get(formatId('cns', consent.id))!;
      this.consents.set(formatId('cns', consent.id), { ...known, uses: consent.uses, period: consent.period });
      this.budgets.set(budgetOf(consent), budget);
    }
    this.uses = [...this.uses, ...uses.map(keptUse)];
  }

  async saveVersions(versions: readonly ConsentVersion[]): Promise<void> {
    for (const { consent } of versions) {
      const name = formatId('cns', consent.id);
      const { uses = 0, period } = this.consents.get(name) ?? {};
      this.consents.set(name, { ...consent, uses, period });
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

const budgetOf = ({ subject, participant, terms }: Consent): string => `${subject.uuid} ${participant} ${terms.purpose}`;

function keptUse({ use: { consent, n, scope, dataLifeSeconds, at }, position }: PlacedUse): KeptUse {
  const { id, participant, terms, version } = consent;
  const keepUntil = new Date(at.getTime() + dataLifeSeconds * 1_000);
  return { consent: id, n, participant, purpose: terms.purpose, version, scope, at: position.at, keepUntil, factSeq: position.seq };
}
