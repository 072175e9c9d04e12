// The bare PostgreSQL function from one process: columns are laid out before the clock starts, two calls in flight.
import { randomUUID } from 'node:crypto';
import { detailsOf, readDecisionRequest } from '#decisions';
import { reserveColumns } from '#decisions/adapters/batch-columns';
import { NodeSources } from '#decisions/adapters/node-sources';
import { systemClock } from '#kernel';
import { evaluate } from '#policies';

export const BATCH_ITEMS = 256;
const IN_FLIGHT = 2;
const CALL = 'SELECT answers FROM reserve_batch($1, $2, $3, $4, $5, $6)';

export function prepareBatches({ types, policy, standing, next, batches }) {
  const sources = new NodeSources(systemClock);
  const item = () => {
    const request = readDecisionRequest(next());
    const evaluation = evaluate(standing, policy, request, new Date());
    return {
      decision: sources.newDecisionId(request.subject, new Date()),
      ask: { caller: 'bench-client', key: randomUUID(), request },
      digest: sources.digest(request.subject.uuid),
      evaluation,
      policyVersion: policy.version,
      standingVersion: 1n,
      holdSeconds: request.holdSeconds,
      salt: sources.newSalt(),
      details: JSON.stringify(detailsOf(request, evaluation, policy, standing)),
    };
  };
  return Array.from({ length: batches }, () => reserveColumns(Array.from({ length: BATCH_ITEMS }, item), types));
}

export async function functionLoad({ database, batches, untilMs }) {
  const latencies = [];
  let done = 0;
  const one = async () => {
    while (performance.now() < untilMs) {
      const columns = batches.pop();
      if (!columns) throw new Error('too few batches prepared');
      const startedMs = performance.now();
      const [{ answers }] = await database.query(CALL, columns, 'function');
      const lines = answers.split('\n');
      if (lines.some((line) => !line.startsWith('DECIDED '))) throw new Error('the function did not decide');
      done += lines.length;
      latencies.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  return { done, latencies };
}
