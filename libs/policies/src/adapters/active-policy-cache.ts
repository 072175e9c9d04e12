import { Refusal } from '#kernel';
import type { Policy } from '../compile.js';
import type { ActivePolicy } from '../store.js';
import type { PgPolicies } from './pg-policies.js';

/** A change is seen this soon without anybody asking; a decision that finds it stale reloads at once. */
const pollMs = 500;

/** Holds the active policy of this process. What it misses cannot be saved: the ledger compares versions under its lock. */
export class ActivePolicyCache implements ActivePolicy {
  private policy: Policy | undefined;
  private loading: Promise<Policy> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly policies: PgPolicies) {}

  /** Loads once and keeps watching until `stop`. A database that does not answer leaves the last policy in force. */
  async start(): Promise<void> {
    await this.poll();
    this.timer = setInterval(() => void this.poll(), pollMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  current(): Policy {
    if (this.policy) return this.policy;
    throw new Refusal('unavailable', 'policy.none', 'no policy is active yet', { retryAfterSeconds: 1 });
  }

  /** Callers that ask at the same time share one read. */
  reload(): Promise<Policy> {
    this.loading ??= this.load().finally(() => (this.loading = undefined));
    return this.loading;
  }

  private async load(): Promise<Policy> {
    this.policy = (await this.policies.findActive()) ?? this.policy;
    return this.current();
  }

  private async poll(): Promise<void> {
    try {
      const version = await this.policies.findActiveVersion();
      if (version !== undefined && version !== this.policy?.version) await this.reload();
    } catch {
      // The next poll, or the next stale decision, asks again; readiness watches the database itself.
    }
  }
}
