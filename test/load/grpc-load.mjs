import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const options = { keepCase: false, longs: Number, enums: String, defaults: false };
const { DecisionService } = grpc.loadPackageDefinition(loadSync('apps/decision-api/proto/decision.proto', options)).tallystick.decision.v1;

export function connect(port, token) {
  const client = new DecisionService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return { client, metadata, close: () => client.close() };
}

/** `streams` bidirectional streams, each with `window` messages outstanding. */
export async function streamLoad({ client, metadata, streams, window, untilMs, next }) {
  const latencies = [];
  const one = () =>
    new Promise((resolve, reject) => {
      const call = client.decideStream(metadata);
      const sent = new Map();
      let tag = 0;
      let open = true;
      const send = () => {
        const nowMs = performance.now();
        if (nowMs < untilMs) {
          sent.set(++tag, nowMs);
          call.write({ ...next(), tag });
        } else if (open) {
          open = false;
          call.end();
        }
      };
      call.on('data', (result) => {
        if (!result.answer) return reject(new Error(JSON.stringify(result)));
        latencies.push(performance.now() - sent.get(result.tag));
        sent.delete(result.tag);
        send();
      });
      call.on('error', reject);
      call.on('end', resolve);
      for (let i = 0; i < window; i++) send();
    });
  await Promise.all(Array.from({ length: streams }, one));
  return { done: latencies.length, latencies };
}

/** `callers` unary calls of 100 items at a time. */
export async function batchLoad({ client, metadata, callers, items, untilMs, next }) {
  const latencies = [];
  let done = 0;
  const one = async () => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now();
      const { results } = await new Promise((resolve, reject) =>
        client.decideBatch({ items: Array.from({ length: items }, next) }, metadata, (error, answer) =>
          error ? reject(error) : resolve(answer),
        ),
      );
      const failed = results.find(({ answer }) => !answer);
      if (failed) throw new Error(JSON.stringify(failed));
      done += results.length;
      latencies.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, one));
  return { done, latencies };
}
