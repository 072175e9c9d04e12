import { CERTIFICATE_CHECKED } from '#evidence';
import type { Clock } from '#kernel';
import { appendFacts, type Database, type Tx } from '#platform';
import type { TransportIdentity } from '#platform/adapters/mtls-peer';
import { participantFact } from '../participant.js';

/** So many are remembered as kept; a process that meets more asks the table again. */
const rememberedMax = 10_000;

type Presented = Pick<TransportIdentity, 'x5t' | 'issuer' | 'serial' | 'chain' | 'list'>;

/**
 * Owns `presented_certificates`, `revocation_lists` and `certificate_checks`: each certificate that a record or batch came with, and each list in
 * which it was not found, kept once, before the first of them is accepted. So the fact of a record can name its certificate by the
 * fingerprint alone.
 */
export class PgPresentedCertificates {
  private readonly kept = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Keeps the certificate, its chain (PEM: leaf, authority) and the list it was checked with, with the facts that bind them, where that was not done before. */
  async keep(participant: string, presented: Presented): Promise<void> {
    const name = `${participant} ${presented.x5t} ${presented.list?.digest}`;
    if (this.kept.has(name)) return;
    await this.database.transaction(async (tx) => {
      const [first, ...more] = [
        ...(await this.keepCertificate(tx, participant, presented)),
        ...(await this.keepCheck(tx, participant, presented)),
      ];
      if (first) await appendFacts(tx, [first, ...more]);
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

  /** The bytes of a list, DER. */
  async findList(list: string): Promise<Uint8Array | undefined> {
    const [row] = await this.database.query<{ der: Buffer }>(`SELECT der FROM revocation_lists WHERE list = $1`, [list]);
    return row?.der;
  }

  /** Its fact names the list, too: so nobody can leave the list out of the evidence of a record unseen. */
  private async keepCertificate(tx: Tx, participant: string, { x5t, issuer, serial, chain, list }: Presented) {
    const [added] = await tx.query(
      `INSERT INTO presented_certificates (participant, x5t, chain, seen_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING x5t`,
      [participant, x5t, chain, this.clock.now()],
    );
    const body = { x5t, issuer, serial, ...(list ? { list: list.digest } : {}) };
    return added ? [participantFact(participant, 'participant.certificate_presented', body)] : [];
  }

  private async keepCheck(tx: Tx, participant: string, { x5t, issuer, list }: Presented) {
    if (!list) return [];
    const { digest, thisUpdate, nextUpdate, der } = list;
    await tx.query(
      `INSERT INTO revocation_lists (list, authority, this_update, next_update, der) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [digest, issuer, thisUpdate, nextUpdate, der],
    );
    const [added] = await tx.query(
      `INSERT INTO certificate_checks (participant, x5t, list, checked_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING list`,
      [participant, x5t, digest, this.clock.now()],
    );
    const body = { x5t, list: digest, thisUpdate: thisUpdate.toISOString(), nextUpdate: nextUpdate.toISOString() };
    return added ? [participantFact(participant, CERTIFICATE_CHECKED, body)] : [];
  }
}
