import type { SubjectKind } from '#contract';
import { type Facts, type ShardedId, shardOf } from '#kernel';

/** A person or merchant. Its id is random and internal; participants know it only by the reference of their own link. */
export interface Subject {
  readonly id: ShardedId;
  readonly kind: SubjectKind;
  readonly createdAt: Date;
}

export function registerSubject(uuid: string, kind: SubjectKind, at: Date): { subject: Subject; facts: Facts } {
  const id = { shard: shardOf(uuid), uuid };
  return { subject: { id, kind, createdAt: at }, facts: [{ shard: id.shard, kind: 'subject.registered', subject: uuid, body: {} }] };
}
