/** Partners as the console's page reads them. Times are RFC 3339. */

export interface CertificateView {
  readonly fingerprint: string;
  readonly serial: string;
  readonly state: string;
  readonly notAfter: string;
}

export interface KeyView {
  readonly kid: string;
  readonly algorithm: string;
  readonly state: string;
  /** Null: it has no end. */
  readonly notAfter: string | null;
}

export interface PartnerView {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly stateReason: string | null;
  /** A suspension that is set for a time. */
  readonly suspension: { readonly from: string; readonly reason: string } | null;
  /** A closing that waits for a second person; `byMe`: that must be somebody else than the reader. */
  readonly closing: { readonly by: string; readonly byMe: boolean; readonly reason: string; readonly at: string } | null;
  /** From where it may call; empty: from anywhere. */
  readonly addresses: readonly string[];
  readonly certificates: readonly CertificateView[];
  readonly keys: readonly KeyView[];
  /** The highest `seq` of an accepted record; null: none yet. */
  readonly lastSeq: string | null;
  readonly eventsWaiting: number;
  /** Null: it polls. */
  readonly webhook: WebhookView | null;
  /** How its receiver fared when it was last probed (`tallystick conformance --partner`); null: never. */
  readonly conformance: { readonly at: string; readonly probes: number; readonly failed: readonly string[] } | null;
}

export interface WebhookView {
  /** Without path and query, which may hold a bank's secret. */
  readonly origin: string;
  readonly state: 'UNCONFIRMED' | 'ACTIVE' | 'FAILING' | 'PAUSED';
  readonly pausedWhy: string | null;
  /** The last trouble in the endpoint's words or ours; null: it is well. */
  readonly trouble: string | null;
  readonly nextTryAt: string | null;
  readonly deliveredAt: string | null;
  readonly failing: number;
  readonly dead: number;
}
