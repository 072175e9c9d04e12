import type { WireConsentNarrowing } from '#contract';
import type { ConsentState, ConsentTermsStatus, ConsentUseStatus } from '../bank-consents.js';
import { pagePath, rowsOf } from '../pages.js';
import type { SubjectCalls } from './subject-calls.js';

/** A consent as the subject and its services see it. */
export interface SubjectConsentStatus extends ConsentTermsStatus {
  readonly id: string;
  readonly subject: string;
  readonly link: string;
  readonly recipient: string;
  readonly state: ConsentState;
  readonly version: number;
  readonly by: 'RECIPIENT' | 'SUBJECT' | 'PLATFORM';
  readonly uses: number;
  readonly requestedAt: string;
  readonly changedAt: string;
}

/** Who saw what, when, why; `fact` stands in the log. */
export interface SubjectUseStatus extends ConsentUseStatus {
  readonly consent: string;
  readonly recipient: string;
  readonly fact: string;
}

/** What the subject decides about those who want to read its rating. Every call may be repeated; scopes `consents:read`, `consents:write`. */
export class SubjectConsents {
  constructor(private readonly calls: SubjectCalls) {}

  /** Requests and consents in every state, the newest first. */
  list(subject: string): AsyncGenerator<SubjectConsentStatus> {
    return rowsOf((after) => this.calls.get(pagePath(`/v1/subjects/${subject}/consents`, {}, after)), 'consents');
  }

  /** Every read under all its consents, the newest first. */
  uses(subject: string): AsyncGenerator<SubjectUseStatus> {
    return rowsOf((after) => this.calls.get(pagePath(`/v1/subjects/${subject}/uses`, {}, after)), 'uses');
  }

  /** Allows what was asked, or less of it. Throws `ProblemError` 422 `consent.wider`, 409 `consent.state`. */
  async grant(subject: string, consent: string, smaller: WireConsentNarrowing = {}): Promise<SubjectConsentStatus> {
    return await this.act(subject, consent, 'grant', smaller);
  }

  /** Makes a granted consent smaller; it never grows again. */
  async narrow(subject: string, consent: string, smaller: WireConsentNarrowing): Promise<SubjectConsentStatus> {
    return await this.act(subject, consent, 'narrow', smaller);
  }

  /** Says no to what was asked for. 409 `consent.state` where it was answered already. */
  async reject(subject: string, consent: string): Promise<SubjectConsentStatus> {
    return await this.act(subject, consent, 'reject');
  }

  /** Nothing may be read until it is resumed. 409 `consent.state` where it is not active. */
  async pause(subject: string, consent: string): Promise<SubjectConsentStatus> {
    return await this.act(subject, consent, 'pause');
  }

  /** Ends a pause. 409 `consent.state` where there is none. */
  async resume(subject: string, consent: string): Promise<SubjectConsentStatus> {
    return await this.act(subject, consent, 'resume');
  }

  /** When this answers, no read under it is answered any more. */
  async revoke(subject: string, consent: string): Promise<SubjectConsentStatus> {
    return await this.act(subject, consent, 'revoke');
  }

  private async act(subject: string, consent: string, step: string, body: object = {}): Promise<SubjectConsentStatus> {
    return (await this.calls.post(`/v1/subjects/${subject}/consents/${consent}/${step}`, body)) as SubjectConsentStatus;
  }
}
