import type { TraceDetail } from '../api.js';

type Body = Readonly<Record<string, unknown>>;

const text = (label: string, value: unknown, form: TraceDetail['form'] = 'text'): TraceDetail[] =>
  typeof value === 'string' || typeof value === 'number' ? [{ label, value: String(value), form }] : [];

const bodyOf = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {});

/** One row per kind of record: what of its body a person wants to read first. */
const READERS: Readonly<Record<string, (body: Body) => TraceDetail[]>> = {
  rating: (body) => [...rated(body), ...text('Band', body['band']), ...text('Model', bodyOf(body['model'])['id'])],
  performance: (body) => [...text('Account status', body['status']), ...text('Payment profile', body['paymentProfile'])],
  violation: (body) => [
    ...text('Violation', body['code']),
    ...text('Severity', body['severity']),
    ...text('Occurred', body['occurredAt'], 'time'),
  ],
  clearance: (body) => text('Cleared', body['clearedAt'], 'time'),
  withdrawal: (body) => text('Reason', body['reason']),
  correction: (body) => [
    ...text('Reason', body['reason']),
    ...['rating', 'performance', 'violation'].flatMap((kind) => (body[kind] === undefined ? [] : READERS[kind]!(bodyOf(body[kind])))),
  ],
};

function rated(body: Body): TraceDetail[] {
  const scale = bodyOf(body['scale']);
  return text('Their score', `${String(body['score'])} on ${String(scale['min'])}–${String(scale['max'])}`);
}

/** What a record says, from the payload its issuer signed. */
export function recordDetails(kind: string, payload: unknown): TraceDetail[] {
  const whole = bodyOf(payload);
  return [
    ...(READERS[kind]?.(bodyOf(whole[kind])) ?? []),
    ...text('As of', whole['asOf'], 'time'),
    ...text('Valid until', whole['validUntil'], 'time'),
  ];
}
