import type { PartnerView } from '../../../src/api.js';

/** Something that staff can do to a partner now. With `asks` it needs a reason, which stands in the log. */
export interface Action {
  readonly path: string;
  readonly label: string;
  readonly asks: boolean;
  readonly color?: string;
  readonly later?: true;
}

type Standing = Pick<PartnerView, 'state' | 'suspension' | 'closing' | 'webhook'>;

/** A closed partner stays closed, and is told nothing any more. */
export function actionsOf(partner: Standing): Action[] {
  return partner.state === 'CLOSED' ? [] : [...ofPartner(partner), ...ofWebhook(partner)];
}

function ofPartner({ state, suspension, closing }: Standing): Action[] {
  const actions: Action[] = [];
  if (state === 'ENROLLED') actions.push({ path: 'activation', label: 'Activate', asks: true });
  if (state === 'ACTIVE' && suspension) actions.push({ path: 'suspension/cancel', label: 'Cancel the suspension', asks: false });
  if (state === 'ACTIVE') actions.push({ path: 'suspension', label: 'Suspend', asks: true, later: true });
  if (state === 'SUSPENDED') actions.push({ path: 'activation', label: 'Lift the suspension', asks: true });
  if (['INVITED', 'ENROLLED', 'SUSPENDED'].includes(state)) {
    if (!closing) actions.push({ path: 'closing', label: 'Propose to close', asks: true, color: 'red' });
    else actions.push({ path: 'closing/withdraw', label: 'Withdraw the proposal', asks: false });
    if (closing && !closing.byMe) actions.push({ path: 'closing/confirm', label: 'Confirm: close for good', asks: false, color: 'red' });
  }
  return actions;
}

function ofWebhook({ webhook }: Standing): Action[] {
  const actions: Action[] = [];
  if (webhook?.state === 'PAUSED') actions.push({ path: 'webhook/resume', label: 'Resume the webhook', asks: false });
  else if (webhook) actions.push({ path: 'webhook/pause', label: 'Pause the webhook', asks: true });
  if (webhook && webhook.dead > 0) actions.push({ path: 'webhook/resend', label: 'Send dead letters again', asks: false });
  return actions;
}
