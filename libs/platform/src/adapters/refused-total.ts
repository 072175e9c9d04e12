import { Counter } from 'prom-client';

/** What this process refused, by stable code; `internal` is a defect. A denial is an answer and not counted here. */
export const refusedTotal = new Counter({
  name: 'tallystick_refused_total',
  help: 'requests, batch items and stream messages that were refused, by code',
  labelNames: ['code'],
});
