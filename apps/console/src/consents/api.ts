/** Consents as the console's page reads them. Times are RFC 3339, ids are external. */

export interface ConsentTermsView {
  readonly purpose: string;
  readonly claims?: readonly string[];
  readonly threshold?: { readonly atLeast: number };
  readonly fetch: { readonly type: 'ONETIME' | 'PERIODIC'; readonly count?: number; readonly every?: string };
  readonly dataLifeSeconds: number;
  readonly notBefore: string;
  readonly expiresAt: string;
}

export interface ConsentView extends ConsentTermsView {
  readonly id: string;
  readonly subject: string;
  readonly link: string;
  readonly recipient: string;
  readonly state: string;
  readonly version: number;
  readonly by: 'RECIPIENT' | 'SUBJECT' | 'PLATFORM';
  readonly uses: number;
  readonly requestedAt: string;
  readonly changedAt: string;
}

/** One version, with what its artefact says: the recipient gets exactly this, signed. */
export interface ConsentVersionView {
  readonly version: number;
  readonly happened: string;
  readonly at: string;
  /** The service through which the subject acted, or what of the platform's made it so. */
  readonly via: string;
  readonly fact: string;
  readonly content: unknown;
}

/** One read: who saw what, when, why. */
export interface ConsentUseView {
  readonly consent: string;
  readonly recipient: string;
  readonly n: number;
  readonly version: number;
  readonly purpose: string;
  readonly claims?: readonly string[];
  readonly threshold?: { readonly atLeast: number };
  readonly at: string;
  readonly keepUntil: string;
  readonly fact: string;
}

export interface OneConsentView {
  readonly consent: ConsentView;
  readonly rows: readonly ConsentVersionView[];
  readonly next: string | null;
}
