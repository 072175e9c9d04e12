import { canonicalize } from '#evidence';
import { Refusal } from '#kernel';
import { compilePolicy, type Policy } from './compile.js';
import { parsePolicy } from './document.js';
import {
  activatePolicy,
  approvePolicy,
  carryOutSchedule,
  draftPolicy,
  type DraftedPolicy,
  liesAhead,
  parsePerson,
  type PolicyChange,
  type PolicyVersion,
  retirePolicy,
  schedulePolicy,
  shadowPolicy,
} from './lifecycle.js';
import type { PolicyBook, PolicyShelf } from './store.js';

export interface PolicySignatures {
  readonly author: string;
  readonly approver: string;
}

type Sha256Hex = (text: string) => string;

/**
 * Takes versions of the policy through their life, each step by a person and in one transaction with its facts. All refuse 404 `policy.unknown` and
 * 400 `policy.person_malformed`.
 */
export class PolicyLife {
  constructor(
    private readonly book: PolicyBook,
    private readonly sha256Hex: Sha256Hex,
  ) {}

  /** Refuses 400 `policy.malformed`, 422 `policy.inconsistent` and what `draftPolicy` refuses. */
  async draft(input: unknown, author: string, at: Date): Promise<PolicyVersion> {
    const { drafted } = readDraft(input, this.sha256Hex);
    const person = parsePerson(author);
    return await this.book.transaction((shelf) => saveDraft(shelf, drafted, person, at));
  }

  /** When this answers, every decision saved from now on is compared, until the version is approved or retired. */
  async shadow(version: bigint, by: string, at: Date): Promise<PolicyVersion> {
    const person = parsePerson(by);
    return await this.book.transaction(async (shelf) => {
      const known = await shelf.find(version);
      if (!known) throw policyUnknown(version);
      return await save(shelf, known, shadowPolicy(known, await shelf.countShadows(), person, at));
    });
  }

  async approve(version: bigint, approver: string, at: Date): Promise<PolicyVersion> {
    const person = parsePerson(approver);
    return await this.step(version, (known) => approvePolicy(known, person, at));
  }

  /**
   * At once, or where `activateAt` lies ahead, then. When this answers ACTIVE, no decision is saved on another version any more. Refuses
   * 422 `policy.activation_past`: what was decided since stays decided.
   */
  async activate(version: bigint, by: string, at: Date, activateAt?: Date): Promise<PolicyVersion> {
    const person = parsePerson(by);
    if (activateAt && liesAhead(activateAt, at)) return await this.step(version, (known) => schedulePolicy(known, activateAt, person));
    return await this.step(version, (known, active) => activatePolicy(known, active, person, at));
  }

  async retire(version: bigint, by: string, at: Date): Promise<PolicyVersion> {
    const person = parsePerson(by);
    return await this.step(version, (known) => retirePolicy(known, person, at));
  }

  /** Carries out the schedules whose time has come, in their order. Answers how many; two workers at once do it once. */
  async activateDue(at: Date): Promise<number> {
    const due = await this.book.due(at);
    for (const version of due) await this.step(version, (known, active) => carryOutSchedule(known, active, at));
    return due.length;
  }

  /**
   * Drafted by one, approved and activated by the other, in one transaction: how an installation gets its first policy.
   * Activating the active document again changes nothing. Refuses whatever the single steps refuse.
   */
  async adopt(input: unknown, signatures: PolicySignatures, at: Date): Promise<Policy> {
    const { policy, drafted } = readDraft(input, this.sha256Hex);
    const [author, approver] = [parsePerson(signatures.author), parsePerson(signatures.approver)];
    if (author === approver) throw new Refusal('conflict', 'policy.four_eyes', 'the approver of a policy is not its author');
    await this.book.transaction(async (shelf) => {
      let version = await saveDraft(shelf, drafted, author, at);
      if (version.state === 'DRAFT' || version.state === 'SHADOW')
        version = await save(shelf, version, approvePolicy(version, approver, at));
      await save(shelf, version, activatePolicy(version, await shelf.findActive(), approver, at));
    });
    return policy;
  }

  private async step(
    version: bigint,
    rule: (known: PolicyVersion, active: PolicyVersion | undefined) => PolicyChange | undefined,
  ): Promise<PolicyVersion> {
    return await this.book.transaction(async (shelf) => {
      const known = await shelf.find(version);
      if (!known) throw policyUnknown(version);
      return await save(shelf, known, rule(known, await shelf.findActive()));
    });
  }
}

export function policyUnknown(version: bigint): Refusal {
  return new Refusal('not_found', 'policy.unknown', `there is no policy version ${version}`);
}

function readDraft(input: unknown, sha256Hex: Sha256Hex): { policy: Policy; drafted: DraftedPolicy } {
  const document = parsePolicy(input);
  const text = canonicalize(document);
  const policy = compilePolicy(document, sha256Hex(text));
  return { policy, drafted: { version: policy.version, id: policy.id, hash: policy.hash, text } };
}

async function saveDraft(shelf: PolicyShelf, drafted: DraftedPolicy, author: string, at: Date): Promise<PolicyVersion> {
  const known = await shelf.find(drafted.version);
  const change = draftPolicy(known, drafted, author, at);
  if (change) await shelf.save(change);
  return change?.versions[0] ?? known!;
}

/** The version as it is afterwards: the last of what changed is what was asked for. */
async function save(shelf: PolicyShelf, known: PolicyVersion, change: PolicyChange | undefined): Promise<PolicyVersion> {
  if (!change) return known;
  await shelf.save(change);
  return change.versions.at(-1)!;
}
