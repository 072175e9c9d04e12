import { type Facts, Refusal, shardOf } from '#kernel';

export type PolicyState = 'DRAFT' | 'SHADOW' | 'APPROVED' | 'ACTIVE' | 'RETIRED';

/** What never changes about a version once it is drafted. */
export interface DraftedPolicy {
  readonly version: bigint;
  readonly id: string;
  /** SHA-256 of `text`, hex. */
  readonly hash: string;
  /** The document in canonical form (RFC 8785). */
  readonly text: string;
}

/** One version of the policy and how far it has come. */
export interface PolicyVersion extends DraftedPolicy {
  readonly state: PolicyState;
  readonly author: string;
  readonly draftedAt: Date;
  /** Since when its answers are compared with those of the active version; kept when the comparison has ended. */
  readonly shadowedAt: Date | undefined;
  /** Who took the step, here and below. Not known of steps of before 2026-11-22. */
  readonly shadowedBy: string | undefined;
  readonly approver: string | undefined;
  readonly approvedAt: Date | undefined;
  /** From when it is to decide, where that was set. */
  readonly activateAt: Date | undefined;
  readonly scheduledBy: string | undefined;
  readonly activatedAt: Date | undefined;
  /** Of a version that a schedule activated, who set the time. */
  readonly activatedBy: string | undefined;
  readonly retiredAt: Date | undefined;
  /** Of a version that another one replaced, who activated that one. */
  readonly retiredBy: string | undefined;
}

/** Versions as they are to be saved, in this order, with the facts that explain them. */
export interface PolicyChange {
  readonly versions: readonly [PolicyVersion, ...PolicyVersion[]];
  readonly facts: Facts;
}

const PERSON = /^[a-z0-9][a-z0-9._@-]{1,63}$/;

/** Who signs. One spelling per person, or four eyes could be two. Refuses 400 `policy.person_malformed`. */
export function parsePerson(name: string): string {
  if (PERSON.test(name)) return name;
  throw new Refusal(
    'malformed',
    'policy.person_malformed',
    'a person is 2 to 64 of a-z, 0-9 and . _ @ -, beginning with a letter or digit',
  );
}

/** A new version. Refuses 409 `policy.version_taken`; the same content again changes nothing. */
export function draftPolicy(known: PolicyVersion | undefined, drafted: DraftedPolicy, author: string, at: Date): PolicyChange | undefined {
  if (known?.hash === drafted.hash) return undefined;
  if (known) {
    const detail = `version ${drafted.version} exists with other content; raise the version`;
    throw new Refusal('conflict', 'policy.version_taken', detail, { field: '/version' });
  }
  const none = {
    shadowedAt: undefined,
    shadowedBy: undefined,
    approver: undefined,
    approvedAt: undefined,
    activateAt: undefined,
    scheduledBy: undefined,
    activatedAt: undefined,
    activatedBy: undefined,
    retiredAt: undefined,
    retiredBy: undefined,
  };
  return changed('policy.drafted', { ...drafted, ...none, state: 'DRAFT', author, draftedAt: at }, author);
}

/** Each version in shadow costs the worker one more evaluation of every decision. */
export const shadowsMax = 3;

/**
 * Lets a draft be tried beside the active version until it is approved or retired. Refuses 409 `policy.state` and `policy.shadows_full`;
 * a version already in shadow stays there.
 */
export function shadowPolicy(known: PolicyVersion, shadows: number, by: string, at: Date): PolicyChange | undefined {
  if (known.state === 'SHADOW') return undefined;
  if (known.state !== 'DRAFT') throw wrongState(known, 'only a draft can be tried in shadow');
  if (shadows >= shadowsMax) {
    const detail = `${shadowsMax} versions are in shadow already: approve or retire one of them first`;
    throw new Refusal('conflict', 'policy.shadows_full', detail, { limit: `shadowsMax=${shadowsMax}` });
  }
  return changed('policy.shadowed', { ...known, state: 'SHADOW', shadowedAt: at, shadowedBy: by }, by);
}

/** The second pair of eyes. Refuses 409 `policy.four_eyes` and `policy.state`; the same approval again changes nothing. */
export function approvePolicy(known: PolicyVersion, approver: string, at: Date): PolicyChange | undefined {
  if (known.author === approver) throw new Refusal('conflict', 'policy.four_eyes', 'the approver of a policy is not its author');
  if (known.state === 'APPROVED' && known.approver === approver) return undefined;
  if (known.state !== 'DRAFT' && known.state !== 'SHADOW') throw wrongState(known, 'only a draft can be approved');
  return changed('policy.approved', { ...known, state: 'APPROVED', approver, approvedAt: at }, approver);
}

/** Clocks differ a little, and who picks the present minute in a form means now. */
const activationLateMsMax = 60_000;

/** Whether a set time is still to come; if not, it means now. Refuses 422 `policy.activation_past`: no version decides what was decided already. */
export function liesAhead(activateAt: Date, at: Date): boolean {
  if (at.getTime() - activateAt.getTime() <= activationLateMsMax) return activateAt > at;
  const detail = `${activateAt.toISOString()} is past, and what was decided since stays decided: leave the time out to activate at once`;
  throw new Refusal('unprocessable', 'policy.activation_past', detail, { field: '/at', extra: { now: at.toISOString() } });
}

/** From when it is to decide; may be set anew until then. Refuses 409 `policy.state`. */
export function schedulePolicy(known: PolicyVersion, activateAt: Date, by: string): PolicyChange {
  if (known.state !== 'APPROVED') throw wrongState(known, 'only an approved version can be set for a time');
  return changed('policy.scheduled', { ...known, activateAt, scheduledBy: by }, by, { activateAt: activateAt.toISOString() });
}

/**
 * Makes it the one that decides and retires the one before. A version that was active once may come back: it was approved as it stands,
 * and going back must be quick. Refuses 409 `policy.state`; activating the active version changes nothing.
 */
export function activatePolicy(
  known: PolicyVersion,
  active: PolicyVersion | undefined,
  by: string | undefined,
  at: Date,
): PolicyChange | undefined {
  if (known.state === 'ACTIVE') return undefined;
  const returns = known.state === 'RETIRED' && known.activatedAt !== undefined;
  if (known.state !== 'APPROVED' && !returns) throw wrongState(known, 'only an approved version can be activated');
  const next = { ...known, state: 'ACTIVE', activatedAt: at, activatedBy: by, retiredAt: undefined, retiredBy: undefined } as const;
  const { versions, facts } = changed('policy.activated', next, by, active && { replaces: String(active.version) });
  if (!active) return { versions, facts };
  const before = changed('policy.retired', { ...active, state: 'RETIRED', retiredAt: at, retiredBy: by }, by, {
    replacedBy: String(known.version),
  });
  return { versions: [...before.versions, next], facts: [...before.facts, ...facts] };
}

/** What becomes of a version whose time has come: it decides, unless a later version was activated while it waited. Done by whoever set the time. */
export function carryOutSchedule(known: PolicyVersion, active: PolicyVersion | undefined, at: Date): PolicyChange | undefined {
  if (known.state !== 'APPROVED' || known.activateAt === undefined || known.activateAt > at) return undefined;
  const by = known.scheduledBy;
  return active && active.version > known.version ? retirePolicy(known, by, at) : activatePolicy(known, active, by, at);
}

/** Puts a version away that does not decide. Refuses 409 `policy.in_force`: the active one ends by activating another. */
export function retirePolicy(known: PolicyVersion, by: string | undefined, at: Date): PolicyChange | undefined {
  if (known.state === 'RETIRED') return undefined;
  if (known.state === 'ACTIVE') {
    throw new Refusal('conflict', 'policy.in_force', `version ${known.version} decides now: activate another one to replace it`);
  }
  return changed('policy.retired', { ...known, state: 'RETIRED', retiredAt: at, retiredBy: by }, by);
}

function wrongState({ version, state }: PolicyVersion, why: string): Refusal {
  return new Refusal('conflict', 'policy.state', `version ${version} is ${state}: ${why}`, { extra: { state } });
}

function changed(kind: string, next: PolicyVersion, by: string | undefined, more: Readonly<Record<string, string>> = {}): PolicyChange {
  const { id, version, hash, author, approver } = next;
  const signatures = { author, ...(approver === undefined ? {} : { approver }), ...(by === undefined ? {} : { by }) };
  return {
    versions: [next],
    facts: [{ shard: shardOf(id), kind, body: { policy: id, version: String(version), hash, ...signatures, ...more } }],
  };
}
