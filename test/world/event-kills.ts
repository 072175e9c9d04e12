import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { formatId, Refusal, systemClock, type ShardedId } from '#kernel';
import { signRecord } from '#sdk';
import { Consents, Subjects } from '#standing';
import { nodeClerk } from '#standing/adapters/node-notary';
import { PgExchange } from '#standing/adapters/pg-exchange';
import { sampleRating } from '../../apps/cli/src/seed/seed-customers.js';
import type { Dice } from '../sim/dice.js';
import type { KillWorld } from './kill-world.js';
import type { ToyReceiver } from './toy-receiver.js';
import { insist } from './workload.js';

/** What bank A is told and has not heard yet never grows beyond this. */
const waitingMax = 40;
const dayMs = 86_400_000;

export interface Heard {
  readonly jti: string;
}

/** What goes on while processes die: subjects are linked and unlinked, bank A hears by webhook, bank B by polling, disputes run out. */
export class EventKills {
  readonly heardByPoll: Heard[] = [];
  private readonly subjects: Subjects;
  private readonly consents: Consents;
  private toldA = 0;
  private lastMs = 0;

  constructor(
    private readonly world: KillWorld,
    private readonly receiver: ToyReceiver,
  ) {
    const exchange = new PgExchange(world.database);
    this.subjects = new Subjects(exchange, nodeClerk, systemClock);
    this.consents = new Consents(exchange, nodeClerk, systemClock);
  }

  async customerOf(participant: string): Promise<{ readonly id: ShardedId; readonly ref: string; readonly link: ShardedId }> {
    const { id } = await insist(() => this.subjects.register({ caller: 'test', key: randomUUID(), kind: 'INDIVIDUAL' }));
    const link = (await insist(() => this.subjects.link(id, { participant }))).link.ref;
    return { id, link, ref: formatId('lnk', link) };
  }

  async grantedTo(participant: string): Promise<{ readonly ref: string; readonly consent: ShardedId }> {
    const { id, ref } = await this.customerOf(participant);
    const terms = { purpose: 'ACCOUNT_REVIEW', claims: ['score'], dataLifeSeconds: 3_600, fetch: { type: 'ONETIME' } } as const;
    const expiresAt = new Date(Date.now() + dayMs).toISOString();
    const { consent } = await this.consents.request(participant, randomUUID(), { sub: ref, ...terms, expiresAt } as never);
    await this.consents.act(consent.id, { kind: 'GRANT', smaller: {} }, { subject: id, via: 'test' });
    return { ref, consent: consent.id };
  }

  /** A record of bank A about a new customer of its. */
  async rated(): Promise<{ readonly jti: string; readonly jws: string }> {
    const [record] = await this.ratedOften((await this.customerOf('bank-a')).ref, 1);
    return record!;
  }

  /** Records of bank A about one customer, accepted. */
  async ratedOften(ref: string, count: number): Promise<{ readonly jti: string; readonly jws: string }[]> {
    const { bankA } = this.world;
    const records = await this.made(ref, count);
    for (const { jws } of records) await insist(() => bankA.client.submitRecord(jws));
    return records;
  }

  /** Records of bank A that it has not sent yet. */
  async made(ref: string, count: number): Promise<{ readonly jti: string; readonly jws: string }[]> {
    const making = Array.from({ length: count }, async () => {
      // Their `seq` is made of the time.
      this.lastMs = Math.max(this.lastMs + 1, Date.now());
      const payload = sampleRating('bank-a', ref, 700, new Date(this.lastMs));
      return { jti: payload.jti, jws: await signRecord(payload, this.world.bankA.signingKey) };
    });
    return await Promise.all(making);
  }

  /** Disputes whose clocks for notice, reminder and end are all due within the next seconds. */
  async disputesThatRunOut(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      const { jti } = await this.rated();
      ids.push((await insist(() => this.world.bankA.client.disputes.flag(jti, { code: 'INACCURATE' }))).id);
    }
    const owner = new pg.Client({ connectionString: this.world.config.DATABASE_URL });
    await owner.connect();
    await owner.query(
      `UPDATE disputes SET notice_by = now() + interval '0.5 s', due_soon_at = now() + interval '1.5 s', due_at = now() + interval '2.5 s',
              next_ring_at = now() + interval '0.5 s' WHERE state = 'OPEN'`,
    );
    await owner.end();
    return ids;
  }

  async tell(dice: Dice, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const a = await this.customerOf('bank-a');
      const b = await insist(() => this.subjects.link(a.id, { participant: 'bank-b' }));
      this.toldA += 1;
      if (dice.chance(0.7)) await this.end(a.id, b.link.ref);
      if (dice.chance(0.7)) {
        await this.end(a.id, a.link);
        this.toldA += 1;
      }
      while (!signal.aborted && this.toldA - this.receiver.heard.length > waitingMax) await delay(20);
    }
  }

  /** The bank's poller: acknowledges what it has, until it is told to end and nothing waits. */
  async poll(signal: AbortSignal): Promise<void> {
    const known = new Set<string>();
    let ack: string[] = [];
    for (;;) {
      const isLast = signal.aborted;
      const { sets } = await insist(() => this.world.bankB.client.pollEvents(ack, 20));
      ack = Object.keys(sets);
      for (const jti of ack.filter((one) => !known.has(one))) this.heardByPoll.push({ jti });
      for (const jti of ack) known.add(jti);
      if (isLast && ack.length === 0) return;
      if (ack.length === 0) await delay(50);
    }
  }

  // Asked twice because a reply was lost, it is refused: it has happened.
  private async end(subject: ShardedId, link: ShardedId): Promise<void> {
    await insist(() =>
      this.subjects.endLink(subject, link).catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
      }),
    );
  }
}
