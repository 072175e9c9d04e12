import { setTimeout as delay } from 'node:timers/promises';
import type { BacktestAnswer, BacktestReportAnswer, ShadowAnswer, WireBacktestRequest } from '#contract';
import { type HttpOptions, RepeatingHttp } from './repeating-http.js';

/** What is wrong or strange about a document, where: line and column count from 1. An error keeps it from being drafted. */
export interface PolicyFinding {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly pointer: string;
  readonly line: number;
  readonly column: number;
}

export interface PolicyLint {
  readonly mayBeDrafted: boolean;
  readonly findings: readonly PolicyFinding[];
}

/** One version of the policy and how far it has come. Times are RFC 3339; absent: not yet, or not known. */
export interface PolicyVersionStatus {
  readonly id: string;
  readonly version: string;
  readonly state: 'DRAFT' | 'SHADOW' | 'APPROVED' | 'ACTIVE' | 'RETIRED';
  readonly hash: string;
  readonly author: string;
  readonly approver?: string;
  readonly draftedAt: string;
  readonly activatedAt?: string;
  readonly retiredAt?: string;
}

const RUNNING: ReadonlySet<string> = new Set(['REQUESTED', 'RUNNING']);

/**
 * Policies for a pipeline or an analyst's script: lint a text, try a draft beside the active version or over recorded history (scopes
 * `policies:read`, `policies:write`). Drafting, approving and activating is for people. Rejects and repeats as `DecisionClient` does.
 */
export class PolicyClient {
  private readonly http: RepeatingHttp;

  constructor(options: HttpOptions) {
    this.http = new RepeatingHttp(options);
  }

  /** The text as it is written: parsed JSON has lost its lines. 422 `policy.lint_too_much`, 503 `policy.lint_busy`. */
  async lint(text: string): Promise<PolicyLint> {
    return (await this.http.call({ method: 'POST', path: '/v1/policies/lint', text, repeatable: true })).body as PolicyLint;
  }

  /** Every version, the newest first. */
  async versions(): Promise<readonly PolicyVersionStatus[]> {
    return (await this.get<{ versions: PolicyVersionStatus[] }>('/v1/policies/versions')).versions;
  }

  /** Lets a draft decide beside the active version, without effect. Asked again, nothing changes. */
  async startShadow(version: string): Promise<PolicyVersionStatus> {
    return await this.post(`/v1/policies/versions/${version}/shadow`, {});
  }

  /** What a version in shadow would have answered since. */
  async shadow(version: string): Promise<ShadowAnswer> {
    return await this.get(`/v1/policies/versions/${version}/shadow`);
  }

  /** Recorded history decided again; a job, once per key. Then `waitForBacktest`. */
  async backtest(request: WireBacktestRequest, key: string): Promise<BacktestAnswer> {
    return await this.post('/v1/backtests', request, key);
  }

  /** The last 50 back-tests, the newest first. */
  async backtests(): Promise<readonly BacktestAnswer[]> {
    return (await this.get<{ backtests: BacktestAnswer[] }>('/v1/backtests')).backtests;
  }

  /** How far one is. 404 `backtest.unknown`. */
  async backtestStatus(id: string): Promise<BacktestAnswer> {
    return await this.get(`/v1/backtests/${id}`);
  }

  /** Until it has ended, one way or another; `onProgress` hears each look. */
  async waitForBacktest(
    id: string,
    { pollMs = 1_000, onProgress }: { pollMs?: number; onProgress?: (status: BacktestAnswer) => void } = {},
  ): Promise<BacktestAnswer> {
    for (;;) {
      const status = await this.backtestStatus(id);
      onProgress?.(status);
      if (!RUNNING.has(status.state)) return status;
      await delay(pollMs);
    }
  }

  /** Who would change, by tier and amount, with examples; 409 `backtest.not_done`. */
  async backtestReport(id: string): Promise<BacktestReportAnswer> {
    return await this.get(`/v1/backtests/${id}/report`);
  }

  /** What is stopped already stays so. */
  async cancelBacktest(id: string): Promise<BacktestAnswer> {
    return await this.post(`/v1/backtests/${id}/cancel`, {});
  }

  /** Ends its connections. Nothing can be called afterwards. */
  async close(): Promise<void> {
    await this.http.close();
  }

  private async get<T>(path: string): Promise<T> {
    return (await this.http.call({ method: 'GET', path, repeatable: true })).body as T;
  }

  private async post<T>(path: string, body: object, key?: string): Promise<T> {
    return (await this.http.call({ method: 'POST', path, body, key, repeatable: true })).body as T;
  }
}
