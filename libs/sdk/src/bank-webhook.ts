import type { GatewayClient } from './gateway-client.js';
import { pagePath } from './pages.js';

export interface WebhookStatus {
  readonly url: string;
  /** Empty: every kind. */
  readonly kinds: readonly string[];
  readonly state: 'UNCONFIRMED' | 'ACTIVE' | 'FAILING' | 'PAUSED';
  readonly trouble?: { readonly inARow: number; readonly last?: { err: string; description?: string }; readonly nextTryAt?: string };
  readonly events: { readonly waiting: number; readonly failing: number; readonly dead: number };
}

export interface DeadLetterStatus {
  readonly jti: string;
  readonly kind: string;
  readonly sub?: string;
  readonly at: string;
  readonly deadAt: string;
  readonly failures: number;
  readonly failure: { err: string; description?: string };
}

/** Where the gateway pushes our events to. `EventReceiver` is the other end of it. */
export class BankWebhook {
  constructor(private readonly gateway: GatewayClient) {}

  /** A new address is asked to echo a challenge first, which `EventReceiver` does: let it listen before this is called. */
  async register(url: string, kinds: readonly string[] = []): Promise<WebhookStatus> {
    return (await this.send('PUT', '', { url, kinds })) as WebhookStatus;
  }

  /** Our webhook, its last trouble, and how many events wait, fail or are dead. 404 `webhook.unknown`. */
  async status(): Promise<WebhookStatus> {
    return (await this.gateway.send({ method: 'GET', path: '/v1/webhooks' })).json() as WebhookStatus;
  }

  /** What waits is polled from then on. */
  async remove(): Promise<void> {
    await this.gateway.send({ method: 'DELETE', path: '/v1/webhooks' });
  }

  /** Events that could not be pushed for three days; `next` leads to the page after. */
  async deadLetters(after?: string): Promise<{ deadLetters: readonly DeadLetterStatus[]; next?: string }> {
    const answer = await this.gateway.send({ method: 'GET', path: pagePath('/v1/webhooks/dead-letters', {}, after) });
    return answer.json() as { deadLetters: readonly DeadLetterStatus[]; next?: string };
  }

  /** Pushes these dead letters again, or all. */
  async resend(events?: readonly string[]): Promise<{ resent: number }> {
    return (await this.send('POST', '/dead-letters/resend', events === undefined ? {} : { events })) as { resent: number };
  }

  private async send(method: 'PUT' | 'POST', path: string, body: object): Promise<unknown> {
    const call = { method, path: `/v1/webhooks${path}`, body: JSON.stringify(body), contentType: 'application/json' };
    return (await this.gateway.send(call)).json();
  }
}
