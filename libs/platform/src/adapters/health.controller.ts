import { Controller, Get, Header, Inject } from '@nestjs/common';
import { register } from 'prom-client';
import { Refusal } from '#kernel';

/** Asked by `/ready`: resolves when this process can do its job, rejects when it cannot: of a `Refusal` the code is told. */
export type ReadinessCheck = () => Promise<void>;
export const READINESS = Symbol('READINESS');

/** Liveness, readiness and metrics: for the supervisor, a load balancer and Prometheus. */
@Controller()
export class HealthController {
  constructor(@Inject(READINESS) private readonly checks: Readonly<Record<string, ReadinessCheck>>) {}

  @Get('health')
  health(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Refuses 503 `process.not_ready`, and says which of its parts are not. */
  @Get('ready')
  async ready(): Promise<Record<string, string>> {
    const states = await Promise.all(Object.entries(this.checks).map(async ([name, check]) => [name, await state(check)] as const));
    const failing = states
      .filter(([, value]) => value !== 'ok')
      .map(([name, value]) => (value === 'unavailable' ? name : `${name} (${value})`));
    if (failing.length > 0) throw new Refusal('unavailable', 'process.not_ready', `this process is not ready: ${failing.join(', ')}`);
    return Object.fromEntries(states);
  }

  @Get('metrics')
  @Header('content-type', register.contentType)
  metrics(): Promise<string> {
    return register.metrics();
  }
}

async function state(check: ReadinessCheck): Promise<string> {
  try {
    await check();
    return 'ok';
  } catch (error) {
    // Another reason may name hosts: it belongs in the log of the part that failed, not in an open answer.
    return error instanceof Refusal ? error.code : 'unavailable';
  }
}
