// Keep-alive HTTP/1.1 on bare sockets: the client shares two cores with what it measures, so it must cost little.
import net from 'node:net';

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const TICK_MS = 1;
const RETRY_AFTER_MS = 1_000;

/**
 * Runs `connections` one-at-a-time callers, spread over `ports`, until `untilMs`. `next()` gives headers and body. With `refusals`, a 503
 * with Retry-After is an answer, too, and counted apart. @returns acknowledged count and latencies
 */
export async function httpLoad({ ports, connections, untilMs, next, refusals = false }) {
  const latencies = [];
  const refused = [];
  const caller = async (index) => {
    const connection = await connect(ports[index % ports.length]);
    await new Promise((resolve, reject) => {
      connection.onError(reject);
      const send = () => {
        const sentMs = performance.now();
        if (sentMs >= untilMs) return connection.end(resolve);
        connection.ask(next(), (head) => {
          if (head.startsWith('HTTP/1.1 200')) latencies.push(performance.now() - sentMs);
          else if (refusals && isRefusal(head)) refused.push(performance.now() - sentMs);
          else return reject(new Error(head));
          // Who is told when to come back does so, as the SDK does.
          if (head.startsWith('HTTP/1.1 503')) setTimeout(send, Math.min(RETRY_AFTER_MS, Math.max(0, untilMs - performance.now())));
          else send();
        });
      };
      send();
    });
  };
  await Promise.all(Array.from({ length: connections }, (_, i) => caller(i)));
  return { done: latencies.length, latencies, refused };
}

/** Sends `rate` requests a second whatever comes back; latency counts from when a request was due, waiting for a connection included. */
export async function pacedLoad({ ports, connections, rate, untilMs, next }) {
  const latencies = [];
  const waiting = [];
  const free = await Promise.all(Array.from({ length: connections }, (_, i) => connect(ports[i % ports.length])));
  const all = [...free];
  await new Promise((resolve, reject) => {
    for (const connection of all) connection.onError(reject);
    let outstanding = 0;
    let dueMs = performance.now();
    let over = false;
    const serve = (connection, due) => {
      connection.ask(next(), (head) => {
        if (!head.startsWith('HTTP/1.1 200')) return reject(new Error(head));
        latencies.push(performance.now() - due);
        outstanding--;
        if (waiting.length > 0) serve(connection, waiting.shift());
        else free.push(connection);
        if (over && outstanding === 0) resolve();
      });
    };
    const tick = () => {
      const nowMs = Math.min(performance.now(), untilMs);
      for (; dueMs <= nowMs; dueMs += 1000 / rate) {
        outstanding++;
        // In turn: one that asks nothing for half a minute is closed.
        if (free.length > 0) serve(free.shift(), dueMs);
        else waiting.push(dueMs);
      }
      if (nowMs < untilMs) return setTimeout(tick, TICK_MS);
      over = true;
      if (outstanding === 0) resolve();
    };
    tick();
  });
  for (const connection of all) connection.end(() => undefined);
  return { done: latencies.length, latencies };
}

function isRefusal(head) {
  return head.startsWith('HTTP/1.1 503') && /retry-after: \d+/i.test(head);
}

/** One connection: `ask(request, answered)` calls `answered` with the head of the answer. */
function connect(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let received = Buffer.alloc(0);
    let answered;
    let failed = reject;
    socket.on('error', (error) => failed(error));
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const end = received.indexOf(END_OF_HEAD);
      if (end < 0) return;
      const head = received.latin1Slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)[1]);
      if (received.length < end + 4 + length) return;
      received = received.subarray(end + 4 + length);
      answered(head);
    });
    const ask = ({ headers, body }, callback) => {
      answered = callback;
      let head = `POST /v1/decisions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${body.length}\r\n`;
      for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
      socket.write(`${head}\r\n${body}`);
    };
    socket.on('connect', () => resolve({ ask, onError: (fail) => (failed = fail), end: (done) => socket.end(done) }));
  });
}
