import type { ConsentPeriod, ConsentPurpose, RatingClaim } from '#contract';
import type { Shard } from '#kernel';
import type { Consent, ConsentActor, ConsentScope, ConsentState } from '../consent.js';
import type { ConsentVersion, Counted, KeptUse, PlacedUse } from '../consent-store.js';

/** A row of `consents`. */
export interface ConsentRow {
  shard: Shard;
  id: string;
  subject: string;
  link: string;
  participant_id: string;
  purpose: ConsentPurpose;
  claims: RatingClaim[] | null;
  threshold: number | null;
  fetch_type: 'ONETIME' | 'PERIODIC';
  fetch_count: number | null;
  fetch_every: ConsentPeriod | null;
  data_life_seconds: number;
  not_before: Date;
  expires_at: Date;
  state: ConsentState;
  version: number;
  changed_by: ConsentActor;
  requested_at: Date;
  changed_at: Date;
  uses: number;
  period_start: string | null;
  period_uses: number;
}

export interface UseRow {
  shard: Shard;
  consent: string;
  n: number;
  participant_id: string;
  purpose: ConsentPurpose;
  version: number;
  claims: RatingClaim[] | null;
  threshold: number | null;
  at: Date;
  keep_until: Date;
  fact_seq: bigint;
}

export function readConsent(row: ConsentRow): Consent {
  const { shard } = row;
  return {
    id: { shard, uuid: row.id },
    subject: { shard, uuid: row.subject },
    link: { shard, uuid: row.link },
    participant: row.participant_id,
    terms: {
      purpose: row.purpose,
      scope: readScope(row),
      fetch: row.fetch_type === 'ONETIME' ? { type: 'ONETIME' } : { type: 'PERIODIC', count: row.fetch_count!, every: row.fetch_every! },
      dataLifeSeconds: row.data_life_seconds,
      notBefore: row.not_before,
      expiresAt: row.expires_at,
    },
    state: row.state,
    version: row.version,
    by: row.changed_by,
    requestedAt: row.requested_at,
    changedAt: row.changed_at,
    uses: row.uses,
    period: row.period_start === null ? undefined : { start: row.period_start, uses: row.period_uses },
  };
}

export function readUse(row: UseRow): KeptUse {
  return {
    consent: { shard: row.shard, uuid: row.consent },
    n: row.n,
    participant: row.participant_id,
    purpose: row.purpose,
    version: row.version,
    scope: readScope(row),
    at: row.at,
    keepUntil: row.keep_until,
    factSeq: row.fact_seq,
  };
}

export function versionRow({ consent, happened, content, salt, via, position }: ConsentVersion) {
  const { id, subject, link, participant, terms, state, version, by, requestedAt, changedAt } = consent;
  return {
    shard: id.shard,
    id: id.uuid,
    subject: subject.uuid,
    link: link.uuid,
    participant_id: participant,
    purpose: terms.purpose,
    ...scopeRow(terms.scope),
    fetch_type: terms.fetch.type,
    ...(terms.fetch.type === 'PERIODIC' ? { fetch_count: terms.fetch.count, fetch_every: terms.fetch.every } : {}),
    data_life_seconds: terms.dataLifeSeconds,
    not_before: terms.notBefore,
    expires_at: terms.expiresAt,
    state,
    version,
    changed_by: by,
    requested_at: requestedAt,
    changed_at: changedAt,
    happened,
    at: position.at,
    via,
    content,
    salt,
    fact_seq: position.seq.toString(),
  };
}

export function countedRow({ consent: { id, subject, participant, terms, uses, period }, budget }: Counted) {
  return {
    shard: id.shard,
    id: id.uuid,
    subject: subject.uuid,
    participant_id: participant,
    purpose: terms.purpose,
    uses,
    period_start: period?.start,
    period_uses: period?.uses ?? 0,
    day: budget.day,
    day_calls: budget.dayCalls,
    month: budget.month,
    month_calls: budget.monthCalls,
  };
}

export function useRow({ use: { consent, n, scope, dataLifeSeconds, at }, position }: PlacedUse) {
  const { id, subject, participant, terms, version } = consent;
  return {
    shard: id.shard,
    consent: id.uuid,
    n,
    subject: subject.uuid,
    participant_id: participant,
    purpose: terms.purpose,
    version,
    ...scopeRow(scope),
    at: position.at,
    keep_until: new Date(at.getTime() + dataLifeSeconds * 1_000),
    fact_seq: position.seq.toString(),
  };
}

function readScope({ claims, threshold }: Pick<ConsentRow, 'claims' | 'threshold'>): ConsentScope {
  return claims ? { claims } : { threshold: { atLeast: threshold! } };
}

function scopeRow(scope: ConsentScope) {
  return 'claims' in scope ? { claims: scope.claims } : { threshold: scope.threshold.atLeast };
}
