// The field's load generator: as many callers as connections, each asks again when it has its answer.
import autocannon from 'autocannon';

/** A first run has nothing to go by. */
const FIRST_REQUESTS = 10_000;

/**
 * A load that takes about as many seconds as it is asked for: it ends with the last answer, so what was acknowledged can be counted.
 * `next()` gives headers and body of a request.
 */
export function closedLoad({ ports, connections, next }) {
  let rate;
  return async (seconds) => {
    const latencies = [];
    const amount = rate ? Math.ceil(rate * seconds) : FIRST_REQUESTS;
    const startMs = performance.now();
    const targets = ports();
    const share = (total) => Math.floor(total / targets.length);
    await Promise.all(targets.map((port) => fire({ port, connections: share(connections), amount: share(amount), next, latencies })));
    const took = (performance.now() - startMs) / 1000;
    rate = latencies.length / took;
    return { done: latencies.length, seconds: took, latencies };
  };
}

function fire({ port, connections, amount, next, latencies }) {
  const setupRequest = (request) => ({ ...request, ...next() });
  const requests = [{ method: 'POST', path: '/v1/decisions', setupRequest }];
  return new Promise((resolve, reject) => {
    const run = autocannon({ url: `http://127.0.0.1:${port}`, connections, amount, requests }, (error, result) => {
      if (error || result.errors > 0) reject(error ?? new Error(`${result.errors} calls were not answered`));
      else resolve();
    });
    run.on('response', (_client, status, _bytes, ms) => {
      if (status === 200) return latencies.push(ms);
      run.stop();
      reject(new Error(`an answer of status ${status}`));
    });
  });
}
