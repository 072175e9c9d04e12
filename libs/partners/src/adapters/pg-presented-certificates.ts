import type { Clock } from '#kernel';
import { appendFacts, type Database } from '#platform';
import { participantFact } from '../participant.js';
import type { PresentedCertificate } from '../registry-view.js';

/** So many are remembered as kept; a process that meets more asks the table again. */
const rememberedMax = 10_000;

/**
 * Owns `presented_certificates`: each certificate that a record or batch came with, kept once, before the first of them is accepted. So
 * the fact of a record can name its certificate by the fingerprint alone.
 */
export class PgPresentedCertificates {
  private readonly kept = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Keeps the certificate and its chain (PEM: leaf, authority) with the fact that binds them, where that was not done before. */
  async keep(participant: string, { x5t, issuer, serial, chain }: PresentedCertificate & { readonly chain: string }): Promise<void> {
    const name = `${participant} ${x5t}`;
    if (this.kept.has(name)) return;
    await this.database.transaction(async (tx) => {
      const [added] = await tx.query(
        `INSERT INTO presented_certificates (participant, x5t, chain, seen_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING x5t`,
        [participant, x5t, chain, this.clock.now()],
      );
      if (!added) return;
      const body = { x5t, issuer, serial };
      await appendFacts(tx, [participantFact(participant, 'participant.certificate_presented', body)]);
    });
    if (this.kept.size >= rememberedMax) this.kept.clear();
    this.kept.add(name);
  }

  async findChain(participant: string, x5t: string): Promise<string | undefined> {
    const [row] = await this.database.query<{ chain: string }>(
      `SELECT chain FROM presented_certificates WHERE participant = $1 AND x5t = $2`,
      [participant, x5t],
    );
    return row?.chain;
  }
}
