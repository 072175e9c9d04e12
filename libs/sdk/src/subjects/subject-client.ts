import type { CreateLinkRequest, SubjectKind } from '#contract';
import { type HttpOptions, RepeatingHttp } from '../repeating-http.js';
import { SubjectCalls } from './subject-calls.js';
import { SubjectConsents } from './subject-consents.js';
import { SubjectDisputes } from './subject-disputes.js';

export interface LinkStatus {
  /** How the bank knows the subject. */
  readonly ref: string;
  readonly subject: string;
  readonly participant: string;
  readonly state: 'ACTIVE' | 'ENDED';
  readonly createdAt: string;
  readonly endedAt?: string;
}

/**
 * What people do through a service of the house: they are registered and linked to banks (scope `subjects:write`), decide who reads their rating, and
 * dispute what banks say of them. Rejects as `DecisionClient` does.
 */
export class SubjectClient {
  readonly consents: SubjectConsents;
  readonly disputes: SubjectDisputes;
  private readonly http: RepeatingHttp;
  private readonly calls: SubjectCalls;

  constructor(options: HttpOptions) {
    this.http = new RepeatingHttp(options);
    this.calls = new SubjectCalls(this.http);
    this.consents = new SubjectConsents(this.calls);
    this.disputes = new SubjectDisputes(this.calls);
  }

  /** The same key gives the same subject. */
  async register(kind: SubjectKind, key: string): Promise<{ readonly id: string; readonly kind: SubjectKind }> {
    return (await this.calls.post('/v1/subjects', { kind }, key)) as { id: string; kind: SubjectKind };
  }

  /** Lets a bank report on the subject, and ask it for consents. Asked again, the same link. */
  async link(subject: string, request: CreateLinkRequest): Promise<LinkStatus> {
    return (await this.calls.post(`/v1/subjects/${subject}/links`, request)) as LinkStatus;
  }

  /** Ends a link, and with it the consents of that bank. */
  async endLink(subject: string, ref: string): Promise<LinkStatus> {
    return (await this.calls.post(`/v1/subjects/${subject}/links/${ref}/end`, {})) as LinkStatus;
  }

  /** Ends its connections. Nothing can be called afterwards. */
  async close(): Promise<void> {
    await this.http.close();
  }
}
