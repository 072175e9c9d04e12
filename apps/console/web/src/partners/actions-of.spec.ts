import { describe, expect, it } from 'vitest';
import type { WebhookView } from '../../../src/api.js';
import { actionsOf } from './actions-of.js';

const failing: WebhookView = {
  origin: 'https://bank.example',
  state: 'FAILING',
  pausedWhy: null,
  trouble: 'timeout',
  failing: 3,
  dead: 2,
  nextTryAt: '2026-11-22T17:00:00.000Z',
  deliveredAt: null,
};
const labels = (state: Parameters<typeof actionsOf>[0]['state'], webhook: WebhookView | null) =>
  actionsOf({ state, webhook, suspension: null, closing: null }).map(({ label }) => label);

describe('what staff can do to a partner', () => {
  it('is nothing once it is closed, however its webhook fared', () => {
    expect(labels('CLOSED', failing)).toEqual([]);
  });

  it('follows from its state and its webhook', () => {
    expect(labels('ACTIVE', failing)).toEqual(['Suspend', 'Pause the webhook', 'Send dead letters again']);
    expect(labels('SUSPENDED', null)).toEqual(['Lift the suspension', 'Propose to close']);
    expect(labels('ACTIVE', { ...failing, state: 'PAUSED', dead: 0 })).toEqual(['Suspend', 'Resume the webhook']);
  });
});
