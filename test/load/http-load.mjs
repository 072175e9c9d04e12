// Keep-alive HTTP/1.1 on bare sockets: the client shares two cores with what it measures, so it must cost little.
import net from 'node:net';

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** Runs `connections` one-at-a-time callers until `untilMs`. `next()` gives headers and body. @returns acknowledged count and latencies */
export async function httpLoad({ port, connections, untilMs, next }) {
  const latencies = [];
  await Promise.all(Array.from({ length: connections }, () => oneConnection(port, untilMs, next, latencies)));
  return { done: latencies.length, latencies };
}

function oneConnection(port, untilMs, next, latencies) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let received = Buffer.alloc(0);
    let sentMs = 0;
    const send = () => {
      sentMs = performance.now();
      if (sentMs >= untilMs) return socket.end(resolve);
      const { headers, body } = next();
      socket.write(
        `POST /v1/decisions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`,
      );
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const head = received.indexOf(END_OF_HEAD);
      if (head < 0) return;
      const text = received.latin1Slice(0, head);
      const length = Number(/content-length: (\d+)/i.exec(text)[1]);
      if (received.length < head + 4 + length) return;
      if (!text.startsWith('HTTP/1.1 200')) return reject(new Error(received.toString()));
      received = received.subarray(head + 4 + length);
      latencies.push(performance.now() - sentMs);
      send();
    });
  });
}
