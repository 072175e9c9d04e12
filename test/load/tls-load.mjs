// Keep-alive HTTP/1.1 on bare TLS sockets: the client shares two cores with what it measures, so it must cost little.
import tls from 'node:tls';

const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** So many connections, ready: a handshake costs more than a call, and is not what is measured. */
export async function connectAll({ port, options, connections }) {
  return await Promise.all(
    Array.from({ length: connections }, () => connect({ ...options, port, host: '127.0.0.1', servername: 'localhost' })),
  );
}

function connect(options) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect(options, () => resolve(socket.off('error', reject)));
    socket.setNoDelay(true).once('error', reject);
  });
}

/**
 * Sends each request once, over one-at-a-time callers, until `untilMs` or there is none left. `sockets`: their connections, which stay open; else
 * it makes `connections` of its own. `check`: what a caller does with an answer before it sends the next.
 */
export async function tlsLoad({ port, options, connections, sockets, requests, untilMs, status = 201, check }) {
  const latencies = [];
  const answers = [];
  const next = requests[Symbol.iterator]();
  const callers = sockets ?? (await connectAll({ port, options, connections }));
  await Promise.all(callers.map((socket) => oneCaller({ socket, untilMs, status, next, latencies, answers, check })));
  if (!sockets) for (const socket of callers) socket.end();
  return { latencies, answers };
}

function oneCaller({ socket, untilMs, status, next, latencies, answers, check }) {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let sentMs = 0;
    let sent;
    const send = () => {
      sentMs = performance.now();
      const { value, done } = sentMs >= untilMs ? { done: true } : next.next();
      if (done) return resolve(socket.off('data', take).off('error', reject));
      sent = value;
      socket.write(value.bytes);
    };
    const take = (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const head = received.indexOf(END_OF_HEAD);
      if (head < 0) return;
      const text = received.latin1Slice(0, head);
      const length = Number(/content-length: (\d+)/i.exec(text)[1]);
      if (received.length < head + 4 + length) return;
      if (!text.startsWith(`HTTP/1.1 ${status}`)) return reject(new Error(received.toString()));
      latencies.push(performance.now() - sentMs);
      const answer = { sent, head: text, body: received.subarray(head + 4) };
      received = Buffer.alloc(0);
      if (check) return void check(answer).then(send, reject);
      // Kept only for those who check it later: a caller that kept all its answers would spend a tenth of its time on collecting them.
      answers.push(answer);
      send();
    };
    socket.on('data', take).on('error', reject);
    send();
  });
}
