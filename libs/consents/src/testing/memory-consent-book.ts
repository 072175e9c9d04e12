import type { ShardedId } from '#kernel';
import type { Link } from '../link.js';
import type { ConsentBook, SubjectRequest } from '../store.js';
import type { Subject } from '../subject.js';

/** The consent book in memory. Whoever uses it runs one transaction at a time, so holding needs no lock. */
export class MemoryConsentBook implements ConsentBook {
  private requests = new Map<string, SubjectRequest>();
  private subjects = new Map<string, Subject>();
  private links = new Map<string, Link>();

  /** Remembers the present; the answer goes back to it. */
  snapshot(): () => void {
    const { requests, subjects, links } = this;
    [this.requests, this.subjects, this.links] = [new Map(requests), new Map(subjects), new Map(links)];
    return () => ([this.requests, this.subjects, this.links] = [requests, subjects, links]);
  }

  async claimRequest(request: SubjectRequest): Promise<SubjectRequest | undefined> {
    const name = `${request.caller} ${request.key}`;
    const first = this.requests.get(name);
    if (!first) this.requests.set(name, request);
    return first;
  }

  async addSubject(subject: Subject): Promise<void> {
    if (this.subjects.has(subject.id.uuid)) throw new Error('subjects_pkey');
    this.subjects.set(subject.id.uuid, subject);
  }

  async holdSubject(id: ShardedId): Promise<Subject | undefined> {
    const subject = this.subjects.get(id.uuid);
    return subject?.id.shard === id.shard ? subject : undefined;
  }

  async holdSubjectOf(ref: ShardedId): Promise<Subject | undefined> {
    const link = this.links.get(ref.uuid);
    return link && link.ref.shard === ref.shard ? this.holdSubject(link.subject) : undefined;
  }

  async linksOf(subject: ShardedId): Promise<Link[]> {
    return [...this.links.values()]
      .filter((link) => link.subject.uuid === subject.uuid)
      .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.ref.uuid < b.ref.uuid ? -1 : 1));
  }

  async addLink(link: Link): Promise<void> {
    const rival = [...this.links.values()].find(
      (other) => other.subject.uuid === link.subject.uuid && other.participant === link.participant && other.endedAt === undefined,
    );
    if (rival) throw new Error('links_one_active');
    this.links.set(link.ref.uuid, { customerReference: undefined, endedAt: undefined, ...link });
  }

  async saveEnd(link: Link): Promise<void> {
    const known = this.links.get(link.ref.uuid);
    if (known && known.endedAt === undefined) this.links.set(link.ref.uuid, { ...known, endedAt: link.endedAt });
  }
}
