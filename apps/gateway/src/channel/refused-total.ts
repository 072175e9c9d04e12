import { Counter } from 'prom-client';

export const refusedTotal = new Counter({
  name: 'tallystick_gateway_refused_total',
  help: 'requests that the channel did not admit',
  labelNames: ['code'],
});
