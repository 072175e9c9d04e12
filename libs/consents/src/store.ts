import type { SubjectKind } from '#contract';
import type { ShardedId } from '#kernel';
import type { Link } from './link.js';
import type { Subject } from './subject.js';

/** A caller's request to register a subject, under its idempotency key. */
export interface SubjectRequest {
  readonly caller: string;
  readonly key: string;
  readonly kind: SubjectKind;
  readonly subject: ShardedId;
}

/** What is known of subjects and links, inside one transaction. */
export interface ConsentBook {
  /** Takes the key for this request; answers the request that took it first, where there is one. A concurrent taker is waited for. */
  claimRequest(request: SubjectRequest, at: Date): Promise<SubjectRequest | undefined>;
  addSubject(subject: Subject): Promise<void>;
  /** Whoever holds a subject is alone in changing what is known of it, to the end of the transaction. */
  holdSubject(id: ShardedId): Promise<Subject | undefined>;
  holdSubjectOf(ref: ShardedId): Promise<Subject | undefined>;
  /** Active and ended ones, oldest first. */
  linksOf(subject: ShardedId): Promise<Link[]>;
  addLink(link: Link): Promise<void>;
  /** Saves the end of a link. */
  saveEnd(link: Link): Promise<void>;
}
