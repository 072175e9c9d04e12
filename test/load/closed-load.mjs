// The field's load generator: as many callers as connections, each asks again when it has its answer.
import autocannon from 'autocannon';

/** What is sent before it is known how many are answered in a second. */
const FIRST_REQUESTS = 5_000;
const ENOUGH = 0.8;

/**
 * A load of about as many seconds as it is asked for. It ends with the last answer, so that what was acknowledged can be counted, and so it is
 * told how many to send: as many as were answered lately in that time. `next()` gives headers and body of a request.
 */
export function closedLoad({ ports, connections, next }) {
  let rate;
  const go = async (seconds, latencies) => {
    const startMs = performance.now();
    const [targets, amount, before] = [ports(), rate ? Math.ceil(rate * seconds) + connections : FIRST_REQUESTS, latencies.length];
    const share = (total) => Math.floor(total / targets.length);
    await Promise.all(targets.map((port) => fire({ port, connections: share(connections), amount: share(amount), next, latencies })));
    const took = (performance.now() - startMs) / 1000;
    rate = (latencies.length - before) / took;
    return took;
  };
  return async (seconds) => {
    const latencies = [];
    let took = 0;
    while (took < seconds * ENOUGH) took += await go(seconds - took, latencies);
    return { done: latencies.length, seconds: took, latencies };
  };
}

function fire({ port, connections, amount, next, latencies }) {
  // Autocannon writes into the headers that it is given.
  const setupRequest = (request) => {
    const { headers, body } = next();
    return { ...request, headers: { ...headers }, body };
  };
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
