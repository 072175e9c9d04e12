import { Controller, Get, Header, HttpException, Inject } from '@nestjs/common';
import { register } from 'prom-client';

/** Asked by `/ready`: resolves when this process can do its job, rejects with the reason when it cannot. */
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

  @Get('ready')
  async ready(): Promise<Record<string, string>> {
    const states = await Promise.all(Object.entries(this.checks).map(async ([name, check]) => [name, await state(check)] as const));
    const report = Object.fromEntries(states);
    if (states.some(([, value]) => value !== 'ok')) throw new HttpException(report, 503);
    return report;
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
  } catch {
    // The reason may name hosts: it belongs in the log of the part that failed, not in an open answer.
    return 'unavailable';
  }
}
