// The field's load generator: as many callers as connections, each asks again when it has its answer.
import autocannon from 'autocannon';

/**
 * `next()` gives headers and body of a request. Who waits for an answer when the time is over hangs up, so that many (`underWay`) may have
 * been decided that nobody counts.
 */
export function closedLoad({ ports, connections, next }) {
  return async (seconds) => {
    const latencies = [];
    const targets = ports();
    const share = Math.floor(connections / targets.length);
    const startMs = performance.now();
    await Promise.all(targets.map((port) => fire({ port, connections: share, seconds, next, latencies })));
    return { done: latencies.length, underWay: connections, seconds: (performance.now() - startMs) / 1000, latencies };
  };
}

function fire({ port, connections, seconds: duration, next, latencies }) {
  // Autocannon writes into the headers that it is given.
  const setupRequest = (request) => {
    const { headers, body } = next();
    return { ...request, headers: { ...headers }, body };
  };
  const requests = [{ method: 'POST', path: '/v1/decisions', setupRequest }];
  return new Promise((resolve, reject) => {
    const run = autocannon({ url: `http://127.0.0.1:${port}`, connections, duration, requests }, (error, result) => {
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
